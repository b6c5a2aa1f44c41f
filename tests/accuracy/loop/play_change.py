"""A class that is added to a model, and a model that is made worse."""

from __future__ import annotations

from typing import Any

from tests.accuracy.loop.learning import Lesson
from tests.accuracy.loop.scene import Scene

Document = dict[str, Any]


def play_added_class(scene: Scene) -> Document:
    """Train on the first class alone, draw the others in a few of those cases and in the held-out ones, and go on.

    In the other training cases nobody says anything about what was added.

    Returns
    -------
    dict
        ``before`` and ``after``.
    """
    sizes, order = scene.sizes, scene.order
    names, held = order[: sizes.parent], scene.patients.val
    project = scene.project(scene.folder / "project", names, classes=scene.volumes.classes[:1])
    before = scene.learn(project, Lesson("before", sizes.parent_steps))
    numbers = scene.numbers(project)
    drawn = {numbers[name]: None for name in (*names[: sizes.added], *held)}
    scene.annotate(project, drawn, None, again=True)
    after = scene.learn(project, Lesson("after", sizes.added_steps, parent=before.pack))
    return {"before": before.document(), "after": after.document()}


def play_worse(scene: Scene) -> Document:
    """Go on from the parent with a mad rate, and see what the gate says.

    Returns
    -------
    dict
        ``parent`` and ``worse``.
    """
    parent, project = scene.parent(), scene.copy_of_parent()
    lesson = Lesson("worse", scene.sizes.worse_steps, parent=parent.pack, rate=scene.sizes.worse_rate, looks=1)
    return {"parent": parent.document(), "worse": scene.learn(project, lesson).document()}
