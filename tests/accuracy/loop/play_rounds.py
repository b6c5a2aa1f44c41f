"""The loop: cases are corrected, the model trained on and compared with the one that counts, and again with what counts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from medview.store.project import Project
from medview.workspace.model_line import ModelLines
from tests.accuracy.loop.learning import Learnt, Lesson
from tests.accuracy.loop.scene import Scene
from tests.accuracy.loop.wanted_effort import wanted_effort

Document = dict[str, Any]

LINE = "segmentation"


def play_rounds(scene: Scene) -> Document:
    """Go through the rounds.

    Returns
    -------
    dict
        ``rounds``: for each, from 0 (the model it begins with) on, what the training came to, and ``effort``: the work on
        the cases of the round, and ``first``, what the first model would have taken on the same cases.
    """
    sizes, first = scene.sizes, scene.parent()
    project = scene.copy_of_parent()
    numbers = scene.numbers(project)
    rounds: list[Document] = [{**first.document(), "counts": "v1"}]
    counting = first.pack
    for number in range(1, sizes.rounds + 1):
        begin = sizes.parent + (number - 1) * sizes.per_round
        cases = [numbers[name] for name in scene.order[begin : begin + sizes.per_round]]
        effort = scene.annotate(project, dict.fromkeys(cases), counting)
        whole = scene.once(f"wanted-{number}", partial(_wanted, scene, project, cases, first.pack))
        learnt = scene.learn(project, Lesson(f"round-{number}", sizes.round_steps, parent=counting))
        # Once: whoever goes on later finds the project further than here.
        counts = scene.once(f"counts-{number}", partial(counting_version, project, learnt))
        counting = project / counts["pack"]
        rounds.append(
            {
                **learnt.document(),
                "cases": sizes.parent + number * sizes.per_round,
                "effort": list(effort.values()),
                "first": whole["cases"],
                "counts": counts["version"],
            }
        )
    return {"rounds": rounds}


def play_no_new_cases(scene: Scene) -> Document:
    """Train the first model on in as many steps as the rounds have together, on nothing but its own cases.

    Returns
    -------
    dict
        ``parent`` and ``after``.
    """
    parent, sizes = scene.parent(), scene.sizes
    lesson = Lesson("no-new-cases", sizes.rounds * sizes.round_steps, parent=parent.pack)
    after = scene.learn(parent.project, lesson, source=scene.dataset(parent.project))
    return {"parent": parent.document(), "after": after.document()}


def _wanted(scene: Scene, project: Path, cases: list[int], pack: Path) -> Document:
    return {"cases": wanted_effort(scene, project, cases, pack)}


def counting_version(project: Path, learnt: Learnt) -> Document:
    """Return which version counts in a project after a training, as its model line says: ``version`` and ``pack``.

    Raises
    ------
    LookupError
        When the gate gave no verdict, or what counts in the project is not what the verdict says.
    """
    verdict = None if learnt.gate is None else learnt.gate["verdict"]
    with Project.open(project, read_only=True) as opened:
        lines = ModelLines(opened)
        current, versions = lines.current(LINE), lines.versions(LINE)
    if verdict is None or current is None or current.folder is None:
        raise LookupError(f"nothing counts in {project.name}: the gate says {verdict} of {learnt.run}")
    if (versions[-1].version == current.version) != (verdict in ("first", "promoted")):
        raise LookupError(f"the gate says {verdict} of {learnt.run}, and the model line of {project.name} otherwise")
    return {"version": current.title, "pack": f"models/{current.folder.name}"}
