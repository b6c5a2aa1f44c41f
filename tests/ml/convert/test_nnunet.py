"""Trained nnU-Net folders become packs; what would need nnU-Net's code is refused by its key."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from medview.core.errors import PackError
from medview.ml.convert import formats, nnunet
from medview.ml.outputs import SegmentationOutput
from medview.ml.packs import ModelPack, load_pack
from medview.ml.registry import Registry
from medview.ml.spec import Crop, Interpolation, Step
from medview.ml.texts import LONGEST_LICENCE_BYTES
from medview.ml.weights import build_network
from medview.workspace.models import add_model
from tests.ml.convert.nnunet_folders import (
    NAME,
    checkpoint,
    configuration,
    dataset_json,
    network,
    old_configuration,
    plans_json,
    trained_folder,
)
from tests.ml.convert.test_brainchop import run_child


def converted(folder: Path, states: list[dict[str, torch.Tensor]] | None = None, **given: Any) -> ModelPack:
    nnunet.convert(trained_folder(folder, states or [network().state_dict()], **given), folder / "pack")
    return load_pack(folder / "pack")


def loaded(pack: ModelPack, file: str = "weights.safetensors") -> torch.nn.Module:
    from safetensors.torch import load_file

    made = build_network(pack.spec.network)
    made.load_state_dict(load_file(pack.folder / file), strict=True, assign=True)
    return made.eval()


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize(("flat", "old"), [(False, False), (True, False), (False, True)])
def test_the_network_of_the_plans_gets_the_weights_of_the_checkpoint(
    tmp_path: Path, residual: bool, flat: bool, old: bool
) -> None:
    trained = network(flat=flat, residual=residual)
    name = "2d" if flat else "3d_fullres"
    described = old_configuration(residual=residual) if old else configuration(flat=flat, residual=residual)
    axes = (0, 1) if flat else (0, 1, 2)
    pack = converted(
        tmp_path,
        [trained.state_dict()],
        name=name,
        plans=plans_json({name: described}),
        inference_allowed_mirroring_axes=axes,
    )
    volume = torch.randn(1, 1, 16, 16) if flat else torch.randn(1, 1, 8, 16, 16)
    with torch.no_grad():
        assert torch.equal(loaded(pack)(volume), trained(volume))
    assert pack.spec.input.dimensions == (2 if flat else 3)
    assert pack.spec.tiling is not None
    assert pack.spec.tiling.tile_kji == ((1, 24, 32) if flat else (12, 16, 24))
    assert pack.spec.tiling.mirror_axes == ((1, 2) if flat else (0, 1, 2))
    assert pack.spec.input.spacing_kji_mm == ((0.0, 1.5, 1.25) if flat else (2.5, 1.5, 1.25))


def test_what_nnunet_does_before_the_network_is_what_the_pack_says(tmp_path: Path) -> None:
    given = configuration(channels=3)
    given["use_mask_for_norm"] = [False, True, False]
    given["normalization_schemes"] = ["CTNormalization", "ZScoreNormalization", "RescaleTo01Normalization"]
    pack = converted(
        tmp_path,
        [network(channels=3).state_dict()],
        dataset=dataset_json(channel_names={"0": "CT", "1": "T1ce", "2": "PET"}),
        plans=plans_json({"3d_fullres": given}),
    )
    wanted = pack.spec.input
    assert [channel.name for channel in wanted.channels] == ["CT", "T1ce", "PET"]
    assert [channel.modality for channel in wanted.channels] == [("CT",), ("MR",), ("PT",)]
    assert [channel.unit for channel in wanted.channels] == ["HU", "", ""]
    assert "t1" in wanted.channels[1].words
    assert [channel.intensity for channel in wanted.channels] == [
        (Step("clip", {"low": -900.0, "high": 350.0}), Step("shift_scale", {"subtract": -120.5, "divide": 310.25})),
        (Step("zscore_inside"),),
        (Step("minmax"),),
    ]
    assert wanted.crop is Crop.NONZERO
    assert wanted.interpolation is Interpolation.CUBIC
    assert wanted.intensity_first
    assert wanted.orientation is None
    assert pack.spec.tiling is not None
    assert (pack.spec.tiling.overlap, pack.spec.tiling.spread) == (0.5, True)


@pytest.mark.parametrize(
    ("reader", "axes", "orientation", "stored"),
    [
        ("SimpleITKIO", [2, 0, 1], None, (2, 0, 1)),
        ("NibabelIO", [0, 1, 2], None, (0, 1, 2)),
        ("NibabelIOWithReorient", [2, 0, 1], "RSA", (0, 1, 2)),
    ],
)
def test_axes_are_those_of_the_reader_in_the_order_of_the_plans(
    tmp_path: Path, reader: str, axes: list[int], orientation: str | None, stored: tuple[int, int, int]
) -> None:
    back = [axes.index(n) for n in range(3)]
    plans = plans_json(
        {"3d_fullres": configuration()}, image_reader_writer=reader, transpose_forward=axes, transpose_backward=back
    )
    wanted = converted(tmp_path, plans=plans).spec.input
    assert (wanted.orientation, wanted.axes) == (orientation, stored)


def test_regions_keep_their_names_and_stay_whole(tmp_path: Path) -> None:
    dataset = dataset_json(
        labels={"background": 0, "whole tumour": [1, 2, 3], "tumour core": [2, 3], "enhancing": 3, "ignore": 4},
        regions_class_order=[1, 2, 3],
    )
    pack = converted(tmp_path, dataset=dataset)
    output = pack.spec.output
    assert isinstance(output, SegmentationOutput)
    assert (output.activation, output.overlapping, pack.spec.out_channels) == ("sigmoid", True, 3)
    assert [label.name for label in output.labels] == ["whole tumour", "tumour core", "enhancing"]


def test_an_ignored_label_has_no_channel(tmp_path: Path) -> None:
    labels = {"background": 0, "b": 2, "a": 1, "ignore": 3}
    output = converted(tmp_path, dataset=dataset_json(labels=labels)).spec.output
    assert isinstance(output, SegmentationOutput)
    assert [(label.value, label.name) for label in output.labels] == [(1, "a"), (2, "b")]


def test_every_fold_is_a_member_and_what_is_not_final_is_left_out(tmp_path: Path) -> None:
    states = [network(seed=n).state_dict() for n in range(3)]
    trained = trained_folder(tmp_path, states)
    (trained / "fold_1" / "checkpoint_final.pth").rename(trained / "fold_1" / "checkpoint_best.pth")
    (trained / "fold_all").mkdir()
    torch.save(checkpoint(network(seed=9).state_dict()), trained / "fold_all" / "checkpoint_final.pth")
    nnunet.convert(trained, tmp_path / "pack")
    pack = load_pack(tmp_path / "pack")
    assert pack.spec.ensemble == ("weights.safetensors", "fold_1.safetensors")
    name = "encoder.stages.0.0.convs.0.conv.weight"
    for file, n in (("weights.safetensors", 0), ("fold_1.safetensors", 2)):
        assert torch.equal(loaded(pack, file).get_parameter(name), states[n][name])
    for fold in ("fold_0", "fold_1", "fold_2"):
        shutil.rmtree(trained / fold)
    nnunet.convert(trained, tmp_path / "whole")
    assert load_pack(tmp_path / "whole").spec.ensemble == ("weights.safetensors",)
    assert load_pack(tmp_path / "whole").spec.version != pack.spec.version


def test_a_folder_above_is_enough_while_it_holds_one_training(tmp_path: Path) -> None:
    trained = trained_folder(tmp_path / "results", [network().state_dict()])
    formats.convert(tmp_path / "results", tmp_path / "pack")
    assert load_pack(tmp_path / "pack").spec.name == "Synthetic 3d_fullres (nnU-Net)"
    shutil.copytree(trained, trained.with_name("nnUNetTrainer__nnUNetPlans__again"))
    with pytest.raises(PackError, match="holds 2 trained nnU-Net folders; choose one of them"):
        formats.convert(tmp_path / "results", tmp_path / "other")


def test_a_zip_is_installed_as_models_are_added(tmp_path: Path) -> None:
    trained_folder(tmp_path / "results", [network().state_dict(), network(seed=2).state_dict()])
    shutil.make_archive(str(tmp_path / "model"), "zip", tmp_path / "results")
    pack = add_model(tmp_path / "model.zip", Registry(tmp_path / "bundled", tmp_path / "user"))
    assert pack.spec.ensemble == ("weights.safetensors", "fold_1.safetensors")
    assert pack.available


@pytest.mark.parametrize("name", ["../out/plans.json", "/etc/plans.json", "a\\..\\b", "a//b"])
def test_a_zip_that_reaches_outside_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as zipped:
        zipped.writestr("dataset.json", "{}")
        zipped.writestr(name, "{}")
    with pytest.raises(PackError, match="would not stay inside"):
        formats.convert(tmp_path / "model.zip", tmp_path / "pack")


def test_the_licence_and_the_fingerprint_of_the_folder_go_along(tmp_path: Path) -> None:
    trained = trained_folder(tmp_path, [network().state_dict()])
    assert trained.parent.name == NAME
    (trained.parent / "LICENSE").write_text("\nCC BY 4.0\nmore\n")
    spacings = [[3.0, 0.7, 0.8], [5.0, 0.9, 0.6]]
    (trained / "dataset_fingerprint.json").write_text(json.dumps({"spacings": spacings}))
    nnunet.convert(trained.parent, tmp_path / "pack")
    pack = load_pack(tmp_path / "pack")
    assert pack.spec.licence == "CC BY 4.0"
    assert (pack.folder / "LICENSE").read_text().startswith("CC BY 4.0")
    assert len(pack.spec.card.training_set_sha256) == 64
    assert pack.spec.input.checks.spacing_kji_mm == ((3.0, 5.0), (0.7, 0.9), (0.6, 0.8))
    # The person chose the training itself: what lies above was not.
    nnunet.convert(trained, tmp_path / "without")
    assert load_pack(tmp_path / "without").spec.licence == "not stated by the source"


def test_a_licence_that_is_a_link_is_not_read_and_a_long_one_is_cut(tmp_path: Path) -> None:
    trained = trained_folder(tmp_path / "results", [network().state_dict()])
    (tmp_path / "private").write_text("secret\n")
    (trained / "LICENSE").symlink_to(tmp_path / "private")
    nnunet.convert(trained, tmp_path / "linked")
    assert load_pack(tmp_path / "linked").spec.licence == "not stated by the source"
    assert "secret" not in (tmp_path / "linked" / "LICENSE").read_text()
    (trained / "LICENSE").unlink()
    (trained / "LICENSE").write_text("Mine\n" + "x" * (3 << 20))
    nnunet.convert(trained, tmp_path / "long")
    assert (tmp_path / "long" / "LICENSE").stat().st_size == LONGEST_LICENCE_BYTES


def test_texts_of_the_training_are_cleaned_where_a_pack_takes_them(tmp_path: Path) -> None:
    dataset = dataset_json(
        channel_names={"0": "CT\tarterial\u200b", "1": " "}, labels={"background": 0, "a\x7fb": 1, "c": 2}
    )
    plans = plans_json({"3d_fullres": configuration(channels=2)})
    trained = trained_folder(tmp_path, [network(channels=2).state_dict()], dataset=dataset, plans=plans)
    (trained / "LICENSE").write_text("\t\nCC\tBY\u00a04.0 \nmore\n")
    (trained / "medview.json").write_text(json.dumps({"modality": ["CT\t", "M\u200eR"]}))
    nnunet.convert(trained, tmp_path / "pack")
    spec = load_pack(tmp_path / "pack").spec
    assert spec.licence == "CC BY 4.0"
    assert [channel.name for channel in spec.input.channels] == ["CT arterial", "Channel 2"]
    assert isinstance(spec.output, SegmentationOutput)
    assert [label.name for label in spec.output.labels] == ["a b", "c"]
    assert spec.input.channels[0].modality == ("CT", "M R")
    (trained / "medview.json").write_text(json.dumps({"modality": ["\t"]}))
    with pytest.raises(PackError, match="modality"):
        nnunet.convert(trained, tmp_path / "other")


def test_what_a_person_says_beside_completes_what_nnunet_leaves_open(tmp_path: Path) -> None:
    plans = plans_json({"3d_fullres": configuration()}, transpose_forward=[2, 0, 1], transpose_backward=[1, 2, 0])
    trained = trained_folder(tmp_path, [network().state_dict()], plans=plans)
    said = {"orientation": "SAL", "name": "Liver", "version": "2.1.0", "licence": "CC BY 4.0", "modality": ["MR", "CT"]}
    (trained / "medview.json").write_text(json.dumps(said))
    nnunet.convert(trained, tmp_path / "pack")
    spec = load_pack(tmp_path / "pack").spec
    assert (spec.input.orientation, spec.input.axes) == ("LSA", (0, 1, 2))
    assert (spec.name, spec.version, spec.licence) == ("Liver", "2.1.0", "CC BY 4.0")
    assert spec.input.channels[0].modality == ("MR", "CT")
    assert spec.card.limitations == ""
    for wrong in ({"orientation": "SAS"}, {"orientation": "up"}, {"surprise": 1}, {"version": "1 0"}):
        (trained / "medview.json").write_text(json.dumps(wrong))
        with pytest.raises(PackError, match=r"orientation|surprise|version"):
            nnunet.convert(trained, tmp_path / "other")


def test_a_quick_version_stands_beside_the_whole_one(tmp_path: Path) -> None:
    trained = trained_folder(tmp_path / "results", [network(seed=n).state_dict() for n in range(3)])
    registry = Registry(tmp_path / "bundled", tmp_path / "user")
    nnunet.convert(trained, tmp_path / "whole")
    whole = registry.add(tmp_path / "whole")
    (trained / "medview.json").write_text(json.dumps({"mirror": False, "folds": [2]}))
    nnunet.convert(trained, tmp_path / "quick")
    quick = registry.add(tmp_path / "quick")
    assert whole.spec.tiling is not None
    assert quick.spec.tiling is not None
    assert (whole.spec.tiling.mirror_axes, quick.spec.tiling.mirror_axes) == ((0, 1, 2), ())
    assert (len(whole.spec.ensemble), len(quick.spec.ensemble)) == (3, 1)
    assert (whole.spec.id, whole.spec.version != quick.spec.version) == (quick.spec.id, True)
    name = "encoder.stages.0.0.convs.0.conv.weight"
    assert torch.equal(loaded(quick).get_parameter(name), network(seed=2).get_parameter(name))
    for wrong in ({"folds": [7]}, {"folds": []}, {"mirror": "no"}):
        (trained / "medview.json").write_text(json.dumps(wrong))
        with pytest.raises(PackError, match=r"folds|mirror"):
            nnunet.convert(trained, tmp_path / "other")


def changed(path: str, value: Any, **more: Any) -> dict[str, Any]:
    described = configuration(**more)
    *way, last = path.split(".")
    inner = described
    for key in way:
        inner = inner[key]
    inner[last] = value
    return plans_json({"3d_fullres": described})


@pytest.mark.parametrize(
    ("plans", "said"),
    [
        (changed("previous_stage", "3d_lowres"), "previous_stage"),
        (changed("preprocessor_name", "MyPreprocessor"), "preprocessor_name"),
        (changed("normalization_schemes", ["MyNormalization"]), "normalization_schemes"),
        (changed("resampling_fn_data", "my_resampling"), "resampling_fn_data"),
        (changed("resampling_fn_data_kwargs.force_separate_z", True), "force_separate_z"),
        (changed("resampling_fn_data_kwargs", {"order": 3, "order_z": 0}), "force_separate_z"),
        (changed("resampling_fn_data_kwargs.separate_z_anisotropy_threshold", 5), "separate_z_anisotropy_threshold"),
        (changed("resampling_fn_data_kwargs.is_seg", True), "is_seg"),
        (changed("resampling_fn_probabilities_kwargs", {"order_z": 0, "force_separate_z": None}), "order"),
        (changed("architecture.arch_kwargs.nonlin", None), "nonlin"),
        (changed("architecture.arch_kwargs.n_stages", 10**400), "n_stages"),
        (changed("spacing", [10**400, 1, 1]), "spacing"),
        (changed("architecture.network_class_name", "my.package.Transformer"), "network_class_name"),
        (changed("architecture.arch_kwargs.norm_op", "torch.nn.BatchNorm3d"), "norm_op"),
        (changed("architecture.arch_kwargs.nonlin", "os.system"), "nonlin"),
        (changed("architecture.arch_kwargs.block", "my.Block"), "block"),
        (changed("architecture.arch_kwargs.attention", True), "attention"),
        (changed("architecture.arch_kwargs.strides", [[1, 1, 1], [0, 2, 2], [2, 2, 2]]), "strides"),
        (changed("spacing", [0, 1, 1]), "spacing"),
        (changed("inherits_from", "3d_fullres"), "3d_fullres"),
        (plans_json({"3d_fullres": configuration()}, label_manager="Mine"), "label_manager"),
        (plans_json({"3d_fullres": configuration()}, image_reader_writer="NaturalImage2DIO"), "image_reader_writer"),
        (plans_json({"3d_fullres": configuration()}, transpose_backward=[1, 0, 2]), "transpose_backward"),
        (plans_json({"2d": configuration()}), "which configuration"),
        ([], "plans.json"),
    ],
)
def test_what_needs_code_of_nnunet_is_refused_by_its_key(tmp_path: Path, plans: Any, said: str) -> None:
    trained = trained_folder(tmp_path, [network().state_dict()])
    (trained / "plans.json").write_text(json.dumps(plans))
    with pytest.raises(PackError) as caught:
        nnunet.convert(trained, tmp_path / "pack")
    assert said in caught.value.sentence
    assert "\n" not in caught.value.sentence
    assert not (tmp_path / "pack").exists()


@pytest.mark.parametrize(
    "labels",
    [
        {"0": "background", "1": "liver"},
        {"background": 0, "liver": 2},
        {"background": 0, "liver": 1, "tumour": 1},
        {"background": 0},
        {"liver": 1},
        {"background": 0, "core": [1, 2], "rest": 1},
        {"background": 0, "liver": "one"},
    ],
)
def test_labels_no_training_has_are_refused(tmp_path: Path, labels: dict[str, Any]) -> None:
    with pytest.raises(PackError, match=r"labels|regions_class_order"):
        converted(tmp_path, dataset=dataset_json(labels=labels))


def test_what_a_configuration_inherits_is_there(tmp_path: Path) -> None:
    plans = plans_json(
        {"3d_fullres": configuration(), "3d_small": {"inherits_from": "3d_fullres", "patch_size": [8, 16, 16]}}
    )
    pack = converted(tmp_path, name="3d_small", plans=plans)
    assert pack.spec.tiling is not None
    assert pack.spec.tiling.tile_kji == (8, 16, 16)
    assert "3d-small" in pack.spec.id


class Bomb:
    """Unpickling this leaves a folder behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.path),))


