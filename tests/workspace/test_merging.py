"""Copies are merged into the project that is open: nobody draws meanwhile, and open cases show what came."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.changes import Command
from medview.core.errors import StoreError
from medview.core.label_patch import LabelPatch
from medview.core.label_set import LabelEntry, LabelSet
from medview.io.label_sets import text_of_label_set
from medview.store.project import Project
from medview.workspace.merge_words import beside, joined, to_know
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations.open import open_series
from medview.workspace.workspace import Workspace
from tests.workspace.queued import StepRunner, queue_workspace, scanned, write_small_ct

FIRST, FURTHER, HERS = Box((1, 2, 3), (4, 8, 9)), Box((5, 2, 3), (7, 10, 9)), Box((2, 3, 4), (6, 9, 11))


class Desk:
    """Somebody at a copy of the project with the one series open, whose jobs are done when they are told."""

    def __init__(self, folder: Path, path: Path, reader: str) -> None:
        self.folder = folder
        self.project = Project.open(path, reader=reader) if path.exists() else Project.create(path, reader=reader)
        self.runner = StepRunner()
        self.workspace: Workspace = queue_workspace(folder, self.runner, self.project)
        self.workspace.worklist.load()
        self.told: list[str] = []
        self.workspace.message.connect(lambda message: self.told.append(message.text))
        self.open()

    def open(self) -> None:
        open_series(self.workspace, *scanned(self.folder / "images" / "s1"))
        self.runner.finish()

    @property
    def case(self) -> OpenCase:
        assert self.workspace.active is not None
        return self.workspace.active

    def draw(self, name: str, box: Box) -> bool:
        """Draw a box of one segment."""
        held = self.case.labels.segmentation
        segment = next((s for s in held.segments if s.name == name), None) or labels.add_segment(self.case, name)
        if segment is None:
            return False
        patch = LabelPatch.between(held.layer(segment.layer_id), box, np.full(box.shape_kji, segment.value, np.uint8))
        assert patch is not None
        return self.case.do(Command("Box", (patch,), "brush"))

    def merge(self, *copies: Path) -> bool:
        for copy in copies:
            assert self.workspace.worklist.merging.add(copy)
        return self.workspace.worklist.merging.begin()

    def voxels(self) -> dict[str, int]:
        held = self.case.labels.segmentation
        return {segment.name: held.count(segment) for segment in held.segments}

    def close(self) -> None:
        self.runner.finish()
        self.project.close()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A project in which Ada has drawn on the one case, and which Grace has opened."""
    write_small_ct(tmp_path / "images", "s1")
    path = tmp_path / "base.medview"
    for reader in ("Ada", "Grace"):
        desk = Desk(tmp_path, path, reader)
        if reader == "Ada":
            assert desk.draw("Liver", FIRST)
        desk.close()
    return path


@pytest.fixture
def copies(tmp_path: Path, base: Path) -> tuple[Path, Path]:
    """Copies on which Ada went on, and on which Grace drew."""
    found = []
    for name, reader, box in (("ada", "Ada", FURTHER), ("grace", "Grace", HERS)):
        path = tmp_path / f"{name}.medview"
        shutil.copytree(base, path)
        desk = Desk(tmp_path, path, reader)
        assert desk.draw("Liver", box)
        desk.close()
        found.append(path)
    return found[0], found[1]


@pytest.fixture
def ada(tmp_path: Path, base: Path, copies: tuple[Path, Path]) -> Iterator[Desk]:
    desk = Desk(tmp_path, base, "Ada")
    yield desk
    desk.project.close()


def test_open_labels_show_what_came_and_are_drawn_on_again(ada: Desk, copies: tuple[Path, Path]) -> None:
    assert ada.voxels() == {"Liver": FIRST.size}
    assert ada.merge(*copies)
    assert not ada.case.editable
    assert "being merged" in ada.case.read_only
    assert not ada.draw("Liver", HERS), "nothing is drawn meanwhile"
    ada.runner.finish()
    assert ada.voxels() == {"Liver": FIRST.size + FURTHER.size}
    assert len(ada.case.history.names) == 3
    assert ada.case.editable
    assert ada.draw("Spleen", Box((7, 12, 12), (9, 16, 18)))
    assert ada.project.journal.flush()
    assert ada.project.verify().problems == ()
    state = ada.project.cases()[0].of("Ada")
    assert state is not None
    assert state.gestures == 5
    kept = ada.project.load_reading(state.reading_id, beside=True).labels.segmentation
    assert {s.name: kept.count(s) for s in kept.segments} == ada.voxels()


