"""Models of red, green and blue look at pictures in colour, in the runner and from the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save

from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.packs import ModelPack, write_pack
from medview.ml.predict import PredictRequest
from medview.ml.registry import fits
from medview.ml.runners.run import predict
from tests.cli.conftest import Cli
from tests.cli.conftest import cli as cli
from tests.ml.small_packs import document, small_network

COLOURS = ["red", "green", "blue"]


def _pack(folder: Path, channels: list[str], **changes: object) -> ModelPack:
    kwargs = {
        "in_channels": len(channels),
        "classes": 1,
        "dimensions": 2,
        "channels": [8, 8, 8],
        "width": 8,
        "first_level": 1,
    }
    content = document("detection", network={"name": "fpn_detector", "kwargs": kwargs}, schema_version=2, **changes)
    shift = [{"op": "shift_scale", "subtract": 128, "divide": 64}]
    content["input"] |= {"channels": channels, "modality": [], "unit": "", "dimensions": 2, "spacing_kji_mm": None}
    content["input"] |= {"orientation": None, "intensity": shift}
    content["tiling"] = {"tile_kji": [1, 40, 56], "overlap": 0.25, "blend": "gaussian"}
    content["output"] |= {"score_threshold": 0.05, "max_boxes": 8}
    network = small_network("fpn_detector", kwargs)
    torch.nn.init.constant_(network.logits.bias, 0.0)  # type: ignore[union-attr, arg-type]
    files = {"weights.safetensors": save(network.state_dict()), "LICENSE": b"CC0\n", "MODEL_CARD.md": b"# Random\n"}
    return write_pack(folder, content, files)


def _picture(colour: bool = True) -> Volume:
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 255, (1, 44, 60, 3) if colour else (1, 44, 60)).astype(np.uint8)
    grid = replace(Geometry.from_spacing((1, 44, 60), (1.0, 1.0, 1.0)), calibration=Calibration.PIXELS)
    return Volume(pixels, grid)


def _boxes(request: PredictRequest) -> list[tuple[float, ...]]:
    found = predict(request, Inline()).boxes
    assert found
    return [(*np.concatenate(box.bounds_kji(request.volume.geometry)).tolist(), box.score or 0.0) for box in found]


def test_a_picture_in_colour_is_all_three_channels(tmp_path: Path) -> None:
    pack, picture = _pack(tmp_path / "pack", COLOURS), _picture()
    parts = [replace(picture, voxels=picture.voxels[..., n]) for n in range(3)]
    whole = _boxes(PredictRequest(picture, pack, "cpu"))
    assert whole == _boxes(PredictRequest(parts[0], pack, "cpu", others=tuple(parts[1:])))
    assert whole != _boxes(PredictRequest(parts[2], pack, "cpu", others=(parts[1], parts[0])))


def test_a_grey_picture_stands_three_times(tmp_path: Path) -> None:
    pack, grey = _pack(tmp_path / "pack", COLOURS), _picture(colour=False)
    assert _boxes(PredictRequest(grey, pack, "cpu")) == _boxes(PredictRequest(grey, pack, "cpu", others=(grey, grey)))


def test_one_picture_without_millimetres_fits_and_of_one_in_colour_grey_models_see_the_brightness(tmp_path: Path) -> None:
    of_colours, of_grey = _pack(tmp_path / "colours", COLOURS).spec, _pack(tmp_path / "grey", ["image"]).spec
    picture = _picture()
    assert fits(of_colours, "", picture.geometry, "", colour=True).ok
    assert fits(of_colours, "", picture.geometry, "", colour=False).ok
    seen = fits(of_grey, "", picture.geometry, "", colour=True)
    assert seen.ok
    assert "looks at the brightness" in seen.reason
    channel = replace(of_grey.input.channels[0], modality=("DX",))
    of_xrays = replace(of_grey, input=replace(of_grey.input, channels=(channel,)))
    refused = fits(of_xrays, "", picture.geometry, "", colour=True)
    assert not refused.ok
    assert "takes grey images" in refused.reason
    assert not of_colours.input.several
    # Other triples are three series.
    assert _pack(tmp_path / "series", ["a", "b", "c"]).spec.input.several


def test_predict_takes_one_file_in_colour(cli: Cli, tmp_path: Path) -> None:
    pack, picture = _pack(tmp_path / "pack", COLOURS, id="cells"), _picture()
    Image.fromarray(picture.voxels[0]).save(tmp_path / "cells.png")
    assert cli("models", "add", pack.folder, "--json").code == 0
    done = cli("predict", "cells", tmp_path / "cells.png", "-o", tmp_path / "out", "--device", "cpu", "--json")
    assert done.code == 0, done.err
    assert (tmp_path / "out" / "boxes.json").is_file()
    assert "inputs" not in done.document


@pytest.mark.parametrize("channels", [COLOURS, ["image"]])
def test_what_a_model_needs_is_said_as_one_thing(channels: list[str], tmp_path: Path) -> None:
    from medview.gui.parts.model_card import needs_text

    text = needs_text(_pack(tmp_path / "pack", channels).spec)
    assert ("in colour" in text) is (len(channels) == 3)
    assert "2-D" in text
