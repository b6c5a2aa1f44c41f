"""MONAI bundles become packs without running their code, and their packs answer as MONAI does."""

from __future__ import annotations

import copy
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from scipy import ndimage

from medview.core.errors import PackError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.convert import monai_bundle
from medview.ml.outputs import Carried, SegmentationOutput
from medview.ml.packs import ModelPack, load_pack
from medview.ml.predict import PredictRequest
from medview.ml.registry import Registry
from medview.ml.runners.finish import postprocess
from medview.ml.runners.run import predict
from medview.ml.spec import Grid
from medview.workspace.models import add_model
from tests.ml.convert import bundles
from tests.ml.convert.bundles import (
    INVERTED,
    LOADED,
    SAVED,
    SOFTMAX,
    SPLEEN_LIKE,
    UNET,
    WINDOW,
    inference,
    metadata,
    monai_network,
    on_answer,
    on_image,
    spleen_like,
    write_bundle,
)
from tests.ml.small_packs import ct_volume, oblique_geometry

transforms = pytest.importorskip("monai.transforms")


def converted(folder: Path, about: dict[str, Any], program: dict[str, Any], network: torch.nn.Module) -> ModelPack:
    write_bundle(folder / "two_organs", about, program, network)
    monai_bundle.convert(folder / "two_organs", folder / "pack")
    return load_pack(folder / "pack")


RAS = np.diag([-1.0, -1.0, 1.0])
"""From LPS to the frame MONAI's affines are in."""


def as_image(voxels: np.ndarray, geometry: Geometry) -> sitk.Image:
    """Return (k, j, i) voxels as SimpleITK sees them."""
    axes = geometry.affine_lps[:3, :3][:, ::-1]
    spacing = np.linalg.norm(axes, axis=0)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((axes / spacing).ravel().tolist())
    image.SetOrigin(geometry.affine_lps[:3, 3].tolist())
    return image


NOT_HERE = ("Invertd", "KeepLargestConnectedComponentd")
"""What MONAI needs the chain for, or libraries that are not here."""


def largest_of(labels: np.ndarray, values: list[int]) -> np.ndarray:
    """Keep the largest piece of some labels, as scipy finds it."""
    for value in values:
        pieces, _ = ndimage.label(labels == value, np.ones((3,) * labels.ndim))
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        labels = np.where((labels == value) & (pieces != sizes.argmax()), 0, labels)
    return labels


def monais_answer(program: dict[str, Any], network: torch.nn.Module, *volumes: Volume) -> np.ndarray:
    """Run the bundle's own transforms, inferer and network by MONAI; labels (k, j, i), or masks (n, k, j, i) of regions.

    MONAI turns axes with nibabel, which is not here; SimpleITK does it, which has the same three letters.
    """
    from monai.bundle import ConfigParser
    from monai.data import MetaTensor

    # What loads and saves files stays out; the inverse is given the chain that ran.
    chain_of = program["preprocessing"]["transforms"][2:]
    letters = [step["axcodes"] for step in chain_of if step["_target_"] == "Orientationd"]
    after = [step for step in program["postprocessing"]["transforms"] if step["_target_"] != "SaveImaged"]
    parser = ConfigParser(
        {
            "image_key": "image",
            "chain": {"_target_": "Compose", "transforms": [s for s in chain_of if s["_target_"] != "Orientationd"]},
            "inferer": program["inferer"],
            "after": {"_target_": "Compose", "transforms": [s for s in after if s["_target_"] not in NOT_HERE]},
        }
    )
    chain, steps = parser.get_parsed_content("chain"), list(parser.get_parsed_content("after").transforms)
    images = [as_image(volume.values().astype(np.float32), volume.geometry) for volume in volumes]
    turns = [sitk.DICOMOrient(image, letters[0]) if letters else image for image in images]
    stored, turned = images[0], turns[0]
    affine = np.eye(4)
    affine[:3, :3] = RAS @ np.reshape(turned.GetDirection(), (3, 3)) @ np.diag(turned.GetSpacing())
    affine[:3, 3] = RAS @ np.asarray(turned.GetOrigin())
    columns_first = np.stack([sitk.GetArrayFromImage(image).transpose(2, 1, 0) for image in turns])
    item = chain({"image": MetaTensor(torch.from_numpy(columns_first), affine=affine)})
    with torch.inference_mode():
        item["pred"] = parser.get_parsed_content("inferer")(item["image"][None], network)[0]
    for step in after:
        if step["_target_"] == "Invertd":
            how = {"nearest_interp": step["nearest_interp"]} if "nearest_interp" in step else {}
            item = transforms.Invertd("pred", chain, orig_keys="image", **how)(item)
        elif step["_target_"] in NOT_HERE:
            item["pred"] = largest_of(np.asarray(item["pred"]), step["applied_labels"])
        else:
            item = steps.pop(0)(item)
    back = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(stored.GetDirection())
    found = []
    for channel in np.asarray(item["pred"]):
        labels = sitk.GetImageFromArray(channel.transpose(2, 1, 0).astype(np.uint8))
        labels.CopyInformation(turned)
        found.append(sitk.GetArrayFromImage(sitk.DICOMOrient(labels, back) if letters else labels))
    return found[0] if len(found) == 1 else np.stack(found)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * np.logical_and(a, b).sum() / max(1, a.sum() + b.sum()))


