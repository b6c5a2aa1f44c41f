"""Packs on volumes, from the request to the prediction."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from medview.core.errors import CancelledError, MedViewError, ModelError, PackError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.prediction import Proposal
from medview.core.source import SourceKind
from medview.core.volume import Volume
from medview.ml.packs import ModelPack, load_pack, write_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners import run
from medview.ml.runners.preprocess import prepare
from medview.ml.runners.run import predict
from medview.ml.spec_reader import read_spec
from medview.ml.weights import RESIDENT, build_network, load_network
from tests.helpers.timing import allowed_s, typical_of
from tests.ml.runners.test_preprocess import turned
from tests.ml.small_packs import EXAMPLES, ct_volume, document, small_pack

SMALL_TILES = {"tile_kji": [16, 24, 24], "overlap": 0.5, "blend": "gaussian"}
NATIVE = {**document()["input"], "spacing_kji_mm": None, "orientation": None}
TURNS = [
    ((0, 1, 2), (True, True, False)),
    ((2, 0, 1), (False, True, True)),
    ((1, 2, 0), (True, False, True)),
    ((2, 1, 0), (True, True, True)),
]


@pytest.fixture(autouse=True)
def no_network_stays_loaded() -> None:
    RESIDENT.clear()


class Recorded(Inline):
    """Keeps the progress, and cancels itself at the n-th look."""

    def __init__(self, cancel_at: int | None = None) -> None:
        super().__init__()
        self.fractions: list[float] = []
        self.texts: list[str] = []
        self.looks = 0
        self._cancel_at = cancel_at

    def progress(self, fraction: float, text: str) -> None:
        self.fractions.append(fraction)
        self.texts.append(text)

    def raise_if_cancelled(self) -> None:
        self.looks += 1
        if self.looks == self._cancel_at:
            self.cancel()
        super().raise_if_cancelled()


def balanced(folder: Path, volume: Volume, **changes: object) -> ModelPack:
    """Return a segmentation pack with random weights under which every label wins somewhere on a volume."""
    pack = small_pack(folder, **{"tiling": SMALL_TILES, "postprocess": [], **changes})
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "model.json"}
    content = {name: value for name, value in pack.spec.document.items() if name != "files"}
    state = load(files["weights.safetensors"])
    with torch.inference_mode():
        logits = load_network(pack)(prepare([volume], pack.spec.input, Inline()).values[None])[0]
    spread, mean = torch.std_mean(logits, dim=(1, 2, 3))
    state["head.weight"] = state["head.weight"] / spread.view(-1, 1, 1, 1, 1)
    state["head.bias"] = (state["head.bias"] - mean) / spread
    return write_pack(folder, content, {**files, "weights.safetensors": save(state)})


def test_a_segmentation_names_its_labels_source_and_times(tmp_path: Path) -> None:
    volume = ct_volume()
    pack = balanced(tmp_path / "pack", volume)
    prediction = predict(PredictRequest(volume, pack, job_id="job-7"), Inline())
    assert prediction.task == "segmentation"
    assert prediction.source.kind is SourceKind.MODEL
    assert prediction.source.title == "example-organs 1.0.0"
    assert (prediction.source.model_sha256, prediction.source.job_id) == (pack.sha256, "job-7")
    assert prediction.geometry is volume.geometry
    assert prediction.series_uid == volume.series_uid
    assert prediction.mask is not None
    assert [s.name for s in prediction.mask.segments] == ["Lungs", "Nodule"]
    assert prediction.mask.on_grid(volume.geometry.shape_kji).max() == 2
    assert set(prediction.seconds) == {"load", "prepare", "infer", "finish"}
    assert prediction.seconds["infer"] > 0
    assert prediction.peak_memory_mb > 50
    assert prediction.device == "cpu"
    assert "phantoms" in prediction.notice


@pytest.mark.parametrize(("axes", "flips"), TURNS)
def test_the_mask_lies_on_the_same_patient_however_the_input_is_stored(
    tmp_path: Path, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> None:
    volume = ct_volume((24, 40, 52))
    pack = balanced(tmp_path / "pack", volume)
    first, other = (predict(PredictRequest(v, pack), Inline()).mask for v in (volume, turned(volume, axes, flips)))
    assert first is not None
    assert other is not None
    straight = first.on_grid(volume.geometry.shape_kji)
    stored = turned(dataclasses.replace(volume, voxels=straight), axes, flips)
    found = other.on_grid(stored.geometry.shape_kji)
    assert len(np.unique(straight)) == 3
    # Sums in another order decide ties between two classes differently in a few voxels.
    assert (found != stored.voxels).mean() < 1e-4


def test_an_oblique_input_keeps_its_own_grid(tmp_path: Path) -> None:
    volume = ct_volume((19, 33, 27))
    mask = predict(PredictRequest(volume, balanced(tmp_path / "pack", volume)), Inline()).mask
    assert mask is not None
    assert mask.on_grid((19, 33, 27)).shape == (19, 33, 27)
    assert mask.voxels.shape == mask.box.shape_kji


def test_nothing_found_is_an_empty_mask(tmp_path: Path) -> None:
    volume = ct_volume()
    pack = balanced(tmp_path / "pack", volume)
    large = {**pack.spec.document, "postprocess": [{"op": "remove_small", "min_mm3": 1e8}]}
    files = {path.name: path.read_bytes() for path in pack.folder.iterdir() if path.name != "model.json"}
    del large["files"]
    mask = predict(PredictRequest(volume, write_pack(tmp_path / "strict", large, files)), Inline()).mask
    assert mask is not None
    assert mask.segments == ()
    assert mask.box.empty


def test_segments_that_share_voxels_stay_where_those_of_the_first_map_are_removed(tmp_path: Path) -> None:
    volume = ct_volume()
    network = {"name": "unet3d", "kwargs": {"in_channels": 1, "classes": 2, "channels": [4, 6]}}
    output = {**document()["output"], "activation": "sigmoid", "overlapping": True}
    pack = balanced(tmp_path / "pack", volume, network=network, output=output)
    both = predict(PredictRequest(volume, pack), Inline())
    assert [[s.name for s in mask.segments] for mask in both.masks] == [["Lungs"], ["Nodule"]]
    lungs_gone = {**pack.spec.document, "postprocess": [{"op": "remove_small", "values": [1], "min_mm3": 1e8}]}
    files = {path.name: path.read_bytes() for path in pack.folder.iterdir() if path.name != "model.json"}
    del lungs_gone["files"]
    left = predict(PredictRequest(volume, write_pack(tmp_path / "strict", lungs_gone, files)), Inline())
    (mask,) = left.masks
    assert [s.name for s in mask.segments] == ["Nodule"]
    assert mask.counts() == both.masks[1].counts()
    assert not Proposal("p1", left).empty


@pytest.mark.parametrize("task", ["segmentation", "detection", "classification"])
def test_the_documented_examples_describe_networks_that_can_be_built(task: str) -> None:
    spec = read_spec((EXAMPLES / f"{task}.json").read_bytes())
    assert all(p.device.type == "meta" for p in build_network(spec.network).parameters())


@pytest.mark.parametrize("shape", [[24, 32, 32], None])
def test_a_classification_gives_every_class_a_probability(tmp_path: Path, shape: list[int] | None) -> None:
    spacing = None if shape else [2.0, 2.0, 2.0]
    wanted = {**document("classification")["input"], "shape_kji": shape, "spacing_kji_mm": spacing}
    pack = small_pack(tmp_path / "pack", "classification", input=wanted)
    prediction = predict(PredictRequest(ct_volume(), pack), Inline())
    assert list(prediction.scores) == ["Nodule absent", "Nodule present"]
    assert sum(prediction.scores.values()) == pytest.approx(1.0)
    assert prediction.mask is None
    assert prediction.boxes == ()


def test_a_detection_gives_boxes_inside_the_volume(tmp_path: Path) -> None:
    content = document("detection")
    output = {**content["output"], "score_threshold": 0.001}
    pack = small_pack(tmp_path / "pack", "detection", tiling=SMALL_TILES, output=output)
    volume = ct_volume()
    prediction = predict(PredictRequest(volume, pack, job_id="job-8"), Inline())
    assert 0 < len(prediction.boxes) <= 50
    assert len({box.annotation_id for box in prediction.boxes}) == len(prediction.boxes)
    for box in prediction.boxes:
        low, high = box.bounds_kji(volume.geometry)
        assert (low >= -1e-6).all()
        assert (high <= np.asarray(volume.geometry.shape_kji) + 1e-6).all()
        assert 0 < (box.score or 0) <= 1
        assert box.source.job_id == "job-8"
    scores = [box.score or 0 for box in prediction.boxes]
    assert scores == sorted(scores, reverse=True)


def test_progress_grows_to_one_and_names_the_tiles(tmp_path: Path) -> None:
    volume, context = ct_volume((40, 60, 60)), Recorded()
    predict(PredictRequest(volume, small_pack(tmp_path / "pack", tiling=SMALL_TILES)), context)
    assert context.fractions == sorted(context.fractions)
    assert (context.fractions[0], context.fractions[-1]) == (0.0, 1.0)
    assert any(text.startswith("Tile 3 of ") for text in context.texts)
    assert max(np.diff(context.fractions)) < 0.25


def test_cancel_is_seen_wherever_it_comes(tmp_path: Path) -> None:
    volume, counting = ct_volume(), Recorded()
    pack = small_pack(tmp_path / "pack", tiling=SMALL_TILES)
    predict(PredictRequest(volume, pack), counting)
    assert counting.looks > 50
    for look in range(1, counting.looks, counting.looks // 23):
        context = Recorded(cancel_at=look)
        with pytest.raises(CancelledError):
            predict(PredictRequest(volume, pack), context)
        assert context.looks == look
    network = RESIDENT.get(pack, torch.device("cpu"))
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_cancel_takes_less_than_200_ms_on_a_network_at_full_resolution(tmp_path: Path) -> None:
    network = {
        "name": "meshnet",
        "kwargs": {"in_channels": 1, "out_channels": 3, "channels": 5, "dilations": [1, 2, 4, 8, 16, 8, 4, 2, 1]},
    }
    tiling = {"blend": "valid", "margin_kji": [46, 46, 46]}
    pack = small_pack(tmp_path / "pack", network=network, tiling=tiling, input=NATIVE)
    volume = Volume(
        np.zeros((128, 256, 256), dtype=np.int16), Geometry.from_spacing((128, 256, 256), (1, 1, 1)), "CT", "HU"
    )

    def seconds_to_stop() -> float:
        context, started = Inline(), threading.Event()
        ended: list[float] = []

        class Watching(Inline):
            def progress(self, fraction: float, text: str) -> None:
                if fraction > 0.1:
                    started.set()

            def raise_if_cancelled(self) -> None:
                context.raise_if_cancelled()

        def work() -> None:
            with pytest.raises(CancelledError):
                predict(PredictRequest(volume, pack), Watching())
            ended.append(time.perf_counter())

        worker = threading.Thread(target=work)
        worker.start()
        assert started.wait(60)
        pressed = time.perf_counter()
        context.cancel()
        worker.join(60)
        return ended[0] - pressed

    assert typical_of(seconds_to_stop) < allowed_s(0.2)


def test_a_series_the_pack_does_not_fit_is_refused(tmp_path: Path) -> None:
    volume = dataclasses.replace(ct_volume(), modality="MR")
    with pytest.raises(ModelError, match="this series is MR"):
        predict(PredictRequest(volume, small_pack(tmp_path / "pack")), Inline())


def test_weights_changed_after_installing_are_not_run(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    pack.weights.write_bytes(small_pack(tmp_path / "other", seed=8).weights.read_bytes())
    with pytest.raises(PackError, match="wrong checksum"):
        predict(PredictRequest(ct_volume(), pack), Inline())


@pytest.mark.parametrize(
    ("kwargs", "sentence"),
    [
        ({"in_channels": 1, "classes": 4, "channels": [4, 6]}, "do not belong to the network"),
        ({"in_channels": 1, "surprise": 4}, "cannot be built"),
        ({"in_channels": -1, "classes": 3, "channels": [4, 6]}, "cannot be built"),
        ({"in_channels": 1, "classes": 3, "channels": []}, "cannot be built"),
    ],
)
def test_weights_and_description_that_disagree_give_a_sentence(
    tmp_path: Path, kwargs: dict[str, object], sentence: str
) -> None:
    pack = small_pack(tmp_path / "pack")
    files = {path.name: path.read_bytes() for path in pack.folder.iterdir() if path.name != "model.json"}
    wrong = write_pack(tmp_path / "wrong", document(network={"name": "unet3d", "kwargs": kwargs}), files)
    with pytest.raises(PackError, match=sentence):
        predict(PredictRequest(ct_volume(), wrong), Inline())


def test_more_labels_than_the_network_gives_are_noticed(tmp_path: Path) -> None:
    labels = [{"value": n, "name": f"Part {n}"} for n in (1, 2, 3)]
    pack = small_pack(tmp_path / "pack", output={"labels": labels}, postprocess=[])
    with pytest.raises(ModelError, match="returned 3 classes where its description has 4"):
        predict(PredictRequest(ct_volume(), pack), Inline())


def test_a_network_of_another_task_gives_a_sentence(tmp_path: Path) -> None:
    unet = {"name": "unet3d", "kwargs": {"in_channels": 1, "classes": 2, "channels": [4, 6]}}
    for task in ("classification", "detection"):
        with pytest.raises(ModelError):
            predict(PredictRequest(ct_volume(), small_pack(tmp_path / task, task, network=unet)), Inline())


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "^Memory ran out"),
        (MemoryError(), "^Memory ran out"),
        (torch.OutOfMemoryError("CUDA out of memory"), "^Graphics memory ran out"),
        (RuntimeError("shape mismatch"), "the log says why"),
    ],
)
def test_a_failure_is_one_sentence_with_the_details_in_the_log(
    tmp_path: Path, error: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(run, "prepare", broken)
    with caplog.at_level(logging.ERROR, "medview.models"), pytest.raises(ModelError, match=sentence) as caught:
        predict(PredictRequest(ct_volume(), small_pack(tmp_path / "pack")), Inline())
    assert "\n" not in caught.value.sentence
    assert isinstance(caught.value, MedViewError)
    assert caplog.records[0].exc_info


def test_a_network_stays_loaded_for_the_next_run(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack", tiling=SMALL_TILES)
    predict(PredictRequest(ct_volume(), pack), Inline())
    first = RESIDENT.get(pack, torch.device("cpu"))
    predict(PredictRequest(ct_volume(), load_pack(pack.folder)), Inline())
    assert RESIDENT.get(pack, torch.device("cpu")) is first


def test_pieces_under_little_memory_give_the_same_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = {"name": "meshnet", "kwargs": {"in_channels": 1, "out_channels": 3, "channels": 5, "dilations": [1, 2, 1]}}
    tiling = {"blend": "valid", "margin_kji": [4, 4, 4]}
    pack = small_pack(tmp_path / "pack", network=network, tiling=tiling, input=NATIVE, postprocess=[])
    volume = ct_volume((30, 64, 70))
    masks = []
    for free in (10**10, 3_500_000):
        monkeypatch.setattr("medview.ml.runners.memory_plan.free_memory_bytes", lambda free=free: free)
        context = Recorded()
        masks.append(predict(PredictRequest(volume, pack), context).mask)
        assert any(text.startswith("Tile") for text in context.texts) is (free < 10**10)
    assert masks[0] is not None
    assert masks[1] is not None
    assert masks[0].segments
    assert np.array_equal(masks[0].on_grid((30, 64, 70)), masks[1].on_grid((30, 64, 70)))
