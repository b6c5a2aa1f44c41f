"""Pictures of the segment list: ``python -m tests.end_to_end.segments_pictures DIR``.

One case with five segments in groups, one with 120; the label sets, the table of all segments, and the marks on the panes.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from medview.core.box import Box
from medview.core.changes import Change, Command, MarksChange, SegmentChange
from medview.core.job import Inline
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Segmentation, SegmentStatus
from medview.core.source import Source, SourceKind
from medview.edit.segments import new_segment
from medview.gui.segments.name_edit import NameEdit
from medview.workspace.demo import make_demo
from medview.workspace.label_sets import apply_label_set, label_sets
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import segments as ops
from medview.workspace.view_state import Mode

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home

MODEL = Source(SourceKind.MODEL, "organs", "1.2")


def open_demo(studio: Studio, home: Path) -> OpenCase:
    """Open a series of the demo patient, ready to be labelled."""
    window, workspace = studio.window, studio.program.workspace
    place = make_demo(home / "demo", Inline())
    window.files.open(next(p for p in sorted(place.rglob("*")) if p.is_dir() and any(p.glob("*.dcm"))))
    studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the series")
    workspace.bench.mode = Mode.ANNOTATE
    case = workspace.active
    assert case is not None
    return case


def draw_ball(case: OpenCase, segment_id: str, centre_kji: tuple[int, int, int], radius_mm: float) -> None:
    """Draw a ball where nothing is drawn yet."""
    segment, geometry = case.labels.segmentation.segment(segment_id), case.volume.geometry
    reach = tuple(int(np.ceil(radius_mm / d)) + 1 for d in geometry.spacing_kji_mm)
    low = tuple(c - r for c, r in zip(centre_kji, reach, strict=True))
    high = tuple(c + r + 1 for c, r in zip(centre_kji, reach, strict=True))
    box = Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).clipped(geometry.shape_kji)
    index = np.stack(np.indices(box.shape_kji), axis=-1) + np.asarray(box.min_kji)
    away = np.linalg.norm(geometry.point_lps_mm(index) - geometry.point_lps_mm(centre_kji), axis=-1)
    layer = case.labels.segmentation.layer(segment.layer_id)
    now = layer.voxels[box.slices]
    patch = LabelPatch.between(layer, box, np.where((away <= radius_mm) & (now == 0), np.uint8(segment.value), now))
    if patch is not None:
        case.do(Command(f"Brush {segment.name}", (patch,), "brush"))


def add_segments(case: OpenCase, count: int) -> list[str]:
    """Add so many segments in one command and return their ids."""
    segmentation = case.labels.segmentation
    made = []
    first = len(segmentation.segments)
    stand_in = Segmentation(segmentation.geometry, segments=list(segmentation.segments))
    changes: list[Change] = []
    for n in range(count):
        segment = replace(
            new_segment(stand_in, f"Structure {n + 1}", source=MODEL if n % 3 == 0 else Source()),
            group=("", "Bones", "Vessels", "Organs")[n % 4] if n >= 10 else "",
            status=tuple(SegmentStatus)[n % 4],
            visible=n % 7 != 3,
            locked=n % 5 == 0,
        )
        changes.append(SegmentChange(None, segment, first + n))
        stand_in.segments.append(segment)
        made.append(segment.segment_id)
    case.do(Command("Add segments", tuple(changes), "segments"))
    return made


def mark_done(case: OpenCase, slices: range) -> None:
    """Mark slices done."""
    marks = case.labels.marks
    for index in slices:
        marks = marks.with_slice(index, done=True)
    case.do(Command("Mark slices done", (MarksChange(case.labels.marks, marks),), "marks"))


def shoot_popup(folder: Path, name: str) -> None:
    """Take a picture of the menu or list that is up, then close it."""
    for _ in range(5):
        QApplication.processEvents()
    popup = QApplication.activePopupWidget()
    assert popup is not None
    popup.grab().save(str(folder / f"{name}.png"))
    popup.close()


def shoot_dialog(folder: Path, name: str) -> None:
    """Take a picture of the dialog in front, then close it."""
    dialog = next(w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible())
    for _ in range(5):
        QApplication.processEvents()
    dialog.grab().save(str(folder / f"{name}.png"))
    dialog.close()


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window = studio.window
        case = open_demo(studio, home)
        k, j, i = case.view.crosshair_kji
        for kept in label_sets():
            if kept.label_set.name == "Lesions":
                apply_label_set(case, replace(kept.label_set, entries=kept.label_set.entries[:4]))
        first, second, third, fourth = (s.segment_id for s in case.labels.segmentation.segments)
        draw_ball(case, first, (k, j, i), 22.0)
        draw_ball(case, first, (k + 3, j - 40, i + 60), 9.0)
        draw_ball(case, second, (k, j + 30, i - 60), 12.0)
        draw_ball(case, fourth, (k - 2, j + 20, i + 55), 14.0)
        ops.set_status(case, [first], SegmentStatus.DONE)
        ops.set_status(case, [second], SegmentStatus.FLAGGED)
        ops.set_outline(case, [fourth], outline_only=True)
        ops.set_absent(case, [third], absent=True)
        extra = ops.new_instance(case, second)
        assert extra is not None
        draw_ball(case, extra.segment_id, (k, j - 45, i - 30), 7.0)
        case.view.active_segment_id = first
        mark_done(case, range(k - 14, k + 3))
        window.side.sections["tools"].set_open(open_=False)
        window.side.sections["effects"].set_open(open_=False)
        studio.wait(lambda: len(window.side.lesions.model.components) == 2, "the pieces")
        studio.shoot("segments-dark", SMALL)
        studio.shoot("segments-light", SMALL, "light")
        studio.shoot("segments-dark-large", LARGE, "dark")
        window.side.segments.tree.menu_wanted.emit(window.side.segments.mapToGlobal(QPoint(0, 60)))
        shoot_popup(folder, "segment-menu")
        window.side.segments.tree.begin_rename(second)
        field = window.side.segments.tree.findChild(NameEdit)
        assert field is not None
        QTest.keyClicks(field, "metas")
        shoot_popup(folder, "segment-codes")
        QTest.keyClick(field, Qt.Key.Key_Escape)
        add_segments(case, 115)
        case.view.chosen_segment_ids = tuple(s.segment_id for s in case.labels.segmentation.segments[6:9])
        studio.shoot("segments-120-dark", SMALL)
        studio.shoot("segments-120-light", LARGE, "light")
        window.actions_table.run("labelset.apply")
        shoot_dialog(folder, "label-sets")
        window.actions_table.run("segments.table")
        studio.wait(lambda: not case.figures.measuring and not case.figures.queue, "the figures")
        shoot_dialog(folder, "segment-table")
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
