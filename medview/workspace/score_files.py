"""Scores as the documented JSON."""

from __future__ import annotations

from medview.core.prediction import Prediction

_AXES = ("k", "j", "i")


def said_document(prediction: Prediction) -> dict[str, object]:
    """Return what scores come to by the model's rule; nothing where it has none."""
    rule = prediction.score_rule
    if rule is None or not prediction.scores:
        return {}
    return {"subject": rule.subject, "says": {name: said.value for name, said in rule.says(prediction.scores).items()}}


def score_document(prediction: Prediction) -> dict[str, object]:
    """Return scores.json: the scores, what they come to, by which rule, and those of slices."""
    found: dict[str, object] = {"scores": dict(prediction.scores), **said_document(prediction)}
    rule, slices = prediction.score_rule, prediction.slice_scores
    if rule is not None:
        found |= {"threshold": rule.threshold, "abstain": None if rule.abstain is None else list(rule.abstain)}
    if slices is not None:
        by_class = {name: [round(float(v), 6) for v in values] for name, values in slices.by_class.items()}
        found["slices"] = {"axis": _AXES[slices.axis], "scores": by_class}
    return found
