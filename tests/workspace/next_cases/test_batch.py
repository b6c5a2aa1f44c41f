"""Which cases of a list are proposed, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.effort_rate import GUESS, EffortRate, Grounds
from medview.core.reading_status import ReadingStatus, Role
from medview.ml.next_cases.strategy import Strategy
from medview.store.cases import CaseRow
from medview.store.reading_state import ReadingState
from medview.workspace.next_cases.batch import candidates, next_cases
from medview.workspace.next_cases.next_words import minutes_text, rate_text, reason_text
from tests.ml.next_cases.made import made_scores


def row(number: int, patient: str, split: str = "", status: ReadingStatus | None = None, excluded: str = "") -> CaseRow:
    readings = () if status is None else (state(number, status),)
    return CaseRow(
        number, "1", f"1.{number}", "", "CT", "", (20, 30, 30), patient, number, split, excluded, "2026-01-01", readings
    )


def state(number: int, status: ReadingStatus) -> ReadingState:
    return ReadingState(number, number, "anna", Role.READER, 0, status, 0, 0, "2026-01-01")


def curve(first: int, last: int) -> np.ndarray:
    slices = np.zeros(20)
    slices[first : last + 1] = 500.0
    return slices


def test_done_begun_flagged_and_left_out_cases_are_not_proposed_nor_those_of_held_out_patients() -> None:
    rows = [
        row(1, "P1"),
        row(2, "P1", status=ReadingStatus.TO_DO),
        row(3, "P2", status=ReadingStatus.DONE),
        row(4, "P2", status=ReadingStatus.IN_WORK),
        row(5, "P3", "test"),
        row(6, "P3"),
        row(7, "P4", "train"),
        row(8, "P5", excluded="motion"),
        row(9, "P6", "validation", ReadingStatus.DONE),
        row(10, "P6", status=ReadingStatus.FLAGGED),
        row(11, ""),
        row(12, "", "test"),
    ]
    found = candidates(rows)
    assert [one.case_id for one in found.free] == [1, 2, 7, 11]
    assert [one.case_id for one in found.held_out] == [5, 6, 12]
    assert found.labelled == 1


def test_a_case_one_reader_finished_is_not_one_that_nobody_began_because_another_opened_it() -> None:
    def read(number: int, *status: ReadingStatus) -> CaseRow:
        return replace(row(number, f"P{number}"), readings=tuple(state(10 * number + n, s) for n, s in enumerate(status)))

    rows = [
        read(1, ReadingStatus.DONE, ReadingStatus.TO_DO),
        read(2, ReadingStatus.TO_DO, ReadingStatus.IN_WORK),
        read(3, ReadingStatus.TO_DO, ReadingStatus.TO_DO),
        read(4, ReadingStatus.DONE, ReadingStatus.IN_WORK),
    ]
    found = candidates(rows)
    assert [one.case_id for one in found.free] == [3]
    assert found.labelled == 1


@pytest.mark.parametrize("strategy", Strategy)
def test_of_a_patient_of_whom_a_case_is_in_work_no_other_is_proposed(strategy: Strategy) -> None:
    found = candidates([row(1, "P1"), row(2, "P1", status=ReadingStatus.IN_WORK), row(3, "P2"), row(4, "")])
    scores = {n: made_scores([0.5], [curve(2, 4)]) for n in (1, 3, 4)}
    assert {one.case_id for one in next_cases(found, scores, 3, strategy)} == {3, 4}


def test_a_proposal_says_which_slices_for_which_class_and_how_long() -> None:
    found = candidates([row(1, "P1"), row(2, "P2", "train")])
    slices = np.stack([curve(11, 14), curve(2, 3) / 100])
    scores = {n: made_scores([0.4 + n / 10, 0.1], slices) for n in (1, 2)}
    chosen = next_cases(found, scores, 2)
    assert {one.case_id for one in chosen} == {1, 2}
    first = chosen[0]
    assert reason_text(first).startswith("A uncertain on slices 12–1")
    document = first.document(reason_text(first))
    assert document["slices"][0]["first"] == 12
    assert document["split"] in ("", "train")
    assert 0 < first.minutes_in_ranges <= first.minutes
    # 2 000 voxels and 10 are expected to be wrong, in two classes.
    assert first.minutes == pytest.approx((2 * GUESS.per_segment_s + 2010 * GUESS.per_voxel_s) / 60)


def test_the_minutes_follow_what_the_project_noted_and_say_so() -> None:
    found = candidates([row(1, "P1")])
    scores = {1: made_scores([0.5], [curve(4, 7)])}
    fast = EffortRate(3.0, 0.001, grounds=Grounds.CORRECTIONS, cases=6)
    whole = EffortRate(0.0, 0.0, 300.0, Grounds.FINISHED, 2)
    (quick,), (usual,) = (next_cases(found, scores, 1, rate=rate) for rate in (fast, whole))
    assert quick.minutes == pytest.approx((3.0 + 2.0) / 60)
    assert usual.minutes == 5.0
    assert usual.minutes_in_ranges <= 5.0
    assert "6 cases" in rate_text(fast)
    assert "2 finished cases" in rate_text(whole)
    assert "guess" in rate_text(GUESS)
    assert minutes_text(0.4) == "under 1 min"
    assert minutes_text(4.6) == "5 min"


def test_chance_says_that_it_was_chance() -> None:
    found = candidates([row(n, f"P{n}") for n in range(1, 9)])
    scores = {n: made_scores([n / 10], [curve(4, 7)]) for n in range(1, 9)}
    for strategy in (Strategy.FOREGROUND_RANDOM, Strategy.RANDOM):
        chosen = next_cases(found, scores, 3, strategy, seed=2)
        assert len(chosen) == 3
        assert all(reason_text(one).startswith("Drawn by chance: slices ") for one in chosen)
        assert all(not one.by_class for one in chosen)


def test_only_cases_of_one_model_with_scores_are_chosen_from() -> None:
    found = candidates([row(n, f"P{n}") for n in range(1, 5)])
    scores = {n: made_scores([0.5], [curve(4, 7)]) for n in (1, 3)}
    assert {one.case_id for one in next_cases(found, scores, 5)} == {1, 3}
    assert next_cases(found, {}, 5) == ()
    mixed = {**scores, 2: replace(scores[1], classes=("other",))}
    assert next_cases(found, mixed, 5) == ()