def ours(pack: ModelPack, volume: Volume) -> np.ndarray:
    found = predict(PredictRequest(volume, pack, device="cpu"), Inline())
    assert found.mask is not None
    labels = np.zeros(volume.geometry.shape_kji, dtype=np.uint8)
    labels[found.mask.box.slices] = found.mask.voxels
    return labels


def balanced(network: torch.nn.Module, volume: Volume) -> torch.nn.Module:
    """Shift the last biases so that each class wins somewhere."""
    last = [m for m in network.modules() if getattr(m, "bias", None) is not None and hasattr(m, "out_channels")][-1]
    values = torch.from_numpy(volume.values()).float()[None, None]
    with torch.no_grad():
        seen = (values[..., :16, :32, :32] + 900) / 1100
        logits = network(seen.clamp(0, 1))
        last.bias.sub_(logits.mean(dim=(0, 2, 3, 4)))
    return network


NEAREST = [
    on_answer("Activationsd", softmax=True),
    on_answer("AsDiscreted", argmax=True),
    {**INVERTED, "nearest_interp": True},
    SAVED,
]


def test_a_bundle_answers_as_monai_does(tmp_path: Path) -> None:
    volume = ct_volume((24, 40, 52), oblique_geometry((24, 40, 52)))
    about, program = spleen_like()
    network = balanced(monai_network(UNET), volume)
    pack = converted(tmp_path, about, program, network)
    expected, found = monais_answer(program, network, volume), ours(pack, volume)
    assert set(np.unique(expected)) == {0, 1, 2}
    for value in (1, 2):
        assert dice(expected == value, found == value) >= 0.999


LEFT_OUT = {key: value for key, value in INVERTED.items() if key != "nearest_interp"}
TO_LABELS = [on_answer("Activationsd", softmax=True), on_answer("AsDiscreted", argmax=True)]


@pytest.mark.parametrize(
    ("inverted", "place"),
    [(LEFT_OUT, 0), (LEFT_OUT, 1), (LEFT_OUT, 2), ({**INVERTED, "nearest_interp": True}, 0)],
)
def test_the_nearest_voxels_are_brought_back_where_monai_does_it(
    tmp_path: Path, inverted: dict[str, Any], place: int
) -> None:
    # No voxel of these spacings lies halfway between two of the model's, where rounding errors choose in MONAI.
    volume = ct_volume((24, 40, 52), oblique_geometry((24, 40, 52), (3.2, 1.3, 0.9)))
    about, program = spleen_like()
    program["postprocessing"]["transforms"] = [*TO_LABELS[:place], inverted, *TO_LABELS[place:], SAVED]
    network = balanced(monai_network(UNET), volume)
    pack = converted(tmp_path, about, program, network)
    assert isinstance(pack.spec.output, SegmentationOutput)
    assert pack.spec.output.carried is Carried.LABELS
    expected, found = monais_answer(program, network, volume), ours(pack, volume)
    for value in (1, 2):
        assert dice(expected == value, found == value) >= 0.999


