"""Pictures of boxes, scores and heat maps: ``python -m tests.end_to_end.finds_pictures DIR``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication

from medview.core.job import Inline
from medview.core.prediction import Prediction, Proposal
from medview.core.scores import ScoreRule, SliceScores
from medview.core.source import Source, SourceKind
from medview.gui.parts.box_list import BoxList
from medview.gui.parts.score_view import ScoreView
from medview.workspace.actions import action
from medview.workspace.demo import make_demo
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.labels import propose, reject
from medview.workspace.operations.predict import run_model
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home


def open_demo(studio: Studio, home: Path) -> OpenCase:
    """Open a series of the demo patient and return its case."""
    window, workspace = studio.window, studio.program.workspace
    place = make_demo(home / "demo", Inline())
    window.files.open(next(p for p in sorted(place.rglob("*")) if p.is_dir() and any(p.glob("*.dcm"))))
    studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the series")
    case = workspace.active
    assert case is not None
    for name in ("window", "measurements", "models", "check", "planes", "fusion"):
        window.side.sections[name].set_open(open_=False)
    return case


def run_pack(studio: Studio, case: OpenCase, name: str) -> Proposal:
    """Run a bundled model and return what it proposes."""
    workspace = studio.program.workspace
    run_model(workspace, workspace.services.registry.get(name))
    studio.wait(lambda: any(p.model_id == name for p in case.labels.proposals.values()), name)
    return next(p for p in case.labels.proposals.values() if p.model_id == name)


def of_slices(case: OpenCase) -> Proposal:
    """Scores of slices, as a model of slices gives them."""
    count = case.volume.geometry.shape_kji[0]
    at = np.arange(count) / count
    curve = 0.06 + 0.86 * np.exp(-(((at - 0.62) / 0.09) ** 2)) + 0.35 * np.exp(-(((at - 0.25) / 0.05) ** 2))
    curve += np.random.default_rng(2).normal(0, 0.015, count)
    rule = ScoreRule("slice", 0.6, (0.4, 0.7))
    slices = SliceScores(0, {"Nodule": curve.clip(0, 1).astype(np.float32), "Effusion": (0.12 + 0 * at).astype(np.float32)})
    source = Source(SourceKind.MODEL, "slices", "1.0.0", "ab" * 32, "job-slices")
    scores = {"Nodule": float(curve.max()), "Effusion": 0.12, "Consolidation": 0.55}
    prediction = Prediction("classification", "Chest findings", source, case.volume.geometry, scores=scores)
    return Proposal("slices", replace(prediction, score_rule=rule, slice_scores=slices))


def look_at_hottest(case: OpenCase) -> None:
    """Go to the hottest place of the heat map."""
    heat = case.view.heat
    assert heat is not None
    at = np.unravel_index(int(heat.levels.argmax()), heat.levels.shape)
    geometry = case.volume.geometry
    case.view.look_at(geometry.index_kji(heat.geometry.point_lps_mm(at)), geometry.shape_kji)


def clear(studio: Studio, case: OpenCase) -> None:
    """Take everything away again."""
    for one in list(case.labels.proposals):
        reject(case, one)
    action("heat.remove").run(studio.program.workspace)


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window = studio.window
        case = open_demo(studio, home)
        run_pack(studio, case, "phantom-nodule-boxes")
        (boxes,) = window.side.proposals.findChildren(BoxList)
        boxes.slider.setValue(40)
        boxes.list.setCurrentItem(boxes.list.topLevelItem(0))
        shoot(studio, "boxes")
        set_tool(studio.program.workspace, Tool.BOX_3D)
        shoot(studio, "box-handles")
        set_tool(studio.program.workspace, Tool.CROSSHAIR)
        boxes.explained.emit(boxes.chosen, "gradcam")
        studio.wait(lambda: case.view.heat is not None, "the heat map of the box")
        shoot(studio, "box-explained")
        clear(studio, case)
        run_pack(studio, case, "phantom-nodule-present")
        (scores,) = window.side.proposals.findChildren(ScoreView)
        scores.explained.emit("Nodule present", "gradcam")
        studio.wait(lambda: case.view.heat is not None, "the heat map of the score")
        look_at_hottest(case)
        shoot(studio, "score-explained")
        clear(studio, case)
        propose(case, of_slices(case))
        case.view.set_slice(0, int(case.volume.geometry.shape_kji[0] * 0.62))
        shoot(studio, "slices")
        window.close()


def shoot(studio: Studio, name: str) -> None:
    """Take a picture in both sizes and themes."""
    for size, suffix in ((SMALL, ""), (LARGE, "-large")):
        for theme in ("dark", "light"):
            studio.shoot(f"{name}-{theme}{suffix}", size, theme)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
