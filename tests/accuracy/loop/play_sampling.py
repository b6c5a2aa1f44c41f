"""What to label next: slices a model is unsure of beside slices by chance, the same amount of looking for each."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from medview.core.job import Inline
from medview.io.reader_pool import InlinePool
from medview.ml.next_cases.strategy import Strategy
from medview.ml.packs import load_pack
from medview.workspace.next_cases.project_next import NextRun, next_of_project
from tests.accuracy.loop.annotator import Ranges
from tests.accuracy.loop.learning import Lesson
from tests.accuracy.loop.scene import Scene

Document = dict[str, Any]

START = "start"


def play_sampling(scene: Scene) -> Document:
    """Let each strategy choose cases and slices of them, round by round, beginning with the same model of few patients.

    Each model goes on from the one before it, whatever a gate would say: what is compared is what was labelled.

    Returns
    -------
    dict
        ``start``, and by strategy a list of rounds: what the training came to, and ``effort``.
    """
    sizes, order = scene.sizes, scene.order
    wait = order[sizes.start : sizes.start + sizes.sampling_pool]
    begun = scene.project(scene.folder / START, order[: sizes.start], wait)
    start = scene.learn(begun, Lesson(START, sizes.start_steps), source=scene.dataset(begun))
    # What this model is unsure of is worked out here, and copied with the project.
    scene.once(START, partial(_chosen, scene, begun, start.pack, Strategy.UNCERTAINTY, 0))
    found: Document = {START: start.document()}
    for strategy in Strategy:
        project = scene.copy(begun, scene.folder / strategy.value)
        pack, rounds = start.pack, []
        for number in range(1, sizes.sampling_rounds + 1):
            batch = partial(_chosen, scene, project, pack, strategy, number)
            chosen = scene.once(f"{strategy.value}-{number}", batch)
            # Where nothing is known of slices the whole case is looked at.
            cases: dict[int, Ranges | None] = {
                one["case"]: [(part["first"] - 1, part["last"] - 1) for part in one["slices"]] or None
                for one in chosen["cases"]
            }
            effort = scene.annotate(project, cases, pack)
            lesson = Lesson(f"{strategy.value}-{number}", sizes.sampling_steps, parent=pack)
            learnt = scene.learn(project, lesson, source=scene.dataset(project, f"-{number}"))
            rounds.append({**learnt.document(), "effort": list(effort.values())})
            pack = learnt.pack
        found[strategy.value] = rounds
    return found


def _chosen(scene: Scene, project: Path, pack: Path, strategy: Strategy, number: int) -> Document:
    seed = scene.seed * 1000 + number
    run = NextRun(load_pack(pack), project, scene.sizes.per_round, strategy, seed, "cpu")
    return {"cases": next_of_project(run, Inline(), InlinePool())["cases"]}