def test_only_voxels_halfway_between_two_of_the_model_may_differ_from_monais(tmp_path: Path) -> None:
    shape, spacing = (24, 40, 52), (3.1, 1.3, 0.9)
    volume = ct_volume(shape, oblique_geometry(shape, spacing))
    about, program = spleen_like()
    program["postprocessing"]["transforms"] = [*TO_LABELS, LEFT_OUT, SAVED]
    network = balanced(monai_network(UNET), volume)
    pack = converted(tmp_path, about, program, network)
    assert "Halfway between two voxels" in pack.spec.card.limitations
    differ = monais_answer(program, network, volume) != ours(pack, volume)
    halfway = np.zeros(shape, dtype=bool)
    for axis, (step, model) in enumerate(zip(spacing, (2.0, 1.5, 1.5), strict=True)):
        places = np.arange(shape[axis]) * step / model
        halfway |= (abs(places % 1.0 - 0.5) < 1e-6).reshape([-1 if n == axis else 1 for n in range(3)])
    assert 0 < halfway.mean() < 0.05
    assert (differ & ~halfway).mean() < 0.0005


@pytest.mark.parametrize(
    ("definition", "preprocessing", "window", "postprocessing"),
    [
        (
            {"_target_": "SegResNet", "init_filters": 8, "in_channels": 1, "out_channels": 3, "blocks_down": [1, 2],
             "blocks_up": [1], "dropout_prob": 0.2},
            [*LOADED, on_image("Orientationd", axcodes="LPI"), on_image("Spacingd", pixdim=[2.1, 1.4, 1.9]),
             on_image("NormalizeIntensityd", nonzero=True), on_image("ScaleIntensityd", minv=-1.0, maxv=1.0)],
            {**WINDOW, "overlap": 0.25, "mode": "gaussian", "padding_mode": "replicate"},
            NEAREST,
        ),
        (
            {"_target_": "BasicUNet", "in_channels": 1, "out_channels": 3, "features": [4, 4, 6, 8, 8, 4]},
            [*LOADED, on_image("ScaleIntensityRangePercentilesd", lower=1, upper=99, b_min=-1, b_max=1, clip=True)],
            WINDOW,
            [on_answer("AsDiscreted", argmax=True), SAVED],
        ),
        (
            {"_target_": "DynUNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 3, "kernel_size": [3, 3, 3],
             "strides": [1, 2, [2, 2, 1]], "upsample_kernel_size": [2, [2, 2, 1]], "filters": [4, 6, 8],
             "deep_supervision": True},
            SPLEEN_LIKE,
            {**WINDOW, "mode": "gaussian"},
            [INVERTED, on_answer("Activationsd", softmax=True), on_answer("AsDiscreted", argmax=True),
             on_answer("KeepLargestConnectedComponentd", applied_labels=[2])],
        ),
        (
            {"_target_": "AttentionUnet", "spatial_dims": 3, "in_channels": 1, "out_channels": 3, "channels": [4, 6],
             "strides": [2]},
            [*LOADED, on_image("Orientationd", axcodes="PIR"), on_image("NormalizeIntensityd"),
             on_image("Spacingd", pixdim=2.2)],
            WINDOW,
            SOFTMAX,
        ),
    ],
)  # fmt: skip
def test_other_networks_and_chains_answer_as_monai_does(
    tmp_path: Path,
    definition: dict[str, Any],
    preprocessing: list[dict[str, Any]],
    window: dict[str, Any],
    postprocessing: list[dict[str, Any]],
) -> None:
    shape = (21, 38, 45)
    volume = ct_volume(shape, oblique_geometry(shape, (2.7, 1.2, 1.0)))
    program = inference(definition, preprocessing, window, postprocessing)
    network = balanced(monai_network(definition), volume)
    pack = converted(tmp_path, metadata(bundles.ORGANS), program, network)
    expected, found = monais_answer(program, network, volume), ours(pack, volume)
    assert len(np.unique(expected)) >= 2
    for value in (1, 2):
        if (expected == value).sum() > 50:
            assert dice(expected == value, found == value) >= 0.999


