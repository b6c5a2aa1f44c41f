"""A model of several channels: which series it is given, on what grid, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from medview.core.acquisition import Acquisition
from medview.core.case_labels import CaseLabels
from medview.core.errors import CancelledError, ModelError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.registration import Registration
from medview.core.source import Source, SourceKind
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.core.window import Window
from medview.io.dicom.scan import scan
from medview.io.reader_pool import InlinePool
from medview.ml.predict import PredictRequest
from medview.ml.registry import Registry
from medview.workspace.input_preparation import Preparation
from medview.workspace.jobs import InlineRunner
from medview.workspace.load_state import LoadState
from medview.workspace.model_inputs import ModelInputs
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.labels import propose
from medview.workspace.operations.model_inputs import inputs_for, remember_choice
from medview.workspace.operations.open import open_series
from medview.workspace.operations.predict import RunModel, offers, run_model, run_on
from medview.workspace.operations.probability import show_probability
from medview.workspace.services import Services
from medview.workspace.view_state import CaseView
from medview.workspace.workspace import Workspace
from tests.ml.inputs.packs import several

TWO = [{"name": "T1", "modality": ["MR"]}, {"name": "T2", "modality": ["MR"]}]


def made_case(description: str, geometry: Geometry, patient: str = "P", seed: int = 1, **made: Any) -> OpenCase:
    rng = np.random.default_rng(seed)
    voxels = np.cumsum(rng.integers(-40, 60, geometry.shape_kji), axis=2).astype(np.int16)
    series = Series(description, "study", patient, modality="MR", description=description, acquisition=Acquisition(**made))
    volume = Volume(voxels, geometry, "MR", "", series_uid=description, study_uid="study")
    load = LoadState(geometry.shape_kji[0])
    load.mark_all_ready()
    entry = VolumeEntry(Verdict.VOLUME, (), geometry, geometry.shape_kji, ())
    view = CaseView((1, 1, 1), Window(40, 400))
    return OpenCase(series, entry, volume, load, CaseLabels.empty(geometry), view)


def grid(frame: str = "F", shape: tuple[int, int, int] = (12, 40, 36), spacing_mm: float = 1.5) -> Geometry:
    affine = np.array([[0, 0.1, 1.0, -20], [0.05, 1.0, -0.1, -18], [1.0, -0.05, 0.0, 3], [0, 0, 0, 1]])
    affine[:3, :3] /= np.linalg.norm(affine[:3, :3], axis=0)
    affine[:3, :3] *= (5.0, spacing_mm, 1.2)
    return Geometry(shape, affine, frame)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(InlineRunner(), Services(InlinePool(), Registry(tmp_path / "packs", tmp_path / "user")))


@pytest.fixture
def said(workspace: Workspace) -> list[str]:
    heard: list[str] = []

    def hear(message: Any) -> None:
        heard.append(message.text)

    workspace.message.connect(hear)
    return heard


def with_cases(workspace: Workspace, *cases: OpenCase) -> OpenCase:
    for case in cases:
        workspace.add_case(case)
    workspace.show(cases[0].key)
    return cases[0]


def test_open_series_on_one_grid_are_given_as_they_are(workspace: Workspace, tmp_path: Path) -> None:
    pack = several(tmp_path / "packs" / "two", TWO)
    t1 = with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid(), seed=2))
    inputs = inputs_for(workspace, pack, t1)
    assert inputs.chosen == ("T1 ax", "T2 ax")
    assert inputs.wants_a_look
    assert inputs.problem == ""
    assert inputs.remarks == ()
    request = made(inputs)
    assert request.volume is t1.volume
    assert np.shares_memory(request.others[0].voxels, workspace.cases["T2 ax"].volume.voxels)


def made(inputs: ModelInputs) -> PredictRequest:
    request = inputs.request()
    return request.prepare(Inline()) if isinstance(request, Preparation) else request


def test_another_grid_of_the_frame_is_resampled_onto_the_first_channels(workspace: Workspace, tmp_path: Path) -> None:
    pack = several(tmp_path / "packs" / "two", TWO)
    fine = grid(shape=(14, 62, 40), spacing_mm=0.9)
    t1 = with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", fine, seed=2))
    inputs = inputs_for(workspace, pack, t1)
    assert inputs.remarks == ("T2 was resampled onto the grid of T1.",)
    request = made(inputs)
    assert request.others[0].geometry is t1.volume.geometry
    truth = resampled_by_simpleitk(workspace.cases["T2 ax"].volume, t1.volume.geometry)
    inside = np.isfinite(truth)
    assert inside.mean() > 0.5
    assert np.abs(request.others[0].values()[inside] - truth[inside]).max() < 0.05


def resampled_by_simpleitk(volume: Volume, target: Geometry) -> np.ndarray:
    def image(voxels: np.ndarray, geometry: Geometry) -> sitk.Image:
        made = sitk.GetImageFromArray(voxels)
        made.SetOrigin([float(n) for n in geometry.point_lps_mm((0, 0, 0))])
        made.SetSpacing([float(mm) for mm in geometry.spacing_kji_mm[::-1]])
        made.SetDirection([float(n) for n in geometry.directions_kji[::-1].T.ravel()])
        return made

    like = image(np.zeros(target.shape_kji, np.float32), target)
    found = sitk.Resample(image(volume.values(), volume.geometry), like, sitk.Transform(), sitk.sitkLinear, float("nan"))
    return sitk.GetArrayFromImage(found)


def test_the_result_may_lie_on_another_channels_grid(workspace: Workspace, tmp_path: Path) -> None:
    pack = several(tmp_path / "packs" / "two", TWO)
    fine = grid(shape=(14, 62, 40), spacing_mm=0.9)
    t1 = with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", fine, seed=2))
    inputs = inputs_for(workspace, pack, t1).with_reference(1)
    request = made(inputs)
    assert request.volume.geometry is workspace.cases["T2 ax"].volume.geometry
    assert request.volume.series_uid == "T2 ax"
    assert run_on(workspace, inputs, "cpu") is not None
    assert not t1.labels.proposals
    assert workspace.cases["T2 ax"].labels.proposals


def test_another_frame_of_reference_is_refused_with_the_way_out(
    workspace: Workspace, tmp_path: Path, said: list[str]
) -> None:
    pack = several(tmp_path / "packs" / "two", TWO)
    t1 = with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid("G"), seed=2))
    inputs = inputs_for(workspace, pack, t1)
    assert "another frame of reference than T1" in inputs.problem
    with pytest.raises(ModelError, match="register"):
        inputs.request()
    assert run_on(workspace, inputs) is None
    assert "register" in said[-1]


def test_a_registration_of_the_session_places_a_channel_of_another_frame(workspace: Workspace, tmp_path: Path) -> None:
    pack = several(tmp_path / "packs" / "two", TWO)
    t1 = with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid("G"), seed=2))
    shift = np.eye(4)
    shift[:3, 3] = (1.2, 0.0, 0.0)
    # Found the other way round: the T1 was laid over the T2.
    workspace.registrations["T2 ax", "T1 ax"] = (
        Registration("G", "F", shift, 0.4, 0.9, 1.0, "Check it.").inverse().inverse()
    )
    inputs = inputs_for(workspace, pack, t1)
    assert inputs.problem == ""
    assert inputs.remarks == ("T2 was registered (rigid) to T1 and resampled. Check it.",)
    request = made(inputs)
    moved = Geometry(grid().shape_kji, np.linalg.inv(shift) @ grid("G").affine_lps, "F")
    truth = resampled_by_simpleitk(replace(workspace.cases["T2 ax"].volume, geometry=moved), grid())
    inside = np.isfinite(truth)
    assert np.abs(request.others[0].values()[inside] - truth[inside]).max() < 0.05


def test_series_of_another_patient_are_not_offered_and_not_taken(workspace: Workspace, tmp_path: Path) -> None:
    pack = several(tmp_path / "packs" / "two", TWO)
    t1 = with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid(), "Q", seed=2))
    inputs = inputs_for(workspace, pack, t1)
    assert inputs.chosen == ("T1 ax", "")
    assert inputs.problem == "No series is chosen for T2."
    other = ModelInputs.proposed(
        pack, (*inputs.given, *inputs_for(workspace, pack, workspace.cases["T2 ax"]).given), InlinePool()
    )
    assert "two patients" in other.problem


def test_a_correction_swaps_two_channels(workspace: Workspace, tmp_path: Path) -> None:
    pack = several(tmp_path / "packs" / "two", TWO)
    t1 = with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid()), made_case("T2 cor", grid()))
    inputs = inputs_for(workspace, pack, t1)
    assert inputs.ambiguous == (1,)
    assert inputs.with_channel(0, "T2 ax").chosen == ("T2 ax", "T1 ax")
    chosen = inputs.with_channel(1, "T2 cor")
    assert chosen.chosen == ("T1 ax", "T2 cor")
    assert chosen.ambiguous == ()


def test_a_model_of_one_channel_that_passes_runs_at_once_and_one_that_does_not_wants_a_look(
    workspace: Workspace, tmp_path: Path
) -> None:
    one = several(tmp_path / "packs" / "one", TWO[:1], id="one")
    picky = several(tmp_path / "packs" / "picky", TWO[:1], id="picky", checks={"values": [0.0, 1.0], "contrast": False})
    case = with_cases(workspace, made_case("T1 ax", grid(), agent="Gadovist"))
    assert not inputs_for(workspace, one, case).wants_a_look
    inputs = inputs_for(workspace, picky, case)
    assert inputs.wants_a_look
    assert inputs.problem == ""
    assert [sentence.split(" ")[0] for sentence in inputs.remarks] == ["Contrast", "The"]
    job = run_on(workspace, inputs, "cpu")
    assert job is not None
    (proposal,) = case.labels.proposals.values()
    assert set(inputs.remarks) <= set(proposal.prediction.warnings)


def test_a_series_that_is_still_read_is_waited_for(workspace: Workspace, tmp_path: Path) -> None:
    pack = several(tmp_path / "packs" / "two", TWO)
    late = made_case("T2 ax", grid(), seed=2)
    late.reading = True
    t1 = with_cases(workspace, made_case("T1 ax", grid()), late)
    assert "still being read" in inputs_for(workspace, pack, t1).problem


def test_a_case_that_can_be_any_of_the_channels_is_offered_the_model(workspace: Workspace, tmp_path: Path) -> None:
    mixed = [{"name": "CT", "modality": ["CT"], "unit": "HU"}, {"name": "T2", "modality": ["MR"]}]
    several(tmp_path / "packs" / "two", mixed)
    with_cases(workspace, made_case("T2 ax", grid()))
    assert offers(workspace)[0].fit.ok


@pytest.mark.data
def test_a_real_study_runs_with_one_of_its_series_open(workspace: Workspace, tmp_path: Path, test_data: Path) -> None:
    """The others are read in the job; the crop of the hippocampus is given to nobody."""
    pack = several(tmp_path / "packs" / "brain")
    found = scan(test_data / "mr-brain-t1-t1c-t2-flair", Inline(), InlinePool())
    workspace.add_scan("brain", found)
    flair = next(one for one in found.series if one.description == "FLAIR_reg")
    open_series(workspace, flair)
    case = workspace.active
    assert case is not None
    inputs = inputs_for(workspace, pack, case)
    names = [one.series.description for n in range(4) if (one := inputs.of(n)) is not None]
    assert names == ["T1pre_reg", "T1post", "T2_reg", "FLAIR_reg"]
    assert inputs.ambiguous == ()
    assert inputs.remarks == ()
    assert run_model(workspace, pack, "cpu") is not None
    # The result lies on the first channel's series, which was opened for it.
    t1 = next(one for one in workspace.cases.values() if one.series.description == "T1pre_reg")
    (proposal,) = t1.labels.proposals.values()
    assert proposal.prediction.geometry.same_grid(t1.volume.geometry)
    assert proposal.prediction.series_uid == t1.series.series_uid


@pytest.mark.data
def test_channels_that_are_read_in_the_job_see_the_same_as_channels_that_stand_open(
    workspace: Workspace, tmp_path: Path, test_data: Path
) -> None:
    pack = several(tmp_path / "packs" / "brain")
    found = scan(test_data / "mr-brain-t1-t1c-t2-flair", Inline(), InlinePool())
    workspace.add_scan("brain", found)
    results = []
    for names in (("T1pre_reg",), ("T2_reg", "FLAIR_reg", "T1post", "T1pre_reg")):
        for series in found.series:
            if series.description in names:
                open_series(workspace, series)
        workspace.show(next(key for key, one in workspace.cases.items() if one.series.description == "T1pre_reg"))
        assert workspace.active is not None
        request = inputs_for(workspace, pack, workspace.active).request("cpu")
        results.append(RunModel(request).run(Inline()))
    first, second = results
    assert isinstance(first, Prediction)
    assert first.mask is not None
    assert second.mask is not None
    assert first.mask.counts() == second.mask.counts()
    assert np.array_equal(first.mask.voxels, second.mask.voxels)


def test_what_is_true_of_all_channels_is_said_of_the_first(workspace: Workspace, tmp_path: Path) -> None:
    checks = {"spacing_kji_mm": {"k": [0.5, 2.0], "j": [0.5, 2.0], "i": [0.5, 2.0]}}
    pack = several(tmp_path / "packs" / "two", TWO, checks=checks)
    t1 = with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid(), seed=2))
    assert inputs_for(workspace, pack, t1).remarks == ("T1: Slice spacing 5 mm; trained on 0.5 to 2 mm.",)


def test_a_model_asked_for_without_a_dialog_does_not_guess(workspace: Workspace, tmp_path: Path, said: list[str]) -> None:
    pack = several(tmp_path / "packs" / "two", TWO)
    with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid()), made_case("T2 cor", grid()))
    assert run_model(workspace, pack, "cpu") is None
    assert said[-1].startswith("Several series could be T2")


def test_the_probability_of_what_such_a_model_proposed_is_not_guessed_either(
    workspace: Workspace, tmp_path: Path, said: list[str]
) -> None:
    pack = several(tmp_path / "packs" / "two", TWO)
    t1 = with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid()), made_case("T2 cor", grid()))
    source = Source(SourceKind.MODEL, pack.spec.id, pack.spec.version, pack.sha256, "job")
    one = PredictedSegment(1, "Liver", (1, 2, 3))
    mask = PredictedMask.trimmed(np.ones(t1.volume.geometry.shape_kji, dtype=np.uint8), (one,))
    propose(t1, Proposal("p", Prediction("segmentation", "Two", source, t1.volume.geometry, mask=mask)))
    assert show_probability(workspace, "p", 1) is None
    assert said[-1].startswith("Several series could be T2")
    assert t1.view.heat is None
    chosen = inputs_for(workspace, pack, t1).with_channel(1, "T2 cor")
    remember_choice(workspace, chosen)
    assert show_probability(workspace, "p", 1) is not None
    assert t1.view.heat is not None


@pytest.mark.data
def test_cancel_while_channels_are_read_or_resampled_leaves_nothing(
    workspace: Workspace, tmp_path: Path, test_data: Path
) -> None:
    pack = several(tmp_path / "packs" / "brain")
    found = scan(test_data / "mr-brain-t1-t1c-t2-flair", Inline(), InlinePool())
    workspace.add_scan("brain", found)
    open_series(workspace, next(one for one in found.series if one.description == "T1pre_reg"))
    case = workspace.active
    assert case is not None
    request = inputs_for(workspace, pack, case).request("cpu")
    assert isinstance(request, Preparation)
    fine = Geometry(case.volume.geometry.shape_kji, case.volume.geometry.affine_lps @ np.diag([1, 1.1, 1, 1]))
    other = replace(request.channels[1], volume=case.volume, placed=fine, resampled=True)
    for channels in (request.channels, (request.channels[0], other, other, other)):
        counting = _Countdown(10**9)
        replace(request, channels=channels).prepare(counting)
        asked = 10**9 - counting.left
        for left in (0, 1, asked // 2, asked - 1):
            with pytest.raises(CancelledError):
                RunModel(replace(request, channels=channels)).run(_Countdown(left))
    assert not case.labels.proposals


class _Countdown(Inline):
    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def raise_if_cancelled(self) -> None:
        if self.left == 0:
            raise CancelledError
        self.left -= 1


def test_what_was_chosen_once_is_proposed_again_from_any_of_the_series(workspace: Workspace, tmp_path: Path) -> None:
    pack = several(tmp_path / "packs" / "two", TWO)
    with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid()), made_case("T2 cor", grid()))
    first = inputs_for(workspace, pack, workspace.cases["T1 ax"])
    assert run_on(workspace, first.with_channel(1, "T2 cor").with_reference(1), "cpu") is not None
    for key in ("T1 ax", "T2 cor"):
        again = inputs_for(workspace, pack, workspace.cases[key])
        assert (again.chosen, again.reference, again.ambiguous) == (("T1 ax", "T2 cor"), 1, ())
    assert inputs_for(workspace, pack, workspace.cases["T2 ax"]).chosen == ("T1 ax", "T2 ax")
    workspace.close_case("T2 cor")
    assert inputs_for(workspace, pack, workspace.cases["T1 ax"]).chosen == ("T1 ax", "T2 ax")
