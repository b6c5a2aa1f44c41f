"""Reports and answers of the gate as they are shown, and which models a training may begin with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from medview.ml.spec import Task
from medview.workspace.training.gate_view import gate_view
from medview.workspace.training.outlook import Lesson
from medview.workspace.training.parents import likeliest, parents_for
from medview.workspace.training.run_report import case_of_key, compared, report_of
from tests.ml.small_packs import small_pack


def test_a_key_of_the_dataset_names_the_case_of_the_project_and_its_slice() -> None:
    assert case_of_key("case_0012") == (12, None)
    assert case_of_key("case_0012_k0003") == (12, 3)
    assert case_of_key("hippocampus_12") == (None, None)


def test_two_reports_stand_side_by_side_figure_by_figure() -> None:
    first = report_of(
        {"cases": 4, "headlines": [{"name": "dice", "title": "Dice", "value": 0.5, "low": None, "high": None}]}
    )
    more = [
        {"name": "dice", "title": "Dice", "value": 0.75, "low": 0.5, "high": 1.0},
        {"name": "dice.New", "title": "Dice, New", "value": 0.25, "low": 0.0, "high": 0.5},
    ]
    rows = compared(first, report_of({"cases": 4, "patients": 3, "headlines": more}))
    assert [(row.title, row.difference) for row in rows] == [("Dice", 0.25), ("Dice, New", None)]


def test_what_a_gate_document_lacks_is_left_out() -> None:
    empty = gate_view({"verdict": "first", "sentence": "v1 is the first.", "new": {"title": "v1"}, "current": None})
    assert (empty.promoted, empty.current, empty.rows, empty.cases) == (True, "", (), ())
    row = {"name": "Lung", "new": 0.8, "current": 0.7, "difference": 0.1, "ci95": [0.05, 0.15], "verdict": "better"}
    full = gate_view({
        "verdict": "kept", "sentence": "Kept v1.", "new": {"title": "v2"}, "current": {"title": "v1"},
        "per_class": [row], "headline": row,
        "by_case": [{"case": "case_0002", "new": 0.1, "current": 0.4, "difference": -0.3}],
    })  # fmt: skip
    assert [one.name for one in full.rows] == ["All classes", "Lung"]
    assert (full.rows[1].low, full.rows[1].high, full.rows[1].good) == (0.05, 0.15, True)
    assert (full.cases[0].case.case_id, full.cases[0].difference) == (2, -0.3)


def test_a_training_begins_with_what_counts_in_the_project_else_with_what_knows_most(tmp_path: Path) -> None:
    labels = [{"value": 1, "name": "Liver"}, {"value": 2, "name": "Spleen"}]
    one = small_pack(tmp_path / "one", id="one", output={"labels": labels})
    both = replace(one, digest="b" * 64)
    other = small_pack(tmp_path / "other", id="other")
    boxes = small_pack(tmp_path / "boxes", "detection", id="boxes")
    lesson = Lesson(Task.SEGMENTATION, None, (1, 2), (), 2, ("liver ", "Kidney"))
    found = parents_for(lesson, (), (other, boxes, one))
    assert [(parent.pack.spec.id, parent.known) for parent in found] == [("one", 1)]
    assert likeliest(found) is found[0]
    assert likeliest(parents_for(lesson, (), (boxes,))) is None
    counts = parents_for(lesson, (other,), (one, both))
    assert (counts[0].pack.spec.id, counts[0].current) == ("other", True)
    # It is a model of something else of the project: what others know comes first where nobody says otherwise.
    best = likeliest(counts)
    assert best is not None
    assert (best.known, best.current) == (1, False)
    assert likeliest(parents_for(lesson, (other,), ())) is None
    own = likeliest(parents_for(lesson, (other, both), (one,)))
    assert own is not None
    assert (own.known, own.current) == (1, True)
    prompted = small_pack(tmp_path / "prompted", "interactive", id="prompted")
    pointed = Lesson(Task.INTERACTIVE, None, (1, 2), (), 2, ("Liver",))
    mine = likeliest(parents_for(pointed, (prompted,), ()))
    assert mine is not None
    assert mine.pack is prompted
