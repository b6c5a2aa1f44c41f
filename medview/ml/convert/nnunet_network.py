"""nnU-Net's plans to a network of MedView's table: the architecture of one configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medview.ml.convert.foreign_json import ForeignObject

NETWORKS: Mapping[str, tuple[str, str]] = {
    "PlainConvUNet": ("nnunet_plain", "n_conv_per_stage"),
    "ResidualEncoderUNet": ("nnunet_residual", "n_blocks_per_stage"),
}
"""Last part of nnU-Net's class name to the name in MedView's table, and the key of the encoder's units."""

NEEDS_CODE = "which needs code that MedView does not run"

_FIXED: Mapping[str, tuple[object, ...]] = {
    "norm_op": ("torch.nn.modules.instancenorm.InstanceNorm2d", "torch.nn.modules.instancenorm.InstanceNorm3d"),
    "dropout_op": (None,),
    "nonlin": ("torch.nn.LeakyReLU", "torch.nn.modules.activation.LeakyReLU"),
    "nonlin_kwargs": ({"inplace": True}, {"inplace": False}, {}, None),
    "norm_op_kwargs": ({"eps": 1e-05, "affine": True}, {"affine": True}),
    "nonlin_first": (False,),
    "stem_channels": (None,),
    "bottleneck_channels": (None,),
    "stochastic_depth_p": (0, 0.0),
    "squeeze_excitation": (False,),
    "block": (None, "dynamic_network_architectures.building_blocks.residual.BasicBlockD"),
}
"""What MedView's networks do, and all that nnU-Net's own plans say."""

_READ = {
    "n_stages",
    "features_per_stage",
    "conv_op",
    "kernel_sizes",
    "strides",
    "n_conv_per_stage",
    "n_blocks_per_stage",
    "n_conv_per_stage_decoder",
    "conv_bias",
}
_WITHOUT_MEANING = {
    "deep_supervision",
    "dropout_op_kwargs",
    "input_channels",
    "num_classes",
    "squeeze_excitation_reduction_ratio",
}
"""Said of training, or of what is fixed otherwise."""


def configuration_of(plans: ForeignObject, name: str) -> ForeignObject:
    """Return a configuration with what it inherits.

    Raises
    ------
    PackError
        When there is none of that name.
    """
    configurations = plans.inside("configurations")
    merged: dict[str, object] = {}
    following: str | None = name
    asked: list[str] = []
    while following is not None:
        if following in asked or not configurations.has(following):
            configurations.lacks(following, "a configuration")
        asked.append(following)
        one = configurations.inside(following)
        merged = {**one.content, **merged}
        following = one.text("inherits_from") if one.has("inherits_from") else None
    return ForeignObject(merged, plans.file, f"configurations.{name}.")


def network_of(configuration: ForeignObject, channels: int, classes: int) -> dict[str, object]:
    """Return the ``network`` of a ``model.json``.

    Raises
    ------
    PackError
        When the plans describe another network than nnU-Net's own two.
    """
    dimensions = len(configuration.items("patch_size", (2, 3)))
    if not configuration.has("architecture"):
        return _of_old_plans(configuration, dimensions, channels, classes)
    architecture = configuration.inside("architecture")
    kind = _kind(architecture, "network_class_name")
    kwargs = architecture.inside("arch_kwargs")
    for key, value in kwargs.content.items():
        if key not in _READ | _WITHOUT_MEANING and value not in _FIXED.get(key, ()):
            kwargs.cannot(key, NEEDS_CODE)
    if not kwargs.has("nonlin"):
        # Its own networks have no activation at all then.
        kwargs.lacks("nonlin", f"{_FIXED['nonlin'][0]}, as in the plans that nnU-Net makes")
    convolution = f"torch.nn.modules.conv.Conv{dimensions}d"
    if kwargs.text("conv_op", convolution) not in (convolution, f"torch.nn.Conv{dimensions}d"):
        kwargs.cannot("conv_op", f"which does not suit a patch_size of {dimensions} sides")
    stages = int(kwargs.number("n_stages"))
    if not 2 <= stages <= 12:
        kwargs.lacks("n_stages", "a number of stages")
    return _network(
        kind,
        channels,
        classes,
        _per_stage(kwargs, "features_per_stage", stages),
        _sides(kwargs, "kernel_sizes", stages, dimensions),
        _sides(kwargs, "strides", stages, dimensions),
        _per_stage(kwargs, NETWORKS[kind][1], stages),
        _per_stage(kwargs, "n_conv_per_stage_decoder", stages - 1),
        bias=bool(kwargs.content.get("conv_bias", False)),
    )


def _of_old_plans(configuration: ForeignObject, dimensions: int, channels: int, classes: int) -> dict[str, object]:
    kind = _kind(configuration, "UNet_class_name")
    units = configuration.whole_numbers("n_conv_per_stage_encoder")
    stages = len(units)
    first = int(configuration.number("UNet_base_num_features"))
    most = int(configuration.number("unet_max_num_features"))
    return _network(
        kind,
        channels,
        classes,
        [min(first * 2**stage, most) for stage in range(stages)],
        _sides(configuration, "conv_kernel_sizes", stages, dimensions),
        _sides(configuration, "pool_op_kernel_sizes", stages, dimensions),
        units,
        configuration.whole_numbers("n_conv_per_stage_decoder", (stages - 1,)),
        bias=True,
    )


def _network(
    kind: str,
    channels_in: int,
    classes: int,
    channels: Sequence[int],
    kernels: Sequence[Sequence[int]],
    strides: Sequence[Sequence[int]],
    encoder: Sequence[int],
    decoder: Sequence[int],
    *,
    bias: bool,
) -> dict[str, object]:
    kwargs = {
        "in_channels": channels_in,
        "classes": classes,
        "channels": list(channels),
        "kernels": [list(sides) for sides in kernels],
        "strides": [list(sides) for sides in strides],
        "encoder_units": list(encoder),
        "decoder_units": list(decoder),
        "bias": bias,
    }
    return {"name": NETWORKS[kind][0], "kwargs": kwargs}


def _kind(described: ForeignObject, key: str) -> str:
    kind = described.text(key).rpartition(".")[2]
    if kind not in NETWORKS:
        described.cannot(key, NEEDS_CODE)
    return kind


def _per_stage(kwargs: ForeignObject, key: str, count: int) -> list[int]:
    """Return a number per stage; nnU-Net lets one stand for all."""
    found = kwargs.content.get(key)
    if isinstance(found, int) and not isinstance(found, bool):
        return [found] * count
    return kwargs.whole_numbers(key, (count,))


def _sides(kwargs: ForeignObject, key: str, count: int, dimensions: int) -> list[list[int]]:
    """Return sides per stage; one number may stand for all sides, and one for all stages."""
    found = kwargs.content.get(key)
    listed = [found] * count if isinstance(found, int) else kwargs.items(key, (count,))
    sides = [[one] * dimensions if isinstance(one, int) else one for one in listed]
    for one in sides:
        whole = isinstance(one, list) and len(one) == dimensions and all(type(n) is int and 0 < n < 64 for n in one)
        if not whole:
            kwargs.lacks(key, f"{dimensions} whole numbers per stage")
    return [list(one) for one in sides if isinstance(one, list)]
