"""A thousand attempts to put labels, imports and proposals on pixels they were not made on; none succeeds in silence."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation
from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import ProposalChange, SegmentChange
from medview.core.errors import GeometryError, LabelError, MedViewError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.label_patch import LabelPatch
from medview.core.pixel_hash import pixels_sha256
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.segmentation import Segmentation
from medview.core.source import Source, SourceKind
from medview.core.volume import Volume
from medview.core.window import Window
from medview.io import nifti, nrrd
from medview.io.dicom.seg import write_seg
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.imported_labels import ImportedLabels
from medview.io.label_files import read_labels, write_names
from medview.io.load import load_volume
from medview.io.reader_pool import InlinePool
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.registry import Fit, Registry
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.workspace.jobs import InlineRunner, Job, Outcome, Request
from medview.workspace.keeping import load_stored, tie_pixels
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import files, labels, predict
from medview.workspace.services import Services
from medview.workspace.view_state import CaseView
from medview.workspace.workspace import Workspace
from tests.helpers.impostors import SEGMENT, SHAPE_KJI, drawn, drawn_command, entry_of, genuine, impostors, series_of
from tests.ml.inputs.made import spec_with

REOPENED, READ_ONLY, COPIED, WITH_GAPS = 280, 140, 56, 60
"""Attempts by opening other images under a project's labels."""
SEG_IMPORTS, FOREIGN_SEGS, MAP_IMPORTS, FOREIGN_MAPS, TAKEN_IN = 112, 60, 140, 60, 40
"""Attempts by importing files and their contents."""
LATE, PROPOSED, PATCHED, WRITTEN = 60, 80, 40, 16
"""Attempts by a model's result, a change and a written SEG."""


def test_there_are_a_thousand_attempts() -> None:
    opened = REOPENED + READ_ONLY + COPIED + WITH_GAPS
    assert opened + SEG_IMPORTS + FOREIGN_SEGS + MAP_IMPORTS + FOREIGN_MAPS + TAKEN_IN + LATE + PROPOSED + PATCHED >= 1000


def draw_in(project: Project, volume: Volume, damaged: tuple[int, ...] = ()) -> int:
    """Open a volume, tie it, and draw one segment; return the case."""
    stored = load_stored(project, series_of(volume), entry_of(volume), volume)
    assert stored.reading_id is not None
    assert tie_pixels(project, stored, volume, damaged).other_pixels == ""
    project.journal.append(stored.reading_id, Entry(EntryKind.DO, drawn_command(volume), 1))
    assert project.journal.flush()
    return stored.reading_id


def whole(volume: Volume) -> Box:
    return Box.whole(volume.geometry.shape_kji)


def shown_on(project: Project, volume: Volume, damaged: tuple[int, ...] = ()) -> tuple[bool, str]:
    """Open a volume as the program does; return whether stored labels come up on it for work, and what is said."""
    stored = load_stored(project, series_of(volume), entry_of(volume), volume)
    tie = tie_pixels(project, stored, volume, damaged)
    has_labels = stored.loaded is not None and bool(stored.loaded.labels.segmentation.segments)
    return has_labels and not tie.other_pixels and not tie.unsure, stored.problem or tie.other_pixels or tie.unsure


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    opened = Project.create(tmp_path / "p.medview", "Test")
    draw_in(opened, genuine())
    yield opened
    opened.close()


def test_stored_labels_come_up_on_no_other_images(project: Project) -> None:
    taken = [name for name, volume in impostors(REOPENED, seed=1) if shown_on(project, volume)[0]]
    assert taken == []
    assert shown_on(project, genuine()) == (True, "")


def test_images_that_only_look_alike_are_refused_in_words(project: Project) -> None:
    for name, volume in impostors(6, seed=2, alike=True):
        assert "have changed" in shown_on(project, volume)[1], name


def test_a_project_that_is_only_read_shows_its_labels_on_no_other_images(project: Project) -> None:
    project.close()
    with Project.open(project.path, read_only=True) as reading:
        assert shown_on(reading, genuine())[0]
        taken = [name for name, volume in impostors(READ_ONLY, seed=3) if shown_on(reading, volume)[0]]
    assert taken == []


