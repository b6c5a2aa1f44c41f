"""What model.json may say, and what is refused."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from medview.core.errors import PackError
from medview.ml.outputs import (
    Carried,
    ClassificationOutput,
    DetectionOutput,
    InteractiveOutput,
    PromptChannel,
    SegmentationOutput,
)
from medview.ml.spec import Blend, Crop, Grid, Interpolation, Task
from medview.ml.spec_reader import read_spec
from tests.ml.small_packs import EXAMPLES


def example(task: str = "segmentation") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EXAMPLES / f"{task}.json").read_text())
    return content


def changed(content: dict[str, Any], path: str, value: Any) -> bytes:
    content = copy.deepcopy(content)
    *way, last = path.split(".")
    inner = content
    for key in way:
        inner = inner[int(key)] if key.isdigit() else inner[key]
    inner[last] = value
    return json.dumps(content).encode()


def test_the_examples_of_the_three_tasks_are_read() -> None:
    segmentation, detection, classification = (
        read_spec((EXAMPLES / f"{task}.json").read_bytes()) for task in ("segmentation", "detection", "classification")
    )
    assert segmentation.task is Task.SEGMENTATION
    assert isinstance(segmentation.output, SegmentationOutput)
    assert [(s.value, s.name, s.colour) for s in segmentation.output.labels] == [
        (1, "Lungs", (86, 180, 233)),
        (2, "Nodule", (230, 159, 0)),
    ]
    assert segmentation.out_channels == 3
    assert segmentation.tiling is not None
    assert segmentation.tiling.blend is Blend.GAUSSIAN
    assert segmentation.input.spacing_kji_mm == (2.5, 2.0, 2.0)
    assert isinstance(detection.output, DetectionOutput)
    assert detection.out_channels == 1
    assert isinstance(classification.output, ClassificationOutput)
    assert classification.tiling is None
    assert classification.input.shape_kji == (96, 128, 128)


def test_a_spec_survives_the_trip_to_another_process() -> None:
    spec = read_spec(json.dumps(example()))
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_the_task_is_a_word_that_json_can_write() -> None:
    assert json.dumps(read_spec(json.dumps(example())).task) == '"segmentation"'


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", "../../home"),
        ("id", "Phantom"),
        ("id", 3),
        ("version", "1.0/../../x"),
        ("task", "regression"),
        ("name", ""),
        ("name", "bell\u0007"),
        ("network.name", "os.system"),
        ("network.kwargs", {"channels": 10**9}),
        ("network.kwargs", {"channels": 10**400}),
        ("network.kwargs", {"channels": float("nan")}),
        ("network.kwargs", {"channels": float("inf")}),
        ("network.kwargs", {"__class__": 1}),
        ("network.kwargs", {"layers": {"_target_": "os.system"}}),
        ("network.kwargs", {"layers": [[[[[[1]]]]]]}),
        ("input.dimensions", 4),
        ("input.dimensions", 2),
        ("input.crop", "everything"),
        ("input.interpolation", "magic"),
        ("input.channels", [{"name": "CT"}, {"name": "CT"}]),
        ("input.channels", [{"name": "CT", "surprise": 1}]),
        ("input.channels", ["CT", {"name": "PET"}]),
        ("input.channels", []),
        ("input.checks", {"values": [10, -10]}),
        ("input.checks", {"spacing_kji_mm": {"k": [1, 2]}}),
        ("input.checks", {"contrast": "yes"}),
        ("tiling.mirror", ["x"]),
        ("tiling.tile_kji", [96, 96, 4]),
        ("output.overlapping", True),
        ("output.activation", "tanh"),
        ("ensemble", ["weights.safetensors", "elsewhere.safetensors"]),
        ("ensemble", ["MODEL_CARD.md"]),
        ("card.training_set_sha256", "abc"),
        ("input.orientation", "SPA"),
        ("input.spacing_kji_mm", [1.0, 0.0, 1.0]),
        ("input.spacing_kji_mm", [1.0, float("nan"), 1.0]),
        ("input.shape_kji", [64, 64, 64]),
        ("input.intensity", [{"op": "eval", "code": "1"}]),
        ("input.intensity", [{"op": "clip", "low": 400, "high": -1000}]),
        ("input.intensity", [{"op": "shift_scale", "subtract": 0, "divide": 0}]),
        ("tiling.blend", "magic"),
        ("tiling.tile_kji", [96, 96, 10**6]),
        ("tiling.overlap", 1.0),
        ("tiling", None),
        ("output.labels", []),
        ("output.labels.0.value", 2),
        ("output.labels.0.colour", [1, 2, 300]),
        ("output.labels.1.name", "Lungs"),
        ("files", {"LICENSE": "0" * 64}),
        ("files", {"weights.safetensors": "0" * 64, "../x": "0" * 64}),
        ("files", {"weights.safetensors": "0" * 63}),
        ("licence", None),
        ("surprise", 1),
        ("card.surprise", 1),
        ("name", "Liver\u200b"),
        ("name", "Liver\u200f"),
        ("name", "Liver\u2028"),
        ("name", "Liver\x7f"),
        ("name", "Liver\x9b2J"),
        ("output.labels.0.name", "Lungs\u00a0"),
        ("summary", "Finds\u2029lungs."),
        ("card.intended_use", "Research\u202e."),
        ("card.metrics", {"dice\x1b[2J": 0.5}),
        ("card.metrics", {"d" * 81: 0.5}),
        ("card.metrics", {" ": 0.5}),
        ("surprise\x1b[2J", 1),
    ],
)
def test_what_is_not_understood_is_refused_in_one_sentence(path: str, value: Any) -> None:
    with pytest.raises(PackError) as caught:
        read_spec(changed(example(), path, value))
    assert "model.json" in caught.value.sentence
    assert caught.value.sentence.isprintable()


@pytest.mark.parametrize("tile", [[1, 1, 1], [1, 7, 64], [1, 64, 7], [8, 64, 64]])
def test_tiles_of_a_flat_network_are_of_one_slice_and_no_slivers(tile: list[int]) -> None:
    content = example()
    content["input"]["dimensions"] = 2
    assert read_spec(changed(content, "tiling.tile_kji", [1, 8, 8])).tiling is not None
    with pytest.raises(PackError, match="one slice and at least 8 x 8"):
        read_spec(changed(content, "tiling.tile_kji", tile))


def test_texts_of_any_script_are_read_and_long_ones_may_have_lines() -> None:
    texts = {"name": "Foie et rate — 肝臓 كبد", "summary": "Deux organes\u202f: foie\u00a0;\n\trate\u3000等"}
    spec = read_spec(json.dumps(example() | texts))
    assert (spec.name, spec.summary) == tuple(texts.values())


def test_a_pack_for_a_newer_medview_says_so() -> None:
    with pytest.raises(PackError, match="newer MedView"):
        read_spec(changed(example(), "schema_version", 3))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b" " * (2 << 20)])
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(PackError):
        read_spec(text)


def test_the_schema_names_the_keys_the_reader_knows() -> None:
    schema = json.loads((EXAMPLES.parent / "model.schema.json").read_text())
    for task in ("segmentation", "detection", "classification", "regions", "interactive"):
        assert set(example(task)) <= set(schema["properties"])
        for key in ("input", "network"):
            assert set(example(task)[key]) <= set(schema["properties"][key]["properties"])
    for key in schema["required"]:
        content = example()
        del content[key]
        with pytest.raises(PackError):
            read_spec(json.dumps(content))
    # A key of the schema that the reader does not know would be refused as unknown, so each is tried.
    everything = {
        **example(),
        "summary": "s",
        "postprocess": [],
        "card": {},
        "notice": "",
        "ensemble": ["weights.safetensors"],
    }
    assert set(everything) == set(schema["properties"])
    read_spec(json.dumps(everything))


def test_examples_lie_where_the_docstring_says() -> None:
    assert sorted(path.stem for path in Path(EXAMPLES).glob("*.json")) == [
        "classification",
        "detection",
        "interactive",
        "regions",
        "segmentation",
    ]


@pytest.mark.parametrize("task", ["segmentation", "detection", "classification", "regions", "interactive"])
def test_the_schema_and_the_reader_accept_every_example(task: str) -> None:
    schema = json.loads((EXAMPLES.parent / "model.schema.json").read_text())
    jsonschema.validate(example(task), schema)
    read_spec(json.dumps(example(task)))


def test_several_channels_are_described_one_by_one() -> None:
    spec = read_spec(json.dumps(example("regions")))
    assert [channel.name for channel in spec.input.channels] == ["T1", "T1 contrast", "T2", "FLAIR"]
    assert all(
        channel.modality == ("MR",) and channel.intensity[0].op == "zscore_nonzero" for channel in spec.input.channels
    )
    assert spec.input.channels[2].words == ("t2",)
    assert spec.input.channels[2].not_words == ("flair",)
    assert spec.input.crop is Crop.NONZERO
    assert spec.input.interpolation is Interpolation.CUBIC
    checks = spec.input.checks
    assert checks.spacing_kji_mm == ((0.8, 6.0), (0.4, 1.5), (0.4, 1.5))
    assert checks.values is None
    assert spec.tiling is not None
    assert spec.tiling.mirror_axes == (0, 1, 2)
    assert spec.ensemble == ("weights.safetensors", "fold_1.safetensors")


def test_regions_have_a_channel_each_and_no_background() -> None:
    spec = read_spec(json.dumps(example("regions")))
    assert (spec.in_channels, spec.out_channels) == (4, 3)
    assert read_spec(json.dumps(example("segmentation"))).out_channels == 3


def test_an_interactive_model_is_given_the_image_the_mask_so_far_and_its_prompts() -> None:
    spec = read_spec(json.dumps(example("interactive")))
    assert isinstance(spec.output, InteractiveOutput)
    assert spec.output.prompts[0] == PromptChannel("point", positive=True)
    assert (spec.in_channels, spec.out_channels) == (9, 2)


def test_how_grids_and_tiles_lie_is_read_and_a_wrong_word_refused() -> None:
    content = example()
    content["input"] |= {"grid": "centres", "orientation": None, "axes": [2, 1, 0]}
    content["tiling"] |= {"even": True, "pad": "edge"}
    content["output"] |= {"carried": "probabilities"}
    jsonschema.validate(content, json.loads((EXAMPLES.parent / "model.schema.json").read_text()))
    spec = read_spec(json.dumps(content))
    assert spec.input.grid is Grid.CENTRES
    assert spec.tiling is not None
    assert (spec.tiling.even, spec.tiling.pad) == (True, "edge")
    assert isinstance(spec.output, SegmentationOutput)
    assert spec.output.carried is Carried.PROBABILITIES
    for path, value in (
        ("input.grid", "middle"),
        ("input.spacing_kji_mm", None),
        ("input.axes", [2, 1, 1]),
        ("tiling.pad", "mirror"),
        ("output.carried", "masks"),
    ):
        with pytest.raises(PackError, match=r"input|tiling|output"):
            read_spec(changed(content, path, value))


@pytest.mark.parametrize("task", ["detection", "interactive"])
@pytest.mark.parametrize(("key", "value"), [("mirror", ["k"]), ("even", True), ("pad", "edge"), ("spread", True)])
def test_what_only_masks_are_put_together_with_is_refused_for_other_tasks(task: str, key: str, value: object) -> None:
    content = example(task)
    content["schema_version"] = 2
    content["tiling"] |= {"even": False, "pad": "zeros", "spread": False}
    assert read_spec(json.dumps(content)).task == task
    content["tiling"][key] = value
    with pytest.raises(PackError, match=f"tiling.{key}; it has to be .*, for this task"):
        read_spec(json.dumps(content))


def test_what_nnunet_does_before_and_between_tiles_can_be_said() -> None:
    content = example("regions")
    content["input"] |= {"spacing_kji_mm": [0, 1, 1.5], "orientation": None, "axes": [2, 0, 1], "intensity_first": True}
    content["tiling"] |= {"spread": True}
    jsonschema.validate(content, json.loads((EXAMPLES.parent / "model.schema.json").read_text()))
    spec = read_spec(json.dumps(content))
    assert spec.input.spacing_kji_mm == (0.0, 1.0, 1.5)
    assert spec.input.axes == (2, 0, 1)
    assert spec.input.intensity_first
    assert spec.tiling is not None
    assert spec.tiling.spread
    plain = read_spec(json.dumps(example("regions")))
    assert plain.tiling is not None
    assert (plain.input.axes, plain.input.intensity_first, plain.tiling.spread) == ((0, 1, 2), False, False)


@pytest.mark.parametrize(
    ("key", "value"),
    [("axes", [0, 0, 1]), ("axes", [0, 1]), ("spacing_kji_mm", [0.01, 1, 1]), ("intensity_first", "yes")],
)
def test_axes_and_spacings_that_cannot_be_are_refused(key: str, value: object) -> None:
    content = example("regions")
    with pytest.raises(PackError, match=f"input.{key}"):
        read_spec(changed(content, f"input.{key}", value))
    turned = changed(content, "input.orientation", "SPL")
    with pytest.raises(PackError, match="orientation null"):
        read_spec(changed(json.loads(turned), "input.axes", [1, 0, 2]))