def test_the_card_says_what_the_bundle_says(tmp_path: Path) -> None:
    about, program = spleen_like()
    pack = converted(tmp_path, about, program, monai_network(UNET))
    spec = pack.spec
    assert (spec.id, spec.version, spec.name) == ("monai-two-organs", "0.3.1", "Two organs")
    assert spec.summary == "A network that was never trained."
    assert isinstance(spec.output, SegmentationOutput)
    assert [label.name for label in spec.output.labels] == ["left organ", "right organ"]
    assert spec.card.intended_use == "Tests."
    assert spec.card.training_data == "A random generator"
    assert spec.card.metrics == {"mean_dice left": 0.5, "mean_dice right": 0.25}
    assert spec.licence == "Apache License"
    assert "MONAI bundle" in spec.notice
    assert (spec.input.modality, spec.input.unit, spec.input.orientation) == (("CT",), "HU", "RAS")
    assert (spec.input.spacing_kji_mm, spec.input.grid) == ((1.5, 1.5, 2.0), Grid.CENTRES)
    assert spec.tiling is not None
    assert (spec.tiling.tile_kji, spec.tiling.overlap, spec.tiling.even) == ((32, 32, 16), 0.5, True)
    text = (pack.folder / "MODEL_CARD.md").read_text()
    assert "On nothing" in text
    assert "Nobody" in text
    assert "Version 2.0" in (pack.folder / "LICENSE").read_text()


def test_numbers_no_float_holds_are_left_out_of_the_card_and_refused_in_the_chain(tmp_path: Path) -> None:
    about, program = spleen_like()
    about["eval_metrics"] = {"mean_dice": 10**400, "other\x9b": 0.5}
    assert converted(tmp_path / "a", about, program, monai_network(UNET)).spec.card.metrics == {"other": 0.5}
    program["preprocessing"]["transforms"][4]["a_min"] = -(10**400)
    with pytest.raises(PackError, match=r"a_min .*has no number|has no number at .*a_min"):
        converted(tmp_path / "b", about, program, monai_network(UNET))


def test_references_conditions_and_arithmetic_are_worked_out(tmp_path: Path) -> None:
    about, program = spleen_like()
    program["displayable_configs"] = {"highres": False, "overlap": 0.25, "window": "$[2**4 * 2] * 2 + [16]"}
    program["pixdim"] = "$[1.5, 1.5, 1.5] if @displayable_configs#highres else [3.0] * 3"
    program["names"] = ["background", "a", "b"]
    program["modelname"] = "$'model.pt' if @displayable_configs::highres else 'low.pt'"
    program["checkpointloader"]["load_path"] = "$@bundle_root + '/models/' + @modelname"
    program["preprocessing"]["transforms"][3]["pixdim"] = "@pixdim"
    program["preprocessing"]["transforms"][2]["_target_"] = "monai.transforms.OrientationD"
    program["preprocessing"]["transforms"].append(on_image("Lambdad", func="$lambda x: x", _disabled_=True))
    program["inferer"] |= {"roi_size": "@displayable_configs#window", "overlap": "@displayable_configs#overlap"}
    program["network_def"]["out_channels"] = "$len(@names)"
    program["network_def"]["_target_"] = "monai.networks.nets.UNet"
    folder = write_bundle(tmp_path / "b", about, program)
    torch.save({"model": monai_network(UNET).state_dict(), "epoch": 3}, folder / "models" / "low.pt")
    monai_bundle.convert(folder, tmp_path / "pack")
    spec = load_pack(tmp_path / "pack").spec
    assert spec.input.spacing_kji_mm == (3.0, 3.0, 3.0)
    assert spec.tiling is not None
    assert (spec.tiling.tile_kji, spec.tiling.overlap) == ((32, 32, 16), 0.25)
    assert spec.network.kwargs["classes"] == 3


def test_regions_of_several_channels_are_named_and_may_overlap(tmp_path: Path) -> None:
    about = metadata({"0": "Tumor core", "1": "Whole tumor", "2": "Enhancing tumor"})
    image = about["network_data_format"]["inputs"]["image"]
    image |= {"modality": "MRI", "format": "magnitude", "num_channels": 4}
    image["channel_def"] = {"0": "T1c", "1": "T1", "2": "T2", "3": "FLAIR"}
    definition = {"_target_": "SegResNet", "in_channels": 4, "out_channels": 3, "blocks_down": [1, 1], "blocks_up": [1]}
    post = [
        on_answer("Activationsd", sigmoid=True),
        INVERTED,
        on_answer("AsDiscreted", threshold=0.5),
        on_answer("Lambdad", func="$lambda x: x[[2]]"),
        SAVED,
    ]
    chain = [*LOADED, on_image("NormalizeIntensityd", nonzero="True", channel_wise="True")]
    program = inference(definition, chain, WINDOW, post)
    spec = converted(tmp_path, about, program, monai_network(definition)).spec
    assert [channel.name for channel in spec.input.channels] == ["T1c", "T1", "T2", "FLAIR"]
    assert spec.input.channels[0].words
    assert spec.input.modality == ("MR",)
    assert (spec.input.orientation, spec.input.axes, spec.input.spacing_kji_mm) == (None, (2, 1, 0), None)
    assert isinstance(spec.output, SegmentationOutput)
    assert [label.name for label in spec.output.labels] == ["Tumor core", "Whole tumor", "Enhancing tumor"]
    assert (spec.output.activation, spec.output.overlapping) == ("sigmoid", True)
    assert "Lambdad" in spec.card.limitations


