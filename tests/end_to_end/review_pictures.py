"""Pictures of several readers of a case: ``python -m tests.end_to_end.review_pictures DIR``.

Ada and Grace have drawn the liver of the demo patient, not alike; Eve looks at both, sends one back, and makes a consensus.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication

from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import Command, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.reading_status import ReadingStatus, Role
from medview.core.segmentation import Segment
from medview.edit.copied import copied
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.workspace.actions import action
from medview.workspace.keeping import load_stored
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations.project import go_on_in

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.end_to_end.segments_pictures import open_demo


def drawn_by(case: OpenCase, balls: list[tuple[str, tuple[int, int, int], float]]) -> CaseLabels:
    """Return labels with a ball for each name."""
    geometry = case.volume.geometry
    found = CaseLabels.empty(geometry)
    colours = ((86, 180, 233), (230, 159, 0))
    for number, (name, centre_kji, radius_mm) in enumerate(balls):
        reach = [int(np.ceil(radius_mm / d)) + 1 for d in geometry.spacing_kji_mm]
        k, j, i = centre_kji
        box = Box((k - reach[0], j - reach[1], i - reach[2]), (k + reach[0], j + reach[1], i + reach[2]))
        box = box.clipped(geometry.shape_kji)
        index = np.stack(np.indices(box.shape_kji), axis=-1) + np.asarray(box.min_kji)
        away = np.linalg.norm(geometry.point_lps_mm(index) - geometry.point_lps_mm(centre_kji), axis=-1)
        now = found.segmentation.layer(0).voxels[box.slices]
        held = np.where((away <= radius_mm) & (now == 0), np.uint8(number + 1), now)
        segment = Segment(f"s{number}", name, colours[number], 0, number + 1)
        found.apply([SegmentChange(None, segment, number)])
        found.apply(LabelPatch.pieces(found.segmentation.layer(0), box, held))
    return found


def label_as(path: Path, reader: str, case: OpenCase, drawn: CaseLabels) -> None:
    """Put labels into a project as a reader's, who is done."""
    with Project.open(path, reader=reader) if path.exists() else Project.create(path, reader=reader) as project:
        stored = load_stored(project, case.series, case.entry, case.volume)
        assert stored.reading_id is not None
        command = Command("Draw", tuple(copied(drawn)), "brush")
        project.journal.append(stored.reading_id, Entry(EntryKind.DO, command))
        project.journal.flush()
        project.set_status(stored.reading_id, ReadingStatus.DONE)
        project.add_time(stored.reading_id, 760 if reader == "Ada" else 1130)


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        case = open_demo(studio, home)
        k, j, i = (n // 2 for n in case.volume.geometry.shape_kji)
        case.view.crosshair_kji = (k, j, i - 60)
        path = home / "study.medview"
        label_as(
            path, "Ada", case, drawn_by(case, [("Liver", (k, j, i - 60), 46.0), ("Lesion", (k, j - 60, i + 60), 14.0)])
        )
        label_as(path, "Grace", case, drawn_by(case, [("Liver", (k + 1, j + 14, i - 50), 44.0)]))
        personal = workspace.services.project
        project = Project.open(path, reader="Eve")
        go_on_in(workspace, project)
        if personal is not None:
            personal.close()
        reviewing = workspace.reviewing
        studio.wait(lambda: reviewing.wanted, "the readings")
        studio.shoot("own-dark", SMALL)
        ada, grace = (next(one for one in reviewing.state.readings if one.reader == name) for name in ("Ada", "Grace"))  # type: ignore[union-attr]
        reviewing.look_at(ada.reading_id)
        studio.wait(lambda: reviewing.shown is not None and reviewing.shown.reader == "Ada", "Ada's labels")
        window.side.show_part("review")
        studio.shoot("ada-dark", SMALL)
        studio.shoot("ada-light-large", LARGE, "light")
        window.side.review.comment.setText("The dome is missing; please add the two slices above.")
        window.side.review.back.click()
        studio.wait(lambda: reviewing.state is not None and reviewing.state.comments, "the comment")
        reviewing.look_at(grace.reading_id)
        studio.wait(lambda: reviewing.shown is not None and reviewing.shown.reader == "Grace", "Grace's labels")
        studio.shoot("grace-after-comment-dark", SMALL)
        reviewing.edit()
        studio.wait(lambda: reviewing.shown is not None and reviewing.shown.role is Role.REVIEW, "the review")
        studio.wait(lambda: window.side.review.as_corrected.isVisible(), "its button")
        studio.shoot("edit-dark", SMALL)
        studio.shoot("edit-light-large", LARGE, "light")
        window.side.review.as_corrected.click()
        studio.wait(lambda: reviewing.shown is not None and reviewing.shown.status is ReadingStatus.APPROVED, "approval")
        studio.shoot("edit-approved-dark", SMALL)
        action("review.consensus").run(workspace)
        studio.wait(lambda: len(case.labels.proposals) >= 2, "the proposals")
        studio.wait(lambda: reviewing.shown is not None and reviewing.shown.role is Role.CONSENSUS, "the consensus")
        action("review.majority").run(workspace)
        studio.wait(lambda: len(case.labels.proposals) >= 3, "the majority")
        window.side.show_part("review")
        for size, name, theme in (
            (SMALL, "consensus-dark", "dark"),
            (LARGE, "consensus-dark-large", "dark"),
            (SMALL, "consensus-light", "light"),
        ):
            studio.shoot(name, size, theme)
        labels.accept_and_say(workspace, case, next(iter(case.labels.proposals)), None, "Accepted.")
        studio.wait(lambda: bool(case.labels.segmentation.segments) and case.pouring is None, "what was accepted")
        # As if Grace had gone on in a copy that was merged.
        further = SegmentChange(None, Segment("s9", "Vessel", (0, 158, 115), 0, 9), 0)
        project.journal.append(grace.reading_id, Entry(EntryKind.DO, Command("Add Vessel", (further,), "segments")))
        reviewing.refresh()
        studio.wait(lambda: reviewing.state is not None and reviewing.state.gone_on, "who went on")
        studio.shoot("consensus-older-dark", SMALL)
        studio.shoot("consensus-older-light-large", LARGE, "light")
        action("review.side_by_side").run(workspace)
        studio.wait(lambda: len(workspace.cases) == 3, "the readers")
        studio.shoot("beside-dark", SMALL)
        studio.shoot("beside-light-large", LARGE, "light")
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
