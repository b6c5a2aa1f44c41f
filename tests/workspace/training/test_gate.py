"""A new model takes the place of another only where held-out patients say that it is better, and in no class worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from medview.analysis.agreement.bootstrap import difference_interval
from medview.analysis.agreement.detections import ImageHits, average_precision
from medview.workspace.evaluation.case_parts import Part
from medview.workspace.training.gate import Held, Judged, compare_judged
from medview.workspace.training.gate_words import sentence_of
from tests.analysis.agreement.drawn_anew import interval_of

CASES = 14


def dices(rows: Mapping[str, Sequence[float | None]], failed: Sequence[str] = ()) -> Judged:
    """A segmentation by the Dice of every case in every class; None where the class is on neither side."""
    count = len(next(iter(rows.values())))
    cases = {
        f"c{n}": {name: Part() if (d := own[n]) is None else Part(d, 1.0, d) for name, own in rows.items()}
        for n in range(count)
        if f"c{n}" not in failed
    }
    return Judged("dice", tuple(rows), cases, tuple(failed))


def held(count: int = CASES, of_patient: int = 1, seen: Sequence[str] = ()) -> Held:
    return Held({f"c{n}": f"p{n // of_patient}" for n in range(count)}, seen=frozenset(seen))


def some(seed: int, mean: float = 0.85, spread: float = 0.03, count: int = CASES) -> list[float]:
    return [float(d) for d in np.random.default_rng(seed).normal(mean, spread, count)]


def shifted(base: Sequence[float], by: float, noise: float = 0.005, seed: int = 9) -> list[float]:
    return [b + by + float(e) for b, e in zip(base, np.random.default_rng(seed).normal(0, noise, len(base)), strict=True)]


ONE, TWO = some(1), some(2)
BASE = {"Anterior": ONE, "Posterior": TWO}


def test_a_better_model_is_promoted_and_the_figures_are_those_of_paired_patients() -> None:
    new, current = {"Anterior": shifted(ONE, 0.02), "Posterior": shifted(TWO, 0.015)}, BASE
    gate = compare_judged(dices(new), dices(current), held(of_patient=2))
    assert (gate["verdict"], gate["why"], gate["patients"], gate["cases"]) == ("promoted", "better", 7, 14)
    for row in gate["per_class"]:
        wanted = difference_interval(current[row["name"]], new[row["name"]], [f"p{n // 2}" for n in range(CASES)])
        assert (row["difference"], *row["ci95"]) == pytest.approx((wanted.value, wanted.low, wanted.high))
        assert row["verdict"] == "better"
    whole = [np.mean([side["Anterior"], side["Posterior"]], axis=0) for side in (current, new)]
    wanted = difference_interval(whole[0], whole[1], [f"p{n // 2}" for n in range(CASES)])
    assert (gate["headline"]["difference"], *gate["headline"]["ci95"]) == pytest.approx(
        (wanted.value, wanted.low, wanted.high)
    )
    said = sentence_of(gate, "v7", "v6")
    assert said.startswith("v7 is better than v6: Dice 0.8")
    assert "in 7 patients (+0.01" in said
    lost = [row["difference"] for row in gate["by_case"]]
    assert lost == sorted(lost)


def test_an_equal_one_is_not_better() -> None:
    gate = compare_judged(dices(BASE), dices(BASE), held())
    assert (gate["verdict"], gate["why"]) == ("kept", "equal")
    assert {row["verdict"] for row in gate["per_class"]} == {"no worse"}
    assert sentence_of(gate, "v7", "v6").startswith("v7 is not better than v6: kept v6. Dice 0.")


def test_a_worse_one_is_refused_and_the_class_that_lost_most_is_named() -> None:
    new = {"Anterior": shifted(ONE, -0.001), "Posterior": shifted(TWO, -0.02)}
    gate = compare_judged(dices(new), dices(BASE), held())
    assert (gate["verdict"], gate["why"]) == ("kept", "equal")
    figures = f"Posterior {np.mean(new['Posterior']):.3f} against {np.mean(TWO):.3f} in 14 patients."
    assert sentence_of(gate, "v7", "v6") == f"v7 is not better than v6: kept v6. {figures}"


def test_better_as_a_whole_is_not_enough_where_a_class_is_worse_or_may_be() -> None:
    better = shifted(ONE, 0.08)
    gate = compare_judged(dices({"Anterior": better, "Posterior": shifted(TWO, -0.02)}), dices(BASE), held())
    assert (gate["verdict"], gate["why"], gate["headline"]["verdict"]) == ("kept", "class", "better")
    assert "v7 is better than v6 as a whole, but is worse in Posterior: kept v6. Posterior 0." in sentence_of(
        gate, "v7", "v6"
    )
    # Hardly worse by its mean, but by how much nobody can tell.
    unsteady = shifted(TWO, -0.002, noise=0.06)
    gate = compare_judged(dices({"Anterior": better, "Posterior": unsteady}), dices(BASE), held())
    assert (gate["verdict"], gate["why"]) == ("kept", "class")
    assert gate["per_class"][1]["verdict"] == "not shown"
    assert "but may be worse in Posterior, as far as can be told: kept v6." in sentence_of(gate, "v7", "v6")
    # Within the margin, and that is known.
    gate = compare_judged(dices({"Anterior": better, "Posterior": shifted(TWO, -0.002, 0.003)}), dices(BASE), held())
    assert (gate["verdict"], gate["per_class"][1]["verdict"]) == ("promoted", "no worse")


def test_too_few_patients_tell_nothing_however_many_cases_they_have() -> None:
    new = {name: shifted(own, 0.05) for name, own in BASE.items()}
    gate = compare_judged(dices(new), dices(BASE), held(of_patient=7))
    assert (gate["verdict"], gate["why"], gate["patients"]) == ("kept", "few", 2)
    assert sentence_of(gate, "v7", "v6") == (
        "v7 was compared with v6 in only 2 patients, which is too few to tell: kept v6."
    )
    gate = compare_judged(dices(new), dices(BASE), held(seen=[f"c{n}" for n in range(CASES)]))
    assert (gate["why"], gate["cases"]) == ("few", 0)
    assert "no patient" in sentence_of(gate, "v7", "v6")


def test_a_class_that_fewer_than_three_patients_show_speaks_for_nothing_whatever_the_others_are() -> None:
    # Better in the one patient in whom it is, by as little as may be: every draw of patients says the same.
    alone = dices({"Cyst": [0.8, None, None]}), dices({"Cyst": [0.801, None, None]})
    gate = compare_judged(alone[1], alone[0], held(3))
    assert (gate["verdict"], gate["why"], gate["patients"], gate["cases"]) == ("kept", "few", 1, 3)
    assert gate["headline"]["verdict"] == gate["per_class"][0]["verdict"] == "not shown"
    assert sentence_of(gate, "v7", "v6") == (
        "v7 was compared with v6 in only 1 patient, which is too few to tell: kept v6."
    )
    # Beside another class it stands in nobody's way, and is told.
    rare: list[float | None] = [0.4, 0.9, *[None] * (CASES - 2)]
    lost: list[float | None] = [0.3, 0.85, *[None] * (CASES - 2)]
    gate = compare_judged(dices({"A": shifted(ONE, 0.03), "Rare": lost}), dices({"A": ONE, "Rare": rare}), held())
    assert (gate["per_class"][1]["verdict"], gate["per_class"][1]["patients"]) == ("not shown", 2)
    assert gate["why"] != "class"
    assert "Too few patients show Rare (2) to tell." in sentence_of(gate, "v7", "v6")
    # Nor is it learnt in one patient.
    same = {name: shifted(own, 0.0, 0.002) for name, own in BASE.items()}
    tail: list[float | None] = [0.9, *[None] * (CASES - 1)]
    gate = compare_judged(dices({**same, "Tail": tail}), dices(BASE), held())
    assert (gate["verdict"], gate["per_class"][2]["verdict"]) == ("kept", "not shown")


def test_boxes_in_fewer_than_three_patients_speak_for_nothing() -> None:
    none = Part(score=1.0, hits=ImageHits(np.zeros(0), np.zeros(0, dtype=bool), 0))

    def side(right: bool) -> Judged:
        there = Part(score=0.0, hits=ImageHits(np.array([0.9]), np.array([right]), 1))
        return Judged("ap50", ("Nodule",), {f"c{n}": {"Nodule": there if n == 0 else none} for n in range(4)})

    gate = compare_judged(side(right=True), side(right=False), held(4))
    assert (gate["verdict"], gate["why"], gate["patients"]) == ("kept", "few", 1)


def test_a_model_of_other_classes_takes_over_only_where_three_patients_show_them() -> None:
    current = Judged("", (), {})
    for count, wanted in ((2, ("kept", "few")), (3, ("promoted", "other"))):
        found: list[float | None] = [*[0.5, 0.3, 0.6][:count], *[None] * 3]
        gate = compare_judged(dices({"Hepar": found}), current, held(), gone=["Liver"])
        assert (gate["verdict"], gate["why"], gate["patients"]) == (*wanted, count)
        said = sentence_of(gate, "v2", "v1")
        assert "v2 and v1 find nothing in common" in said
        assert ("what v2 finds is in only 2 patients, which is too few to tell: kept v1." in said) == (count == 2)


def test_cases_that_the_current_model_has_learnt_from_count_for_neither() -> None:
    # It knows half of them by heart.
    current = {name: [0.99 if n < 7 else d for n, d in enumerate(own)] for name, own in BASE.items()}
    new = {name: shifted(own, 0.02) for name, own in BASE.items()}
    assert compare_judged(dices(new), dices(current), held())["verdict"] == "kept"
    gate = compare_judged(dices(new), dices(current), held(seen=[f"c{n}" for n in range(7)]))
    assert (gate["verdict"], gate["patients"], len(gate["left_out"]["seen"])) == ("promoted", 7, 7)
    assert {row["case"] for row in gate["by_case"]} == {f"c{n}" for n in range(7, 14)}
    assert sentence_of(gate, "v7", "v6").endswith(
        "7 held-out cases did not count, since v6 or what v7 began with has learnt from them."
    )


def test_a_class_that_was_added_and_learnt_takes_the_new_model_in_if_the_others_hold() -> None:
    same = {name: shifted(own, 0.0, 0.002) for name, own in BASE.items()}
    gate = compare_judged(dices({**same, "Tail": some(3, 0.7)}), dices(BASE), held())
    assert (gate["verdict"], gate["why"], gate["classes"]["added"]) == ("promoted", "added", ["Tail"])
    assert gate["per_class"][2] == {
        **gate["per_class"][2], "name": "Tail", "current": None, "difference": None, "verdict": "learnt",
    }  # fmt: skip
    assert sentence_of(gate, "v7", "v6").startswith("v7 finds Tail (Dice 0.6")
    gate = compare_judged(dices({**same, "Tail": some(3, 0.05, 0.02)}), dices(BASE), held())
    assert (gate["verdict"], gate["per_class"][2]["verdict"]) == ("kept", "not learnt")
    assert "It does not find Tail (0.0" in sentence_of(gate, "v7", "v6")
    lost = {**same, "Posterior": shifted(TWO, -0.03), "Tail": some(3, 0.7)}
    gate = compare_judged(dices(lost), dices(BASE), held())
    assert (gate["verdict"], gate["why"]) == ("kept", "class")
    assert "v7 finds more than v6, but is worse in Posterior: kept v6." in sentence_of(gate, "v7", "v6")


def test_classes_that_are_gone_are_told() -> None:
    new = {"Anterior": shifted(ONE, 0.03)}
    gate = compare_judged(dices(new), dices(BASE), held(), gone=["Old"])
    assert (gate["verdict"], gate["classes"]["gone"]) == ("promoted", ["Old", "Posterior"])
    assert sentence_of(gate, "v7", "v6").endswith("It no longer finds Old and Posterior.")


def test_a_model_that_does_not_run_where_the_other_does_is_refused() -> None:
    new = {name: shifted(own, 0.05) for name, own in BASE.items()}
    gate = compare_judged(dices(new, failed=["c3"]), dices(BASE), held())
    assert (gate["verdict"], gate["why"]) == ("kept", "failed")
    assert sentence_of(gate, "v7", "v6") == "v7 did not run on 1 case on which v6 does: kept v6."
    gate = compare_judged(dices(new), dices(BASE, failed=["c3"]), held())
    assert (gate["verdict"], gate["cases"], gate["left_out"]["current_failed"]) == ("promoted", 13, ["c3"])


def test_what_one_finds_where_there_is_nothing_counts_against_it() -> None:
    lesions = [None if n < 6 else d for n, d in enumerate(ONE)]
    wrong = [0.0 if n < 6 else d for n, d in enumerate(shifted(ONE, 0.01))]
    gate = compare_judged(dices({"Lesion": wrong}), dices({"Lesion": lesions}), held())
    assert (gate["verdict"], gate["per_class"][0]["verdict"]) == ("kept", "worse")
    assert gate["by_case"][0]["difference"] == -1.0


def test_a_class_that_no_held_out_case_shows_stands_in_nobodys_way() -> None:
    nowhere: list[float | None] = [None] * CASES
    gate = compare_judged(dices({"A": shifted(ONE, 0.03), "B": nowhere}), dices({"A": ONE, "B": nowhere}), held())
    assert (gate["verdict"], gate["per_class"][1]["verdict"]) == ("promoted", "not shown")


def test_boxes_are_compared_by_the_average_precision_of_all_images() -> None:
    rng = np.random.default_rng(4)

    def image(right: int) -> Part:
        hits = np.array([n < right for n in range(3)])
        return Part(score=0.0, hits=ImageHits(np.sort(rng.random(3))[::-1], hits, 3))

    sides = {name: {f"c{n}": {"Nodule": image(right)} for n in range(10)} for name, right in (("new", 3), ("old", 1))}
    new, old = (Judged("ap50", ("Nodule",), cases) for cases in sides.values())
    gate = compare_judged(new, old, held(10))
    assert gate["verdict"] == "promoted"

    def precision(side: str, which: Sequence[int]) -> float:
        hits = [sides[side][f"c{n}"]["Nodule"].hits for n in which]
        found = average_precision([one for one in hits if one is not None])
        assert found is not None
        return found

    def difference(which: npt.NDArray[np.int64]) -> float:
        return precision("new", which.tolist()) - precision("old", which.tolist())

    wanted = interval_of(difference, [f"p{n}" for n in range(10)], resamples=200)
    row = gate["per_class"][0]
    assert row["difference"] == pytest.approx(wanted.value)
    assert row["ci95"][0] == pytest.approx(wanted.low, abs=0.05)


def test_objects_from_prompts_are_compared_over_all_objects() -> None:
    def cases(dice: float) -> dict[str, dict[str, Part]]:
        return {f"c{n}": {"A": Part(3 * dice, 3.0, dice), "B": Part(0.5, 1.0, 0.5)} for n in range(6)}

    gate = compare_judged(Judged("dice_3", ("A", "B"), cases(0.9)), Judged("dice_3", ("A", "B"), cases(0.8)), held(6))
    assert gate["headline"]["new"] == pytest.approx((3 * 0.9 + 0.5) / 4)
    assert (gate["verdict"], gate["why"]) == ("promoted", "better")


def test_nobody_knowing_the_patients_is_said() -> None:
    new = {name: shifted(own, 0.02) for name, own in BASE.items()}
    gate = compare_judged(dices(new), dices(BASE), Held({f"c{n}": f" c{n}" for n in range(CASES)}, by_patient=False))
    assert "in 14 images" in sentence_of(gate, "v7", "v6")