REGIONS = [on_answer("Activationsd", sigmoid=True), INVERTED, on_answer("AsDiscreted", threshold=0.5)]
NONZERO = on_image("NormalizeIntensityd", nonzero=True, channel_wise=True)


SPACED = [*LOADED, on_image("Orientationd", axcodes="RAS"), on_image("Spacingd", pixdim=[1.3, 1.3, 1.7]), NONZERO]
NEAREST_REGIONS = [REGIONS[0], REGIONS[2], LEFT_OUT]


@pytest.mark.parametrize(
    ("chain", "postprocessing"),
    [
        ([*LOADED, on_image("CropForegroundd", source_key="image"), NONZERO], REGIONS),
        (SPACED, REGIONS),
        (SPACED, NEAREST_REGIONS),
        (SPACED, [LEFT_OUT, REGIONS[0], REGIONS[2]]),
    ],
)
def test_regions_of_two_sequences_are_those_of_monai(
    tmp_path: Path, chain: list[dict[str, Any]], postprocessing: list[dict[str, Any]]
) -> None:
    shape = (22, 37, 43)
    there = np.zeros(shape, dtype=bool)
    there[2:20, 4:33, 6:40] = True
    volumes = []
    for n in range(2):
        numbers = np.roll(ct_volume(shape).voxels, 5 * n, axis=2) + 1
        geometry = Geometry.from_spacing(shape, (1.6, 1.0, 1.1))
        volumes.append(Volume(np.where(there, numbers, 0).astype(np.uint16), geometry, "MR"))
    about = metadata({"0": "Core", "1": "Whole", "2": "Enhancing"})
    image = about["network_data_format"]["inputs"]["image"]
    image |= {"modality": "MR", "format": "magnitude", "num_channels": 2, "channel_def": {"0": "T1c", "1": "FLAIR"}}
    definition = {"_target_": "SegResNet", "in_channels": 2, "out_channels": 3, "blocks_down": [1, 1], "blocks_up": [1]}
    program = inference(definition, chain, WINDOW, postprocessing)
    network = monai_network(definition)
    pack = converted(tmp_path, about, program, network)
    expected = monais_answer(program, network, *volumes)
    found = predict(PredictRequest(volumes[0], pack, device="cpu", others=(volumes[1],)), Inline())
    masks = np.zeros_like(expected, dtype=bool)
    for part in found.masks:
        for segment in part.segments:
            masks[segment.value - 1][part.box.slices] |= part.voxels == segment.value
    assert (expected.sum(axis=(1, 2, 3)) > 100).sum() >= 2
    for judged, mask in zip(expected, masks, strict=True):
        assert dice(judged == 1, mask) >= 0.999 or judged.sum() < 100


def steps_of(
    folder: Path, labels: dict[str, str], classes: int, *postprocessing: dict[str, Any]
) -> tuple[list[tuple[str, tuple[int, ...]]], str, ModelPack]:
    """Return the names and values of a pack's last steps, what its card warns of, and the pack."""
    definition = {**UNET, "out_channels": classes}
    program = inference(definition, SPLEEN_LIKE, WINDOW, list(postprocessing))
    pack = converted(folder, metadata(labels), program, monai_network(definition))
    return [(step.op, step.values) for step in pack.spec.postprocess], pack.spec.card.limitations, pack


ONE, THREE = {"0": "lesion"}, {"0": "core", "1": "whole", "2": "rim"}
MASKS, MAP = [REGIONS[0], REGIONS[2]], TO_LABELS


