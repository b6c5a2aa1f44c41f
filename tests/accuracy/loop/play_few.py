"""Few patients: going on from a model beside beginning from nothing, and the rungs of the ladder beside each other."""

from __future__ import annotations

from typing import Any

from medview.ml.lineage.rung import Rung
from tests.accuracy.loop.learning import Lesson
from tests.accuracy.loop.scene import Scene

Document = dict[str, Any]

TUNED, SCRATCH, PARENT = "tuned", "scratch", "parent"


def play_few_steps(scene: Scene) -> Document:
    """Train on few patients, from the parent and from nothing, in as many steps.

    Returns
    -------
    dict
        ``parent`` and, by number of patients, ``tuned`` and ``scratch``.
    """
    return _few(scene, steps=scene.sizes.few_steps, minutes=None)


def play_few_minutes(scene: Scene) -> Document:
    """As ``play_few_steps``, in as much time; how many steps that is hangs on the computer."""
    return _few(scene, steps=None, minutes=scene.sizes.few_minutes)


def _few(scene: Scene, steps: int | None, minutes: float | None) -> Document:
    parent = scene.parent()
    found: Document = {PARENT: parent.document()}
    for count in scene.sizes.few:
        project, dataset = scene.few(count)
        found[str(count)] = {
            name: scene.learn(
                project,
                Lesson(f"{name}-{count}", steps, minutes, parent.pack if name == TUNED else None),
                source=dataset,
            ).document()
            for name in (SCRATCH, TUNED)
        }
    return found


def play_ladder(scene: Scene) -> Document:
    """Go on from the parent on every rung, at several numbers of patients.

    Returns
    -------
    dict
        ``parent`` and, by number of patients, what each rung came to.
    """
    parent = scene.parent()
    found: Document = {PARENT: parent.document()}
    for count in scene.sizes.ladder:
        project, dataset = scene.few(count)
        rungs: Document = {}
        for rung in Rung:
            lesson = Lesson(f"{rung.value}-{count}", scene.sizes.few_steps, parent=parent.pack, tune=rung.value)
            rungs[rung.value] = scene.learn(project, lesson, source=dataset).document()
        found[str(count)] = rungs
    return found