def test_a_checkpoint_that_would_run_code_does_not_and_is_refused_in_one_sentence(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trained = trained_folder(tmp_path / "a", [network().state_dict()], logging={"x": Bomb(trap)})
    done = run_child(trained, tmp_path / "pack")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == (
        "checkpoint_final.pth of fold_0 needs posix.mkdir, which could run code, so it was not read; "
        "ask for a checkpoint as nnU-Net saves it."
    )
    assert not trap.exists()
    assert not (tmp_path / "pack").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x80\x02}q\x00.", "fold_0"),
        (b"PK\x03\x04" + bytes(64), "damaged"),
        (b"hello", "fold_0"),
    ],
)
def test_damaged_checkpoints_give_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    trained = trained_folder(tmp_path, [network().state_dict()])
    (trained / "fold_0" / "checkpoint_final.pth").write_bytes(content)
    with pytest.raises(PackError, match=said):
        nnunet.convert(trained, tmp_path / "pack")


def test_weights_of_another_network_and_folds_that_differ_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"not those of the network in plans\.json"):
        converted(tmp_path / "a", [network(residual=True).state_dict()])
    trained = trained_folder(tmp_path / "b", [network().state_dict()] * 2)
    torch.save(
        checkpoint(network().state_dict(), inference_allowed_mirroring_axes=None), trained / "fold_1/checkpoint_final.pth"
    )
    with pytest.raises(PackError, match="not trained alike"):
        nnunet.convert(trained, tmp_path / "pack")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_of_a_failed_training_are_refused(tmp_path: Path, number: float) -> None:
    states = [network().state_dict(), network(seed=2).state_dict()]
    next(iter(states[1].values())).view(-1)[3] = number
    with pytest.raises(PackError, match="weights of fold_1 hold numbers that are not finite"):
        converted(tmp_path, states)