@pytest.mark.parametrize(
    ("labels", "before", "arguments", "values"),
    [
        # One mask is a map of 0 and 1 to MONAI.
        (ONE, MASKS, {}, [()]),
        (ONE, MASKS, {"applied_labels": [1]}, [()]),
        (ONE, MASKS, {"applied_labels": 1, "is_onehot": False}, [()]),
        (ONE, MASKS, {"applied_labels": [0]}, []),
        (ONE, MASKS, {"applied_labels": [0], "is_onehot": True}, [()]),
        # Several masks are channels that count from 0, and the first is background to MONAI where nothing is said.
        (THREE, MASKS, {"applied_labels": [0, 2]}, [(1, 3)]),
        (THREE, MASKS, {"applied_labels": [0, 1, 2], "is_onehot": True}, [()]),
        (THREE, MASKS, {}, [(2, 3)]),
        (bundles.ORGANS, MAP, {}, [()]),
        (bundles.ORGANS, MAP, {"applied_labels": [2]}, [(2,)]),
        (bundles.ORGANS, MAP, {"applied_labels": [0]}, []),
        (bundles.ORGANS, [MAP[0], {**MAP[1], "to_onehot": 3}], {"applied_labels": [1], "is_onehot": True}, [(1,)]),
    ],
)
def test_largest_pieces_are_of_the_labels_monai_means(
    tmp_path: Path,
    labels: dict[str, str],
    before: list[dict[str, Any]],
    arguments: dict[str, Any],
    values: list[tuple[int, ...]],
) -> None:
    kept = on_answer("KeepLargestConnectedComponentd", **arguments)
    steps, _, _ = steps_of(tmp_path, labels, len(labels), *before, kept)
    assert steps == [("largest_component", one) for one in values]


@pytest.mark.parametrize(("arguments", "kept"), [({"applied_labels": [1]}, 1), ({"applied_labels": [0]}, 2), ({}, 1)])
def test_the_largest_piece_of_one_mask_is_monais(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], kept: int
) -> None:
    # MONAI finds pieces by a library that is not here; which labels it looks at is its own.
    def largest(mask: torch.Tensor, *_how: object) -> torch.Tensor:
        return torch.from_numpy(largest_of(mask.numpy().astype(np.uint8), [1])) == 1

    monkeypatch.setattr("monai.transforms.post.array.get_largest_connected_component_mask", largest)
    pieces = np.zeros((1, 6, 7, 8), dtype=np.float32)
    pieces[0, :2, :3, :4] = pieces[0, 4:, 5:, 6:] = 1.0
    judged = transforms.KeepLargestConnectedComponent(**arguments)(torch.from_numpy(pieces.copy())).numpy()[0]
    assert ndimage.label(judged)[1] == kept
    _, _, pack = steps_of(tmp_path, ONE, 1, *MASKS, on_answer("KeepLargestConnectedComponentd", **arguments))
    found = pieces[0].astype(np.uint8)
    postprocess(found, pack.spec.postprocess, 1.0, Inline())
    assert np.array_equal(found, judged)


def test_small_pieces_are_measured_on_the_grid_they_are_counted_on(tmp_path: Path) -> None:
    small = on_answer("RemoveSmallObjectsd", min_size=10, connectivity=3)
    steps, warned, pack = steps_of(tmp_path / "a", ONE, 1, *MASKS, small, LEFT_OUT)
    assert steps == [("remove_small", ())]
    assert pack.spec.postprocess[0].numbers["min_mm3"] == pytest.approx(10 * 1.5 * 1.5 * 2.0)
    assert "on the model's grid in MONAI" in warned
    assert "touch" not in warned
    disabled = {**LEFT_OUT, "_disabled_": True}
    assert steps_of(tmp_path / "b", ONE, 1, *MASKS, disabled, small)[0] == [("remove_small", ())]
    with pytest.raises(PackError, match="counts voxels of a grid it does not describe"):
        steps_of(tmp_path / "c", ONE, 1, *MASKS, LEFT_OUT, small)
    measured = on_answer("RemoveSmallObjectsd", min_size=10, by_measure=True)
    _, warned, pack = steps_of(tmp_path / "d", ONE, 1, *MASKS, LEFT_OUT, measured)
    assert pack.spec.postprocess[0].numbers["min_mm3"] == 10
    assert "touch by edges or corners count as one here" in warned


