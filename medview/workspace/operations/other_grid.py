"""Labels that lie on another grid than the active case: shown where they would come down before anybody decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medview.core.errors import MedViewError, OtherGridError
from medview.core.job import JobContext
from medview.core.language import _, in_language
from medview.core.plane import Plane, SlicePlane
from medview.core.voi_table import VoiTransform
from medview.core.volume import Volume
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.label_files import READ_TIMEOUT_S
from medview.io.other_grid import Placing, Way, placings
from medview.io.reader_pool import Pool
from medview.workspace.events import Severity
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.operations.files import take_in
from medview.workspace.rendering import Overlay, RgbImage, render_slice
from medview.workspace.workspace import Workspace

PICTURE_PX = 270
"""Longer side of each picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One way of putting the labels onto the images, and pictures of it, RGB uint8 (rows, columns, 3)."""

    placing: Placing
    pictures: tuple[RgbImage, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Misplaced:
    """What somebody has to decide on.

    Attributes
    ----------
    case_key : str
        The open case that was active.
    name : str
        Of the file.
    why : str
        One sentence: why it was not just taken in.
    other_images : bool
        It fits the grid, and was drawn on other images.
    """

    case_key: str
    name: str
    why: str
    choices: tuple[Choice, ...]
    other_images: bool = False


@dataclass(frozen=True, slots=True)
class PlaceLabels:
    """Request: the ways in which labels of another grid may come down on a volume, with pictures."""

    path: Path
    volume: Volume
    window: VoiTransform
    pool: Pool
    lane: Lane = field(default=Lane.READ)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Looking where {name} lies").format(name=self.path.name)

    def run(self, context: JobContext) -> tuple[Choice, ...]:
        """Read in a reader process, then draw. Raises MedViewError where nothing can be offered."""
        target = Target.of(self.volume)
        found: tuple[Placing, ...] = self.pool.call(placings, str(self.path), target, timeout_s=READ_TIMEOUT_S)
        context.raise_if_cancelled()
        return tuple(Choice(one, pictures_of(self.volume, self.window, one.labels)) for one in found)


def compare_grids(workspace: Workspace, path: Path, error: MedViewError) -> Job | None:
    """Show where labels would come down that were refused for their grid; report any other error as it is."""
    case = workspace.active
    if not isinstance(error, OtherGridError) or case is None or not len(workspace.misplaced):
        workspace.report(error)
        return None
    key = case.key

    def done(value: object) -> None:
        if isinstance(value, tuple) and key in workspace.cases:
            workspace.misplaced.emit(Misplaced(key, path.name, error.sentence, value))

    def failed(_other: MedViewError) -> None:
        workspace.report(error)

    request = PlaceLabels(path, case.anchor.volume, case.view.window, workspace.services.pool)
    return workspace.runner.submit(request, Outcome(done, failed=failed))


@dataclass(frozen=True, slots=True, eq=False)
class DrawPlaced:
    """Request: pictures of labels that lie on a volume by their position alone."""

    labels: ImportedLabels
    volume: Volume
    window: VoiTransform
    title: str = field(default=_("Looking where labels lie"))
    lane: Lane = field(default=Lane.READ)

    def run(self, _context: JobContext) -> tuple[Choice, ...]:
        """Draw."""
        placing = Placing(Way.PLACE, self.labels, 1.0)
        return (Choice(placing, pictures_of(self.volume, self.window, self.labels)),)


def ask_of_other_images(workspace: Workspace, path: Path, labels: ImportedLabels) -> bool:
    """Show labels that were drawn on other images of this frame of reference before they are taken in; False: no need."""
    case = workspace.active
    if not labels.other_images or case is None or not len(workspace.misplaced):
        return False
    key = case.key

    def done(value: object) -> None:
        if isinstance(value, tuple) and key in workspace.cases:
            why = _("{name} was drawn on other images of this patient, and lies here by its position.")
            workspace.misplaced.emit(Misplaced(key, path.name, why.format(name=path.name), value, other_images=True))

    request = DrawPlaced(labels, case.anchor.volume, case.view.window)
    workspace.runner.submit(request, Outcome(done, failed=workspace.report))
    return True


def take_misplaced(workspace: Workspace, found: Misplaced, choice: Choice) -> None:
    """Take labels in the way somebody chose, as new segments in layers of their own."""
    case = workspace.cases.get(found.case_key)
    if case is None:
        text = _("{name} was not taken in: its series is closed.").format(name=in_language(found.name))
        workspace.say(text, Severity.WARNING)
        return
    case.after_gesture(lambda: take_in(workspace, case, choice.placing.labels, found.name))


def pictures_of(volume: Volume, window: VoiTransform, labels: ImportedLabels) -> tuple[RgbImage, ...]:
    """Return the slice with the most labels, lying and standing."""
    drawn = np.zeros(volume.geometry.shape_kji, dtype=bool)
    for layer in labels.layers.values():
        drawn |= layer > 0
    found: list[RgbImage] = []
    for which in (Plane.AXIAL, Plane.CORONAL):
        plane = SlicePlane.of(which, volume.geometry)
        across = tuple(axis for axis in range(3) if axis != plane.normal_axis)
        index = int(drawn.sum(axis=across).argmax())
        overlays = [
            Overlay(plane.extract(labels.layers[one.layer_id], index) == one.value, one.colour) for one in labels.segments
        ]
        picture = render_slice(volume, plane, index, window, overlays, longest_px=PICTURE_PX, letters=True)
        found.append(picture)
    return tuple(found)
