"""Labels out of and into the active case, and models into MedView."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medview.core.box import Box
from medview.core.changes import Change, SegmentChange
from medview.core.errors import GeometryError, MedViewError
from medview.core.job import JobContext
from medview.core.label_patch import PIECE_KJI, LabelPatch
from medview.core.language import _, in_language
from medview.core.pixel_hash import pixels_sha256
from medview.core.segmentation import VALUES_PER_LAYER, Segment, Segmentation
from medview.core.source import Source, SourceKind
from medview.core.study import Frame
from medview.core.volume import Volume
from medview.edit.segments import new_segment
from medview.io.dicom.rtstruct_writer import write_rtstruct
from medview.io.dicom.seg import write_seg
from medview.io.label_files import ImportedLabels, read_labels
from medview.io.placed import unplaced_note
from medview.io.reader_pool import Pool
from medview.ml.download import Address
from medview.ml.packs import ModelPack
from medview.ml.registry import Registry
from medview.workspace.events import Severity
from medview.workspace.exports import refuse_sources, write_named_map
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.models import add_model as install_model
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.writing import Written, noted, reader_of, written
from medview.workspace.requests import LabelsCopy
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ExportSeg:
    """Request: labels as a DICOM SEG on the instances they were drawn on."""

    path: Path
    labels: LabelsCopy
    source: tuple[Path, ...]
    volume: Volume
    damaged: tuple[int, ...] = ()
    reader: str = ""

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Writing the DICOM SEG")

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, context: JobContext) -> Written:
        """Write the file."""
        pixels = pixels_sha256(self.volume, self.damaged)
        notes = write_seg(
            self.path,
            self.labels.segmentation,
            self.source,
            instances=self.volume.sop_instance_uids,
            pixels_sha256=pixels,
            creator=self.reader,
        )
        return Written(self.path, notes)


@dataclass(frozen=True, slots=True)
class ExportRtstruct:
    """Request: labels as contours in a DICOM RTSTRUCT on the instances they were drawn on."""

    path: Path
    labels: LabelsCopy
    frames: tuple[Frame, ...]
    volume: Volume
    damaged: tuple[int, ...] = ()
    reader: str = ""

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Writing the DICOM RTSTRUCT")

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, context: JobContext) -> Written:
        """Write the file."""
        pixels = pixels_sha256(self.volume, self.damaged)
        segmentation = self.labels.segmentation
        notes = write_rtstruct(
            self.path, segmentation, self.frames, interpreter=self.reader, pixels_sha256=pixels, context=context
        )
        return Written(self.path, notes)


@dataclass(frozen=True, slots=True)
class ExportNifti:
    """Request: labels as one NIfTI label map."""

    path: Path
    labels: LabelsCopy
    volume: Volume
    damaged: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Writing the NIfTI label map")

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, context: JobContext) -> Written:
        """Write the file. Raises WriteError when segments overlap."""
        write_named_map(self.path, self.labels.segmentation, pixels_sha256(self.volume, self.damaged))
        return Written(self.path, tuple(filter(None, [unplaced_note(self.volume.geometry, self.path.name)])))


@dataclass(frozen=True, slots=True)
class ImportFile:
    """Request: labels from a file, on the grid of a volume."""

    path: Path
    volume: Volume
    pool: Pool

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading labels from {name}").format(name=self.path.name)

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, context: JobContext) -> ImportedLabels:
        """Read in a reader process. Raises ReadError or GeometryError when the labels belong to another series."""
        return read_labels(self.path, self.volume, self.pool)


@dataclass(frozen=True, slots=True)
class AddModel:
    """Request: install a pack, from a web address too, or convert foreign weights and install what comes out."""

    source: Path | Address
    registry: Registry

    @property
    def title(self) -> str:
        """What the person reads."""
        name = self.source.file_name if isinstance(self.source, Address) else self.source.name
        return _("Adding {name}").format(name=name)

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, context: JobContext) -> ModelPack:
        """Install; foreign weights are opened in a child process only."""
        return install_model(self.source, self.registry, context)


def export_seg(workspace: Workspace, path: Path) -> Job | None:
    """Write the labels of the active case as a DICOM SEG."""
    case = exportable(workspace)
    if case is None:
        return None
    if not case.entry.dicom_paths:
        workspace.say(_("A DICOM SEG needs a DICOM series; export NIfTI instead."), Severity.WARNING)
        return None
    source = tuple(Path(path) for path in case.entry.dicom_paths)
    if not may_write(workspace, case, path):
        return None
    workspace.efforts.note(case)
    labels, anchor, reader = LabelsCopy.of(case.labels.segmentation), case.anchor, reader_of(workspace, case)
    request = ExportSeg(path, labels, source, anchor.volume, anchor.load.damaged, reader)
    return workspace.runner.submit(noted(workspace, case, request, "seg"), written(workspace))


def export_rtstruct(workspace: Workspace, path: Path) -> Job | None:
    """Write the labels of the active case as a DICOM RTSTRUCT."""
    case = exportable(workspace)
    if case is None:
        return None
    if not case.entry.dicom_paths:
        workspace.say(_("A DICOM RTSTRUCT needs a DICOM series; export NIfTI instead."), Severity.WARNING)
        return None
    if not may_write(workspace, case, path):
        return None
    workspace.efforts.note(case)
    labels, anchor, reader = LabelsCopy.of(case.labels.segmentation), case.anchor, reader_of(workspace, case)
    request = ExportRtstruct(path, labels, case.entry.frames, anchor.volume, anchor.load.damaged, reader)
    return workspace.runner.submit(noted(workspace, case, request, "rtstruct"), written(workspace))


def export_nifti(workspace: Workspace, path: Path) -> Job | None:
    """Write the labels of the active case as a NIfTI label map."""
    case = exportable(workspace)
    if case is None:
        return None
    if not may_write(workspace, case, path):
        return None
    workspace.efforts.note(case)
    request = ExportNifti(path, LabelsCopy.of(case.labels.segmentation), case.anchor.volume, case.anchor.load.damaged)
    return workspace.runner.submit(noted(workspace, case, request, "nifti"), written(workspace))


def import_labels(
    workspace: Workspace,
    path: Path,
    refused: Callable[[MedViewError], object] | None = None,
    doubtful: Callable[[ImportedLabels], bool] = lambda _labels: False,
) -> Job | None:
    """Read labels from a SEG, RTSTRUCT, NIfTI or NRRD into new segments of the active case.

    Parameters
    ----------
    refused : callable, optional
        Told why nothing was read; the workspace reports it unless given.
    doubtful : callable, optional
        Given what was read; says whether somebody is asked before it is taken in.
    """
    case = workspace.active
    if case is None or case.read_only or not case.ready:
        problem = (case.read_only or _("The series is still being read; import when it is complete.")) if case else ""
        workspace.say(problem or _("Open the series first that the labels belong to."), Severity.WARNING)
        return None

    def done(value: object) -> None:
        if isinstance(value, ImportedLabels) and workspace.cases.get(case.key) is case and not doubtful(value):
            case.after_gesture(lambda: take_in(workspace, case, value, path.name))

    def failed(error: MedViewError) -> None:
        (refused or workspace.report)(error)

    request = ImportFile(path, case.anchor.volume, workspace.services.pool)
    return workspace.runner.submit(request, Outcome(done, failed=failed))


def take_in(workspace: Workspace, case: OpenCase, imported: ImportedLabels, name: str) -> None:
    """Add imported labels to a case and say so, or why they were not; between gestures only."""
    if not case.editable:
        workspace.say(
            _("{name} was not taken in: {read_only}").format(
                name=name, read_only=in_language(case.read_only) or "the labels cannot be changed now."
            ),
            Severity.WARNING,
        )
        return
    count = add_imported(case, imported, name)
    text = " ".join(
        (_("{count} segments read from {name}.").format(count=count, name=name), *map(in_language, imported.notes))
    )
    # What was left out must not fade away unread.
    severity = Severity.WARNING if imported.left_out else Severity.INFO
    workspace.say(text, severity, undo=workspace.active is case)


def add_imported(case: OpenCase, imported: ImportedLabels, name: str) -> int:
    """Add imported segments in layers of their own, as one command; return how many.

    Raises
    ------
    GeometryError
        When they are not on the grid of the case.
    """
    segmentation = case.labels.segmentation
    if not imported.geometry.same_grid(segmentation.geometry):
        raise GeometryError(f"{name} was made on another grid; open the series it was made on.")

    def changes() -> Iterator[Change | None]:
        yield from imported_changes(segmentation, imported)
        if imported.segments and case.active_segment is None:
            case.view.active_segment_id = segmentation.segments[0].segment_id

    case.pour(f"Import {name}", "import", changes())
    return len(imported.segments)


def imported_changes(segmentation: Segmentation, imported: ImportedLabels) -> Iterator[Change | None]:
    """Yield the changes that add imported segments in layers of their own; each is to be applied before the next."""
    occupied = (n for n, layer in segmentation.layers.items() if layer.index.occupied is not None)
    free = max(occupied, default=-1) + 1
    for layer_id, voxels in sorted(imported.layers.items()):
        lookup = np.zeros(256, dtype=np.uint8)
        own = [segment for segment in imported.segments if segment.layer_id == layer_id]
        # Segments that hold nothing yet have their values in a layer as well.
        while sum(one.layer_id == free for one in segmentation.segments) + len(own) > VALUES_PER_LAYER:
            free += 1
        for segment in own:
            fresh = _fresh(segmentation, segment, free)
            lookup[segment.value] = fresh.value
            yield SegmentChange(None, fresh, len(segmentation.segments))
        layer = segmentation.layer(free)
        free += 1
        for box in Box.whole(segmentation.geometry.shape_kji).pieces(PIECE_KJI):
            part = voxels[box.slices]
            yield LabelPatch.between(layer, box, lookup[part]) if part.any() else None


def add_model(workspace: Workspace, source: Path | Address) -> Job:
    """Install a model pack or foreign weights from a file or folder, or a pack from a web address."""

    def done(value: object) -> None:
        if isinstance(value, ModelPack):
            spec = value.spec
            text = _("{name} {version} is installed. Licence: {licence}.")
            workspace.say(text.format(name=spec.name, version=spec.version, licence=spec.licence))
            workspace.models_changed.emit()

    request = AddModel(source, workspace.services.registry)
    return workspace.runner.submit(request, Outcome(done, failed=workspace.report))


def remove_model(workspace: Workspace, name: str) -> None:
    """Remove an added pack."""
    try:
        workspace.services.registry.remove(name)
    except MedViewError as error:
        workspace.say(error.sentence, Severity.ERROR)
    workspace.models_changed.emit()


def exportable(workspace: Workspace) -> OpenCase | None:
    """Return the active case when it has segments and is read to its end; says why not otherwise."""
    case = workspace.active
    if case is None or not case.labels.segmentation.segments:
        workspace.say(_("There are no segments to export yet; draw one or accept a proposal first."), Severity.WARNING)
        return None
    if not case.ready:
        workspace.say(_("The series is still being read; export when it is complete."), Severity.WARNING)
        return None
    case.settle()
    return case


def may_write(workspace: Workspace, case: OpenCase, path: Path) -> bool:
    """Whether a file may be written there: never over an image of the series; says why not."""
    try:
        refuse_sources(path, (frame.path for frame in case.entry.frames))
    except MedViewError as error:
        workspace.report(error)
        return False
    return True


def _fresh(segmentation: Segmentation, imported: Segment, layer_id: int) -> Segment:
    source = imported.source if imported.source.kind is not SourceKind.HAND else Source(SourceKind.IMPORT)
    fresh = new_segment(
        segmentation, imported.name, colour=imported.colour, code=imported.code, source=source, layer_id=layer_id
    )
    return replace(fresh, group=imported.group, role=imported.role, absent=imported.absent, status=imported.status)