def test_a_threshold_as_nnunet_has_it_may_be_said_and_an_activation_must_be(tmp_path: Path) -> None:
    plans = changed("resampling_fn_data_kwargs.separate_z_anisotropy_threshold", 3)
    described = plans["configurations"]["3d_fullres"]
    assert converted(tmp_path / "a", plans=plans).spec.input.interpolation is Interpolation.CUBIC
    del described["architecture"]["arch_kwargs"]["nonlin"]
    with pytest.raises(PackError, match=r"nonlin; it has to be torch\.nn\.LeakyReLU"):
        converted(tmp_path / "b", plans=plans)


def test_names_of_compiled_and_distributed_networks_are_the_same_names(tmp_path: Path) -> None:
    state = network().state_dict()
    wrapped = OrderedDict((f"module._orig_mod.{name}", tensor) for name, tensor in state.items())
    pack = converted(tmp_path, [wrapped])
    assert all(torch.equal(tensor, state[name]) for name, tensor in loaded(pack).state_dict().items())


def test_a_training_without_mirroring_is_not_mirrored(tmp_path: Path) -> None:
    pack = converted(tmp_path, inference_allowed_mirroring_axes=None, trainer_name="nnUNetTrainerNoMirroring")
    assert pack.spec.tiling is not None
    assert pack.spec.tiling.mirror_axes == ()
    assert "nomirroring" in pack.spec.id
