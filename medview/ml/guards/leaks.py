"""What would let a model be judged on what it was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from medview.ml.examples import ExampleSet, Trust
from medview.ml.guards.facts import ExampleFacts
from medview.ml.guards.finding import GuardFinding, Severity, counted, listed

MOST = 3
"""Patients or pictures told one by one."""

JUDGED_ON = ("val", "test")


def same_patient(facts: Sequence[ExampleFacts], examples: ExampleSet) -> Iterator[GuardFinding]:
    """Patients with cases in more than one split; splits that could not go by patient."""
    of_patient: dict[str, list[ExampleFacts]] = {}
    for one in facts:
        if one.patient:
            of_patient.setdefault(one.patient, []).append(one)
    torn = {patient: own for patient, own in of_patient.items() if len({one.split for one in own}) > 1}
    if torn:
        told = [
            f"{patient} has cases in {' and '.join(sorted({one.split for one in own}))} "
            f"({listed([_told(one) for one in own])})"
            for patient, own in torn.items()
        ]
        yield GuardFinding(
            "same-patient",
            Severity.BLOCK,
            f"{_some(told)}; put all cases of a patient into one split.",
            tuple(one.key for own in torn.values() for one in own),
            tuple(tuple(one.key for one in own) for own in torn.values()),
        )
    nobody = [one.key for one in facts if not one.patient]
    if nobody or not examples.by_patient:
        yield GuardFinding(
            "by-image",
            Severity.WARN,
            f"Nothing says whose {counted(len(nobody) or len(facts), 'case is', 'cases are')}: one patient may be in "
            "training and in validation, and figures may look better than they are; say who is who where you can.",
        )


def same_pixels(facts: Sequence[ExampleFacts], _: ExampleSet) -> Iterator[GuardFinding]:
    """One picture under two names, whatever its number format, rescale or border."""
    of_picture: dict[str, dict[str, ExampleFacts]] = {}
    for one in facts:
        for sha256 in (*one.pixels_sha256, *one.picture_sha256):
            of_picture.setdefault(sha256, {})[one.key] = one
    groups: dict[bool, dict[tuple[str, ...], str]] = {True: {}, False: {}}
    for own in of_picture.values():
        keys = tuple(sorted(own))
        if len(keys) > 1:
            across = len({one.split for one in own.values()}) > 1
            groups[across][keys] = listed([_told(own[key]) for key in keys])
    for across, told in groups.items():
        if told:
            alike = [f"{names} hold the same picture" for names in told.values()]
            counts = "" if across else ", which counts more than once"
            yield GuardFinding(
                "same-pixels",
                Severity.BLOCK if across else Severity.WARN,
                f"{_some(alike)}{counts}; leave out all but one of them.",
                tuple(dict.fromkeys(key for keys in told for key in keys)),
                tuple(told),
            )


def unreviewed(facts: Sequence[ExampleFacts], _: ExampleSet) -> Iterator[GuardFinding]:
    """Labels that a model made and nobody looked at."""
    judged_on = [one for one in facts if one.trust is Trust.UNREVIEWED and one.split in JUDGED_ON]
    if judged_on:
        yield GuardFinding(
            "unreviewed",
            Severity.BLOCK,
            f"A model made the labels of {listed([_told(one) for one in judged_on])} and nobody looked at them; review "
            "them, or a model is judged by a model.",
            tuple(one.key for one in judged_on),
        )
    learnt = [one for one in facts if one.trust is Trust.UNREVIEWED and one.split not in JUDGED_ON]
    if learnt:
        yield GuardFinding(
            "unreviewed",
            Severity.WARN,
            f"A model made the labels of {counted(len(learnt), 'training case', 'training cases')} and nobody looked at "
            "them; its mistakes will be learnt too: review them first.",
            tuple(one.key for one in learnt),
        )


def _some(told: Sequence[str]) -> str:
    """Return the first few of what is told, and how many more there are."""
    more = f"; and {len(told) - MOST} more" if len(told) > MOST else ""
    return "; ".join(told[:MOST]) + more


def _told(one: ExampleFacts) -> str:
    return f"{one.key} ({one.split})"