def test_what_small_pieces_and_interpolated_labels_are_in_monai_is_told(tmp_path: Path) -> None:
    small = {"by_measure": True, "min_size": 10}
    _, warned, _ = steps_of(tmp_path / "a", bundles.ORGANS, 3, *MAP, INVERTED, on_answer("RemoveSmallObjectsd", **small))
    assert "MONAI interpolates between the numbers of labels" in warned
    assert "MONAI drops whole labels" in warned
    joined = on_answer("RemoveSmallObjectsd", independent_channels=False, **small)
    _, warned, _ = steps_of(tmp_path / "b", THREE, 3, *MASKS, joined, on_answer("KeepLargestConnectedComponentd"))
    assert "of all labels together in MONAI" in warned


@pytest.mark.parametrize(("version", "merging"), [("1.4.0", "old"), ("1.5.0", "first"), ("1.10", "first"), ("", "first")])
def test_swin_unetrs_merge_as_in_the_monai_they_were_made_with(tmp_path: Path, version: str, merging: str) -> None:
    definition = {
        "_target_": "SwinUNETR",
        "spatial_dims": 3,
        "img_size": 96,
        "in_channels": 1,
        "out_channels": 3,
        "feature_size": 12,
        "depths": [1, 1, 1, 1],
        "use_checkpoint": False,
    }
    program = inference(definition, SPLEEN_LIKE, {**WINDOW, "roi_size": [96, 96, 96]}, SOFTMAX)
    # Newer MONAIs do not know the size any more.
    network = monai_network({key: value for key, value in definition.items() if key != "img_size"})
    pack = converted(tmp_path, metadata(bundles.ORGANS, monai_version=version), program, network)
    assert pack.spec.network.kwargs["merging"] == merging


def test_a_network_of_slices_looks_at_the_slices_monai_looks_at(tmp_path: Path) -> None:
    definition = {**UNET, "spatial_dims": 2}
    program = inference(
        definition,
        [*LOADED, on_image("ScaleIntensityd")],
        {"_target_": "SliceInferer", "roi_size": [32, 32], "spatial_dim": 2},
        [on_answer("Activationsd", softmax=True), on_answer("AsDiscreted", argmax=True)],
    )
    shape = (5, 40, 36)
    volume = ct_volume(shape, Geometry.from_spacing(shape, (4.0, 1.0, 1.0)))
    network = monai_network(definition)
    pack = converted(tmp_path, metadata(bundles.ORGANS), program, network)
    assert pack.spec.input.dimensions == 2
    assert pack.spec.input.axes == (0, 2, 1)
    expected, found = monais_answer(program, network, volume), ours(pack, volume)
    assert (expected == found).mean() > 0.999
    assert len(np.unique(expected)) >= 2


def test_a_zip_of_a_bundle_is_added_by_a_child_process(tmp_path: Path) -> None:
    about, program = spleen_like()
    folder = write_bundle(tmp_path / "inner" / "two_organs", about, program, monai_network(UNET))
    archive = tmp_path / "two_organs_v0.3.1.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                zipped.write(path, path.relative_to(tmp_path / "inner"))
    registry = Registry(tmp_path / "none", tmp_path / "user")
    pack = add_model(archive, registry)
    assert pack.spec.id == "monai-two-organs"
    assert [known.spec.id for known in registry.list()] == ["monai-two-organs"]


def changed(program: dict[str, Any], way: str, value: object) -> dict[str, Any]:
    program = copy.deepcopy(program)
    *keys, last = way.split(".")
    inner: Any = program
    for key in keys:
        inner = inner[int(key)] if key.isdigit() else inner[key]
    inner[int(last) if last.isdigit() else last] = value
    return program


