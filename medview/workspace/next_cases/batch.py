"""Which cases of a project to label next, with slices and minutes. Pure: rows of the list and scores in, a batch out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from medview.core.effort_rate import GUESS, SECONDS_PER_ANSWER, SECONDS_PER_BOX, EffortRate, Grounds
from medview.core.reading_status import ReadingStatus, Role
from medview.ml.next_cases.case_scores import CaseScores
from medview.ml.next_cases.choice import Pick, Pool, choose
from medview.ml.next_cases.slices import SliceRange, ranges_of
from medview.ml.next_cases.strategy import Strategy
from medview.workspace.case_filter import FINISHED

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.cases import CaseRow

HELD_OUT = ("validation", "test")

_HERE = 0.5
"""Of a class as much as this is there."""


@dataclass(frozen=True, slots=True)
class NextCase:
    """One case that is worth labelling next.

    Attributes
    ----------
    patient : str
        Pseudonym, or empty.
    split : str
        The part of the dataset it is in; empty where it has none yet.
    by_class : str
        The class it was chosen for; empty where chance chose.
    unsure : float
        How unsure the model is of that class here, 0 to 1; of all classes, the most, where chance chose.
    ranges : tuple of SliceRange
        The slices to look at; none where nothing is known of slices.
    range_classes : tuple of str
        The class each range is most about.
    minutes, minutes_in_ranges : float
        Expected for the whole case, and for those slices.
    """

    case_id: int
    patient: str
    split: str
    by_class: str
    unsure: float
    ranges: tuple[SliceRange, ...]
    range_classes: tuple[str, ...]
    minutes: float
    minutes_in_ranges: float

    def document(self, reason: str) -> dict[str, Any]:
        """Return it ready for JSON; slices are counted from 1, as on the screen."""
        return {
            "case": self.case_id,
            "patient": self.patient,
            "split": self.split,
            "class": self.by_class,
            "unsure": round(self.unsure, 4),
            "reason": reason,
            "slices": [
                {"first": one.first + 1, "last": one.last + 1, "best": one.best + 1, "class": name,
                 "share": round(one.share, 4)}
                for one, name in zip(self.ranges, self.range_classes, strict=True)
            ],
            "minutes": round(self.minutes, 2),
            "minutes_in_slices": round(self.minutes_in_ranges, 2),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidates:
    """Cases of a project by whether they may be proposed.

    Attributes
    ----------
    free : tuple of CaseRow
        Nobody has begun them, and their patients are in no split that is held out.
    held_out : tuple of CaseRow
        Nobody has begun them; they, or other cases of their patients, are for validation or test.
    labelled : int
        How many cases for training are done.
    busy : frozenset of str
        Patients of whom a case is in work.
    """

    free: tuple[CaseRow, ...]
    held_out: tuple[CaseRow, ...]
    labelled: int
    busy: frozenset[str]


def candidates(rows: Sequence[CaseRow]) -> Candidates:
    """Return which cases may be proposed. Those that are done, begun, flagged or left out are not."""
    kept = [row for row in rows if not row.excluded]
    held = {row.patient for row in kept if row.split in HELD_OUT and row.patient}
    fresh = [row for row in kept if not _begun(row)]
    aside = {row.case_id for row in fresh if row.split in HELD_OUT or row.patient in held}
    learnt = [row for row in kept if row.split not in HELD_OUT and row.patient not in held]
    done = sum(bool(begun := _begun(row)) and begun <= FINISHED for row in learnt)
    return Candidates(
        tuple(row for row in fresh if row.case_id not in aside),
        tuple(row for row in fresh if row.case_id in aside),
        done,
        frozenset(row.patient for row in kept if row.patient and ReadingStatus.IN_WORK in _begun(row)),
    )


def _begun(row: CaseRow) -> set[ReadingStatus]:
    """Return how far those are who began a case; whoever merely opened it did not."""
    counting = [row.agreed] if row.agreed is not None else [one for one in row.readings if one.role is Role.READER]
    return {one.status for one in counting} - {ReadingStatus.TO_DO}


def next_cases(
    found: Candidates,
    scores: Mapping[int, CaseScores],
    count: int,
    strategy: Strategy = Strategy.UNCERTAINTY,
    seed: int = 0,
    rate: EffortRate = GUESS,
) -> tuple[NextCase, ...]:
    """Return up to ``count`` cases to label next, among those with scores.

    Parameters
    ----------
    scores : mapping of int to CaseScores
        By number of the case; all of one model.
    """
    rows = [row for row in found.free if row.case_id in scores]
    # A case of an unknown patient is taken for a patient of its own.
    patients = [row.patient or f"#{row.case_id}" for row in rows]
    of = [scores[row.case_id] for row in rows]
    if not rows or len({(one.classes, one.features.shape) for one in of}) != 1:
        return ()
    picks = choose(Pool.of(of, patients), count, strategy, seed, labelled=found.labelled, busy=found.busy)
    return tuple(_case(rows[pick.number], of[pick.number], pick, strategy, seed, rate) for pick in picks)


def _case(row: CaseRow, scores: CaseScores, pick: Pick, strategy: Strategy, seed: int, rate: EffortRate) -> NextCase:
    ranges = ranges_of(scores, strategy, seed * 1_000_003 + row.case_id, pick.by_class)
    number = pick.by_class if pick.by_class is not None else int(scores.unsure.argmax()) if len(scores.unsure) else None
    whole = _seconds(scores, rate)
    return NextCase(
        row.case_id,
        row.patient,
        row.split,
        scores.classes[pick.by_class] if pick.by_class is not None else "",
        float(scores.unsure[number]) if number is not None else 0.0,
        ranges,
        tuple(scores.classes[one.by_class] if one.by_class is not None else "" for one in ranges),
        whole / 60.0,
        whole * _part(scores, ranges, rate) / 60.0,
    )


def _seconds(scores: CaseScores, rate: EffortRate) -> float:
    if rate.grounds is Grounds.FINISHED:
        return rate.whole_s
    if scores.unit == "boxes":
        return SECONDS_PER_BOX * (1.0 + float(scores.foreground.sum() + scores.errors.sum()))
    if scores.unit == "answers":
        return SECONDS_PER_ANSWER * len(scores.classes)
    there = int(np.count_nonzero((scores.foreground > _HERE) | (scores.errors > _HERE)))
    return rate.seconds(max(1, there), float(scores.errors.sum()))


def _part(scores: CaseScores, ranges: Sequence[SliceRange], rate: EffortRate) -> float:
    """Return which part of the work lies in ranges of slices: of looking by slices, of correcting by what is unsure."""
    if not ranges:
        return 1.0
    held = int(np.count_nonzero(scores.unsure_slices.sum(axis=0)))
    looked = min(1.0, sum(one.last - one.first + 1 for one in ranges) / max(1, held))
    if scores.unit != "voxels" or rate.grounds is Grounds.FINISHED:
        return looked
    unsure = scores.unsure_slices.sum(axis=0, dtype=np.float64)
    inside = sum(float(unsure[one.first : one.last + 1].sum()) for one in ranges) / max(float(unsure.sum()), 1e-9)
    correcting = rate.per_voxel_s * float(scores.errors.sum())
    whole = _seconds(scores, rate)
    return min(1.0, (looked * (whole - correcting) + inside * correcting) / whole) if whole > 0 else looked
