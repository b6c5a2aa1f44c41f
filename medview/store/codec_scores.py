"""Scores and statements about images as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from medview.core.annotations import ImageLabel
from medview.core.scores import ScoreRule, SliceScores
from medview.core.vector import Triple

Json = dict[str, Any]


def encode_score_rule(rule: ScoreRule) -> Json:
    """How scores are read."""
    abstain = None if rule.abstain is None else list(rule.abstain)
    return {"subject": rule.subject, "threshold": rule.threshold, "abstain": abstain, "exclusive": rule.exclusive}


def decode_score_rule(data: Json | None) -> ScoreRule | None:
    """Inverse of ``encode_score_rule``; None for predictions kept before there were rules."""
    if data is None:
        return None
    abstain = data["abstain"]
    band = None if abstain is None else (float(abstain[0]), float(abstain[1]))
    return ScoreRule(str(data["subject"]), float(data["threshold"]), band, bool(data["exclusive"]))


def encode_slice_scores(scores: SliceScores) -> Json:
    """Scores of slices; four decimals are more than a model knows."""
    by_class = {name: [round(float(v), 4) for v in values] for name, values in scores.by_class.items()}
    return {"axis": scores.axis, "by_class": by_class}


def decode_slice_scores(data: Json | None) -> SliceScores | None:
    """Inverse of ``encode_slice_scores``."""
    if data is None:
        return None
    by_class = {str(name): np.asarray(values, dtype=np.float32) for name, values in data["by_class"].items()}
    return SliceScores(int(data["axis"]), by_class)


def encode_image_label(label: ImageLabel) -> Json:
    """What an image label says, and of what; nothing for one that only has a probability."""
    found: Json = {}
    if label.says:
        found["says"] = label.says
    if label.subject != "series":
        found["subject"] = label.subject
    if label.point_lps_mm is not None and label.normal_lps is not None:
        found |= {"point_lps_mm": list(label.point_lps_mm), "normal_lps": list(label.normal_lps)}
        found |= {"sop_instance_uid": label.sop_instance_uid, "frame_number": label.frame_number}
    return found


def decode_image_label(data: Json) -> Json:
    """Return the keyword arguments of an ImageLabel; rows of earlier versions have none of them."""
    found: Json = {"says": str(data.get("says", "")), "subject": str(data.get("subject", "series"))}
    if "point_lps_mm" in data:
        found |= {name: _triple(data[name]) for name in ("point_lps_mm", "normal_lps")}
        found |= {"sop_instance_uid": str(data["sop_instance_uid"]), "frame_number": int(data["frame_number"])}
    return found


def _triple(numbers: list[float]) -> Triple:
    x, y, z = (float(n) for n in numbers)
    return x, y, z