@pytest.mark.parametrize(
    ("way", "value", "told"),
    [
        (
            "network_def.out_channels",
            "$__import__('os').getpid()",
            r"needs code at network_def#out_channels \(\$__import__",
        ),
        ("network_def", "$monai.networks.nets.UNet(3, 1, 2)", r"needs code at network_def \(\$monai"),
        ("network_def._target_", "os.system", r"not MONAI's own at network_def#_target_ \(os.system\)"),
        ("network_def._target_", "scripts.net.MyNet", r"not MONAI's own .*scripts.net.MyNet"),
        ("network_def._target_", "VNet", "a network that MedView does not have .*VNet"),
        ("network_def.act", ["relu", {"strange": 1}], "activation MedView does not have"),
        ("network_def.norm", "layer", "normalisation MedView does not have"),
        ("network_def.unheard_of", 1, "asks UNet for something MedView does not have"),
        ("network_def.in_channels", "@nowhere", "refers to nothing"),
        ("network_def.in_channels", "%configs/other.json", "includes another file"),
        ("preprocessing.transforms.3.pixdim", "$[x for x in (1, 2, 3)]", r"needs code at preprocessing.*pixdim"),
        ("preprocessing.transforms.3.pixdim", [1.0, -1, 1.0], "has no three spacings"),
        ("preprocessing.transforms.4._target_", "scripts.transforms.Mine", "not MONAI's own"),
        ("preprocessing.transforms.4._target_", "RandGaussianNoised", "a transform MedView does not have"),
        ("preprocessing", "$@preprocessing_transforms + @extra", "needs code"),
        ("inferer._target_", "SimpleInferer", "runs the network in a way MedView does not"),
        ("inferer.roi_size", [96, 96, -1], "has no size of tiles"),
        ("postprocessing.transforms.2", on_answer("AsDiscreted", threshold=0.3), "threshold other than one half"),
        ("postprocessing.transforms.1", on_answer("Lambdad", func="$lambda x: x"), "Lambdad"),
        ("postprocessing.transforms.1.post_func", "$lambda x: x > 0", r"needs code at .*post_func \(\$lambda"),
        ("postprocessing.transforms.1.post_func", "threshold", r"needs code at .*post_func \(threshold"),
        ("postprocessing.transforms.1.unheard_of", 1, "asks Invertd for something MedView does not have"),
        ("postprocessing.transforms.1.transform", "@inferer", "undoes something other than preprocessing"),
        ("postprocessing.transforms.1.transform", None, "undoes something other than preprocessing"),
        ("postprocessing.transforms.1.nearest_interp", "maybe", "has no true or false"),
        ("postprocessing.transforms.0", on_answer("KeepLargestConnectedComponentd"), "before there are labels"),
        ("postprocessing.transforms.0", on_answer("RemoveSmallObjectsd", by_measure=True), "before there are labels"),
        ("postprocessing.transforms.3", on_answer("RemoveSmallObjectsd"), "counts voxels of a grid it does not describe"),
        ("postprocessing.transforms", [], "does not say how answers become labels"),
    ],
)
def test_what_needs_code_is_refused_with_its_line(tmp_path: Path, way: str, value: object, told: str) -> None:
    about, program = spleen_like()
    write_bundle(tmp_path / "b", about, changed(program, way, value), monai_network(UNET))
    with pytest.raises(PackError, match=told) as refused:
        monai_bundle.convert(tmp_path / "b", tmp_path / "pack")
    assert "inference.json of b" in refused.value.sentence
    assert "\n" not in refused.value.sentence
    assert not (tmp_path / "pack").exists()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    about, program = spleen_like()
    write_bundle(tmp_path / "b", about, program, monai_network({**UNET, "channels": [4, 6, 8]}))
    with pytest.raises(PackError, match="not those of the network"):
        monai_bundle.convert(tmp_path / "b", tmp_path / "pack")


def test_a_bundle_without_weights_or_with_a_program_only_says_so(tmp_path: Path) -> None:
    about, program = spleen_like()
    folder = write_bundle(tmp_path / "b", about, program)
    with pytest.raises(PackError, match="has no weights"):
        monai_bundle.convert(folder, tmp_path / "pack")
    (folder / "models" / "model.ts").write_bytes(b"PK\x03\x04")
    with pytest.raises(PackError, match="TorchScript program"):
        monai_bundle.convert(folder, tmp_path / "pack")


def test_a_bundle_in_yaml_says_so(tmp_path: Path) -> None:
    about, program = spleen_like()
    folder = write_bundle(tmp_path / "b", about, program)
    (folder / "configs" / "inference.json").rename(folder / "configs" / "inference.yaml")
    with pytest.raises(PackError, match=r"inference\.yaml is YAML"):
        monai_bundle.convert(folder, tmp_path / "pack")


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    about, program = spleen_like()
    folder = write_bundle(tmp_path / "b", about, program)
    text = json.dumps(program)
    (folder / "configs" / "inference.json").write_text(text[:-1] + ', "network_def": {}}')
    with pytest.raises(PackError, match="cannot be read as JSON"):
        monai_bundle.convert(folder, tmp_path / "pack")
