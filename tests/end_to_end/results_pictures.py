"""Pictures of seeing results: ``python -m tests.end_to_end.results_pictures DIR``.

The demo study with what the demo models propose: taken over in part, compared with what is drawn, and what correcting took.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication, QToolButton

from medview.core.plane import Plane
from medview.core.segmentation import SegmentStatus
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations import segments as ops
from medview.workspace.operations.predict import run_model
from medview.workspace.operations.probability import show_probability
from medview.workspace.pointer import Button, Pointer
from medview.workspace.tool_actions import set_mode, set_tool
from medview.workspace.view_state import Mode, Tool

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.end_to_end.segments_pictures import draw_ball, open_demo, shoot_dialog, shoot_popup


def _stroke(
    hands: Hands, case: OpenCase, start_kji: tuple[float, float, float], end_kji: tuple[float, float, float]
) -> None:
    """Drag the tool over the axial picture."""
    layout, geometry = case.slice_plane(Plane.AXIAL), case.volume.geometry
    at = case.position_on(layout)
    places = []
    for n in range(9):
        index = tuple(a + (b - a) * n / 8 for a, b in zip(start_kji, end_kji, strict=True))
        _, row, column = layout.screen(geometry, index)
        places.append(Pointer(layout, at, row, column, column * 4, row * 4, 0.2, Button.LEFT))
    hands.press(places[0])
    for place in places[1:]:
        hands.move(place)
    hands.release(places[-1])


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        case = open_demo(studio, home)
        run_model(workspace, workspace.services.registry.get("phantom-organs-nodules"))
        studio.wait(lambda: case.labels.proposals, "the proposal", 900.0)
        proposal = next(p for p in case.labels.proposals.values() if p.prediction.mask is not None)
        mask = proposal.prediction.mask
        assert mask is not None
        set_mode(workspace, Mode.ANNOTATE)
        first = mask.segments[0]
        case.view.crosshair_kji = tuple((a + b) // 2 for a, b in zip(mask.box.min_kji, mask.box.max_kji, strict=True))  # type: ignore[assignment]
        k, j, i = case.view.crosshair_kji
        set_tool(workspace, Tool.ACCEPT_BRUSH)
        workspace.bench.set_radius(14.0)
        hands = window.hands
        _stroke(hands, case, (k, j - 60, i - 90), (k, j + 30, i - 60))
        window.side.show_part("proposals")
        for size, name in ((SMALL, "brush-dark"), (LARGE, "brush-dark-large")):
            studio.shoot(name, size)
        studio.shoot("brush-light", SMALL, "light")
        more = window.side.proposals.findChild(QToolButton, f"more {first.name}")
        assert more is not None
        more.menu().popup(more.mapToGlobal(more.rect().bottomLeft()))
        shoot_popup(folder, "more-menu")
        # What was drawn by hand beside what is proposed.
        mine = case.labels.segmentation.segments[0]
        draw_ball(case, mine.segment_id, (k, j, i - 70), 42.0)
        workspace.differences.open(proposal.proposal_id, first.value)
        studio.wait(lambda: workspace.bench.review.difference.found is not None, "the difference")
        workspace.differences.go(1)
        window.side.show_part("proposals")
        for size, name in ((SMALL, "difference-dark"), (LARGE, "difference-dark-large")):
            studio.shoot(name, size)
        for size, name in ((SMALL, "difference-light"), (LARGE, "difference-light-large")):
            studio.shoot(name, size, "light")
        workspace.differences.close()
        show_probability(workspace, proposal.proposal_id, first.value)
        studio.wait(lambda: case.view.heat is not None, "the probability", 900.0)
        studio.shoot("probability-dark", SMALL)
        studio.shoot("probability-light-large", LARGE, "light")
        case.view.heat = None
        labels.accept(case, proposal.proposal_id)
        studio.wait(lambda: case.pouring is None, "the acceptance")
        ops.set_status(case, [s.segment_id for s in case.labels.segmentation.segments], SegmentStatus.DONE)
        studio.wait(lambda: bool(workspace.efforts.models) and workspace.efforts.models[0].measured > 0, "the effort")
        window.efforts.show_table()
        studio.wait(lambda: not studio.program.threads.jobs, "the table")
        shoot_dialog(folder, "effort-table")
        window.side.show_part("models")
        studio.shoot("effort-card", SMALL)
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