def test_a_copied_project_shows_its_labels_on_no_other_images(project: Project, tmp_path: Path) -> None:
    project.close()
    shutil.copytree(project.path, tmp_path / "copy.medview")
    with Project.open(tmp_path / "copy.medview") as copied:
        taken = [name for name, volume in impostors(COPIED, seed=4) if shown_on(copied, volume)[0]]
        assert shown_on(copied, genuine())[0]
    assert taken == []


def test_labels_drawn_while_a_slice_was_damaged_stay_with_the_slices_that_were_read(tmp_path: Path) -> None:
    whole_volume = genuine()
    gap = np.array(whole_volume.voxels)
    gap[4] = 0
    damaged = replace(whole_volume, voxels=gap)
    with Project.create(tmp_path / "p.medview", "Test") as project:
        draw_in(project, damaged, (4,))
        assert shown_on(project, damaged, (4,)) == (True, "")
        for name, volume in impostors(WITH_GAPS, seed=5, alike=True):
            if np.array_equal(volume.voxels[:4], whole_volume.voxels[:4]) and volume.voxels.dtype == np.int16:
                continue
            assert not shown_on(project, volume)[0], name
            assert not shown_on(project, volume, (4,))[0], name
        # More slices fail than before: nobody knows. Then all are whole again, and from now on all of them count.
        assert "not certain" in shown_on(project, damaged, (3, 4))[1]
        assert shown_on(project, whole_volume) == (True, "")
        assert not shown_on(project, replace(whole_volume, voxels=gap))[0]


def test_two_volumes_of_one_series_on_one_grid_have_labels_of_their_own(project: Project) -> None:
    uids = tuple(f"1.2.3.5.{k}" for k in range(SHAPE_KJI[0]))
    echo = replace(genuine(), voxels=np.ascontiguousarray(genuine().voxels[::-1]), sop_instance_uids=uids)
    assert shown_on(project, echo) == (False, "")
    draw_in(project, echo)
    assert shown_on(project, echo)[0]
    assert shown_on(project, genuine())[0]
    assert len(project.readings()) == 2


def test_what_is_asked_of_one_volume_is_not_answered_by_another_of_its_series(project: Project) -> None:
    (drawn,) = project.readings()
    found = project.find_reading(drawn.key, drawn.geometry, drawn.sources.sop_instance_uids)
    assert found is not None
    assert found.reading_id == drawn.reading_id
    assert project.find_reading(drawn.key, drawn.geometry, tuple(f"1.2.3.5.{k}" for k in range(SHAPE_KJI[0]))) is None


@pytest.fixture(scope="module")
def seg_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CT in files and two SEGs on it: one that knows its pixels, one as other programs write it."""
    folder = tmp_path_factory.mktemp("seg")
    write_series(folder / "ct", genuine(), SeriesIdentity("Phantom^Wrong", "W-1", seed="wrong"))
    volume = on_disk(folder)
    segmentation = Segmentation(volume.geometry, segments=[SEGMENT])
    segmentation.layer(0).voxels[...] = drawn()
    source = sorted((folder / "ct").iterdir())
    write_seg(folder / "own.dcm", segmentation, source, pixels_sha256=pixels_sha256(volume))
    write_seg(folder / "foreign.dcm", segmentation, source)
    return folder


def on_disk(folder: Path) -> Volume:
    return load_volume(folder / "ct", None, Inline()).volume


def as_if(impostor: Volume, real: Volume) -> Volume:
    """An impostor of ``genuine()`` as one of the CT in files: what it shares with the one it shares with the other."""
    own = genuine()
    frame = impostor.geometry.frame_of_reference_uid
    same_frame = frame == own.geometry.frame_of_reference_uid
    geometry = Geometry(
        impostor.geometry.shape_kji,
        impostor.geometry.affine_lps,
        real.geometry.frame_of_reference_uid if same_frame else frame,
    )
    same_images = impostor.sop_instance_uids == own.sop_instance_uids[: len(impostor.sop_instance_uids)]
    uids = real.sop_instance_uids[: len(impostor.sop_instance_uids)] if same_images else impostor.sop_instance_uids
    return replace(
        impostor,
        geometry=geometry,
        series_uid=real.series_uid if impostor.series_uid == own.series_uid else impostor.series_uid,
        study_uid=real.study_uid if impostor.study_uid == own.study_uid else impostor.study_uid,
        sop_instance_uids=uids,
    )


def lands(path: Path, volume: Volume) -> ImportedLabels | None:
    try:
        return read_labels(path, volume)
    except MedViewError:
        return None


def test_a_seg_of_ours_lands_on_its_own_pixels_only(seg_folder: Path) -> None:
    real = on_disk(seg_folder)
    taken = [
        name
        for name, volume in impostors(SEG_IMPORTS, seed=6)
        if lands(seg_folder / "own.dcm", as_if(volume, real)) is not None
    ]
    assert taken == []
    found = lands(seg_folder / "own.dcm", real)
    assert found is not None
    assert found.notes == ()
    np.testing.assert_array_equal(found.layers[0], drawn())


def test_a_seg_of_others_lands_on_the_images_it_names_only(seg_folder: Path) -> None:
    real = on_disk(seg_folder)
    silent = []
    for name, volume in impostors(FOREIGN_SEGS, seed=7, alike=False):
        found = lands(seg_folder / "foreign.dcm", as_if(volume, real))
        # A slice fewer leaves the others what they were; a mirrored grid is said.
        fewer_slices = volume.geometry.shape_kji[0] < SHAPE_KJI[0]
        if found is not None and not found.notes and not fewer_slices:
            silent.append(name)
        assert found is None or fewer_slices or name == "grid mirrored", name
    assert silent == []
    found = lands(seg_folder / "foreign.dcm", real)
    assert found is not None
    assert found.notes == ()


@pytest.fixture(scope="module")
def map_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Label maps of the genuine volume: with a companion that knows its pixels, and without one."""
    folder = tmp_path_factory.mktemp("maps")
    for name in ("own", "foreign"):
        nifti.write_label_map(folder / f"{name}.nii.gz", drawn(), genuine().geometry)
        nrrd.write_label_map(folder / f"{name}.nrrd", drawn(), genuine().geometry)
    write_names(folder / "own.nii.gz", [SEGMENT], pixels_sha256(genuine()))
    return folder