def test_what_came_is_told_copy_by_copy(ada: Desk, copies: tuple[Path, Path]) -> None:
    assert ada.merge(*copies)
    ada.runner.finish()
    of_ada, of_grace = ada.workspace.worklist.merging.results
    assert joined(of_ada).startswith("Joined: 1 reading that goes on further, 1 gesture")
    assert joined(of_grace).startswith("Joined: 1 reading that goes on further, 2 gestures")
    assert any(line == "2 copies were merged; 3 gestures came." for line in ada.told)
    assert ada.workspace.worklist.merging.chosen == ()
    (row,) = ada.workspace.worklist.rows
    assert [one.gestures for one in row.readings] == [3, 2]


def test_where_both_went_on_both_stay_and_it_is_said(ada: Desk, copies: tuple[Path, Path]) -> None:
    assert ada.draw("Liver", HERS)
    before = ada.voxels()
    assert ada.merge(copies[0])
    ada.runner.finish()
    (merged,) = ada.workspace.worklist.merging.results
    assert len(beside(merged)) == 1
    assert "kept beside" in beside(merged)[0]
    assert to_know(merged) == []
    assert any("1 thing stays side by side" in line for line in ada.told)
    assert ada.voxels() == before, "one's own are still on the picture"
    assert ada.case.editable


def test_a_copy_that_is_none_is_told_and_the_next_one_is_merged_all_the_same(
    ada: Desk, copies: tuple[Path, Path], tmp_path: Path
) -> None:
    with Project.create(tmp_path / "other.medview", "Other"):
        pass
    assert ada.merge(tmp_path / "other.medview", copies[1])
    ada.runner.finish()
    none, grace = ada.workspace.worklist.merging.results
    assert none.report is None
    assert "is another project" in joined(none)
    assert grace.report is not None
    assert grace.report.gestures == 2
    assert ada.workspace.worklist.merging.chosen == (tmp_path / "other.medview",)
    assert any("is another project" in line for line in ada.told)


def test_what_cannot_be_merged_now_says_why(ada: Desk, copies: tuple[Path, Path], base: Path, tmp_path: Path) -> None:
    merging = ada.workspace.worklist.merging
    assert not merging.add(tmp_path / "images")
    assert "is no project" in merging.problem
    assert not merging.add(base)
    assert "this very project" in merging.problem
    assert not merging.begin()
    gesture = ada.case.gesture("brush")
    assert not ada.merge(copies[0])
    assert "being changed right now" in merging.problem
    gesture.abort()
    assert merging.begin()


def test_cancelled_it_leaves_the_project_as_it_was_and_labels_free(ada: Desk, copies: tuple[Path, Path]) -> None:
    assert ada.merge(copies[1])
    merging = ada.workspace.worklist.merging
    assert merging.working
    merging.cancel()
    ada.runner.finish()
    assert not merging.working
    assert ada.case.editable
    assert ada.told[-1] == "Nothing was merged."
    assert merging.chosen == (copies[1],)


def test_a_case_opened_meanwhile_waits_too(ada: Desk, copies: tuple[Path, Path], tmp_path: Path) -> None:
    ada.workspace.close_case(ada.case.key)
    assert ada.merge(copies[0])
    open_series(ada.workspace, *scanned(tmp_path / "images" / "s1"))
    ada.runner.finish("OpenSeries")
    assert not ada.case.editable
    ada.runner.finish()
    assert ada.case.editable
    assert ada.voxels() == {"Liver": FIRST.size + FURTHER.size}


def test_the_journal_takes_no_gesture_in_while_rows_of_a_copy_are_added(ada: Desk, copies: tuple[Path, Path]) -> None:
    reading = ada.case.reading_id
    assert reading is not None
    seen: list[str] = []

    def progress(_fraction: float) -> None:
        with pytest.raises(StoreError) as refused:
            ada.project.journal.append(reading, None)  # type: ignore[arg-type]
        seen.append(refused.value.sentence)

    ada.project.merge(copies[0], progress)
    assert set(seen) == {"Copies of the project are being merged; labels can be changed again once that is done."}


def test_what_the_copy_decided_about_labels_is_known_at_once(ada: Desk, copies: tuple[Path, Path]) -> None:
    assert ada.workspace.forms.label_set.entries == ()
    with Project.open(copies[1], reader="Grace") as project:
        project.label_set.keep(text_of_label_set(LabelSet("Organs", (LabelEntry("Liver"),))))
    assert ada.merge(copies[1])
    ada.runner.finish()
    assert [entry.name for entry in ada.workspace.forms.label_set.entries] == ["Liver"]