@pytest.mark.parametrize("ending", ["nii.gz", "nrrd"])
def test_a_label_map_that_knows_its_pixels_lands_on_no_others(map_folder: Path, ending: str) -> None:
    own = map_folder / f"own.{ending}"
    taken = [name for name, volume in impostors(MAP_IMPORTS // 2, seed=8) if lands(own, volume) is not None]
    assert taken == []
    with pytest.raises(GeometryError, match=r"own.* was made on other images than these; .*pixels_sha256 out of own\.json"):
        read_labels(own, next(volume for _, volume in impostors(1, seed=8, alike=True)))
    found = lands(own, genuine())
    assert found is not None
    assert found.notes == ()


@pytest.mark.parametrize("ending", ["nii.gz", "nrrd"])
def test_a_label_map_that_knows_nothing_lands_on_its_grid_only_and_that_is_said(map_folder: Path, ending: str) -> None:
    path = map_folder / f"foreign.{ending}"
    for name, volume in impostors(FOREIGN_MAPS // 2, seed=9, moved=True):
        found = lands(path, volume)
        assert found is None or name == "grid mirrored", name
        assert found is None or found.notes, name
    for _, volume in impostors(6, seed=9, alike=True):
        found = lands(path, volume)
        assert found is not None
        assert found.notes == (f"{path.name} does not say which images it was made on; only its grid was compared.",)


def open_case(volume: Volume) -> OpenCase:
    shape = volume.geometry.shape_kji
    load = LoadState(shape[0])
    load.mark_all_ready()
    middle = (shape[0] // 2, shape[1] // 2, shape[2] // 2)
    return OpenCase(
        series=series_of(volume),
        entry=entry_of(volume),
        volume=volume,
        load=load,
        labels=CaseLabels.empty(volume.geometry),
        view=CaseView(middle, Window(40, 400)),
    )


def untouched(case: OpenCase) -> bool:
    made = case.labels
    drawn_in = any(layer.voxels.any() for layer in made.segmentation.layers.values())
    return not (drawn_in or made.segmentation.segments or made.proposals or made.annotations)


def test_imported_labels_that_are_on_another_grid_are_not_taken_in() -> None:
    imported = ImportedLabels(genuine().geometry, (SEGMENT,), {0: drawn()})
    for name, volume in impostors(TAKEN_IN, seed=10, moved=True):
        case = open_case(volume)
        with pytest.raises(GeometryError, match="another grid"):
            files.add_imported(case, imported, "labels.nii")
        assert untouched(case), name


def prediction_on(volume: Volume) -> Prediction:
    source = Source(SourceKind.MODEL, "organs", "1.0.0", "ab" * 32, "job-1")
    mask = PredictedMask.trimmed(drawn(), (PredictedSegment(1, "Liver", (1, 2, 3)),))
    box = BoxAnnotation.on_grid("b1", "Nodule", volume.geometry, (1, 2, 3), (3, 5, 7), 0.9, source)
    return Prediction("segmentation", "Organs", source, volume.geometry, volume.series_uid, mask=mask, boxes=(box,))


def test_a_proposal_made_on_another_series_or_grid_is_not_put_up() -> None:
    proposal = Proposal("p1", prediction_on(genuine()))
    tried = 0
    for name, volume in impostors(PROPOSED * 2, seed=11, alike=False):
        case = open_case(volume)
        if volume.series_uid == genuine().series_uid and volume.geometry.same_grid(genuine().geometry):
            continue
        with pytest.raises(LabelError, match="another series"):
            labels.propose(case, proposal)
        if not volume.geometry.same_grid(genuine().geometry):
            with pytest.raises(LabelError, match="another grid"):
                case.labels.apply([ProposalChange(None, proposal)])
        assert untouched(case), name
        tried += 1
    assert tried >= PROPOSED


class HeldRunner(InlineRunner):
    """Keeps requests until the test lets them end."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[tuple[Request, Outcome]] = []

    def submit(self, request: Request, outcome: Outcome) -> Job:
        self.held.append((request, outcome))
        return Job(request.title, request.lane)


@pytest.mark.parametrize("meanwhile", ["closed", "closed and replaced", "another one active"])
def test_a_model_that_ends_late_proposes_on_the_volume_it_ran_on_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    runner = HeldRunner()
    registry = Registry(tmp_path / "bundled", tmp_path / "user")
    workspace = Workspace(runner, Services(InlinePool(), registry, None))
    monkeypatch.setattr(predict, "_fit", lambda pack, case: Fit(True, ""))
    pack = ModelPack(spec_with(modality=[], unit=""), tmp_path, "", "")
    for name, volume in impostors(LATE // 3, seed=12):
        ran_on = open_case(genuine())
        workspace.add_case(ran_on)
        assert predict.run_model(workspace, pack) is not None
        request, outcome = runner.held.pop()
        asked: PredictRequest = cast(Any, request).request
        assert asked.volume is ran_on.volume
        if meanwhile != "another one active":
            workspace.close_case(ran_on.key)
        other = open_case(volume)
        if meanwhile != "closed" and other.key not in workspace.cases:
            workspace.add_case(other)
        outcome.done(prediction_on(asked.volume))
        assert untouched(other), name
        assert bool(ran_on.labels.proposals) is (meanwhile == "another one active"), name
        for key in list(workspace.cases):
            workspace.close_case(key)


def test_a_change_computed_on_other_labels_is_not_applied() -> None:
    for name, volume in impostors(PATCHED, seed=13, moved=True):
        before = Segmentation(genuine().geometry, segments=[SEGMENT])
        before.layer(0).voxels[...] = drawn()
        erased = LabelPatch.between(before.layer(0), whole(genuine()), np.zeros(SHAPE_KJI, np.uint8))
        assert erased is not None
        case = open_case(volume)
        with pytest.raises(LabelError):
            case.labels.apply([SegmentChange(None, SEGMENT, 0), erased])
        assert untouched(case), name


def test_a_seg_is_not_written_on_images_the_labels_were_not_drawn_on(seg_folder: Path, tmp_path: Path) -> None:
    real = on_disk(seg_folder)
    source = sorted((seg_folder / "ct").iterdir())
    target = tmp_path / "labels.dcm"
    kinds = [*impostors(WRITTEN // 2, seed=14, moved=True), *impostors(WRITTEN // 2, seed=15, alike=False, moved=False)]
    for name, volume in kinds:
        other = as_if(volume, real)
        segmentation = Segmentation(other.geometry, segments=[SEGMENT])
        segmentation.layer(0).voxels[1, 1, 1] = 1
        if other.geometry.shape_kji[0] < SHAPE_KJI[0]:
            # A slice fewer leaves the others what they were.
            continue
        with pytest.raises(MedViewError):
            write_seg(target, segmentation, source, instances=other.sop_instance_uids)
        assert not target.exists(), name
