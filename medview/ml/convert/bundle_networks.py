"""MONAI's networks by name, to rows of MedView's closed table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from medview.ml.convert.bundle_config import Arguments, BundleConfig
from medview.ml.convert.foreign_json import is_number

TRAINING_ONLY = (
    "dropout", "dropout_prob", "use_checkpoint", "dropout_dim", "drop_rate", "attn_drop_rate", "dropout_path_rate",
)  # fmt: skip
"""Arguments that change nothing when a network answers."""

_NORMS = {"instance": "instance", "instance_nvfuser": "instance", "batch": "batch", "syncbatch": "batch", "group": "group"}
_ACTIVATIONS = (
    "celu", "elu", "gelu", "leakyrelu", "mish", "prelu", "relu", "relu6", "selu", "sigmoid", "swish", "tanh",
)  # fmt: skip
_MERGING = {"merging": "first", "mergingv2": "second"}

MERGING_CHANGED = (1, 5)
"""The MONAI from which SwinUNETR merges all eight voxels of a block (its issue 8284)."""

_SLOPES = {"leakyrelu": ("negative_slope", 0.01), "elu": ("alpha", 1.0), "celu": ("alpha", 1.0)}


@dataclass(frozen=True, slots=True)
class BundleNetwork:
    """A network of a bundle in MedView's words.

    Attributes
    ----------
    name : str
        Row of the closed table.
    kwargs : dict
    copies : tuple of str
        Beginnings of names under which the state dict holds tensors that are not needed.
    endings : tuple of str
        Endings of such names.
    """

    name: str
    kwargs: dict[str, object]
    copies: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()

    @property
    def dimensions(self) -> int:
        """2 for networks of slices."""
        return 2 if self.kwargs["dims"] == 2 else 3

    @property
    def channels(self) -> int:
        """Input channels."""
        return _whole(self.kwargs["in_channels"])

    @property
    def classes(self) -> int:
        """Output channels."""
        return _whole(self.kwargs["classes"])


def read_network(config: BundleConfig, raw: object, where: str, monai_version: str = "") -> BundleNetwork:
    """Read a ``network_def``.

    Parameters
    ----------
    monai_version : str
        That the bundle was made with: one network has changed since.

    Raises
    ------
    PackError
        When MedView does not have the network or describing it needs code.
    """
    component = config.component(raw, where)
    maker = _MAKERS.get(component.name.lower())
    if maker is None:
        config.refuse(f"{where}#_target_", component.name, "names a network that MedView does not have")
    given = Arguments(config, component, TRAINING_ONLY)
    network = maker(given)
    given.end()
    if network.kwargs.get("merging") == "first" and _older(monai_version, MERGING_CHANGED):
        network.kwargs["merging"] = "old"
    return network


def _common(given: Arguments, dims: int | None = None) -> dict[str, object]:
    return {
        "in_channels": given.whole("in_channels", 1),
        "classes": given.whole("out_channels", 2),
        "dims": given.whole("spatial_dims", 3 if dims is None else dims),
    }


def _unet(given: Arguments) -> BundleNetwork:
    kwargs = _common(given) | {
        "channels": given.numbers("channels"),
        "strides": _sides(given, "strides"),
        "kernel": given.take("kernel_size", 3),
        "up_kernel": given.take("up_kernel_size", 3),
        "residual_units": given.whole("num_res_units", 0),
        "order": given.take("adn_ordering", "NDA"),
        "bias": given.flag("bias", True),
    }
    kwargs |= _norm(given, "norm", "instance") | _activation(given, "act", "prelu")
    return BundleNetwork("monai_unet", kwargs)


def _segresnet(given: Arguments) -> BundleNetwork:
    norm = given.take("norm", ["group", {"num_groups": 8}])
    old = given.take("norm_name", "")
    groups = given.whole("num_groups", 8)
    if old:
        norm = [old, {"num_groups": groups}]
    upward = given.take("upsample_mode", "nontrainable")
    if upward not in ("nontrainable", "deconv"):
        given.wrong("upsample_mode", "asks SegResNet for something MedView does not have")
    if not given.flag("use_conv_final", True):
        given.wrong("use_conv_final", "asks SegResNet for something MedView does not have")
    kwargs = _common(given) | {
        "filters": given.whole("init_filters", 8),
        "blocks_down": given.numbers("blocks_down", [1, 2, 2, 4]),
        "blocks_up": given.numbers("blocks_up", [1, 1, 1]),
        "deconv": upward == "deconv",
    }
    kwargs |= _norm_of(given, "norm", norm) | _activation(given, "act", "relu")
    return BundleNetwork("monai_segresnet", kwargs, ("act_mod.",))


def _dynunet(given: Arguments) -> BundleNetwork:
    strides = _sides(given, "strides")
    common = _common(given)
    filters = given.take("filters")
    if filters is None:
        most = 512 if common["dims"] == 2 else 320
        filters = [min(2 ** (5 + n), most) for n in range(len(strides[:12]))]
    if isinstance(filters, list):
        filters = filters[: len(strides)]
    given.take("deep_supervision")
    given.take("deep_supr_num")
    kwargs = common | {
        "kernels": _sides(given, "kernel_size"),
        "strides": strides,
        "up_kernels": _sides(given, "upsample_kernel_size"),
        "filters": filters,
        "residual": given.flag("res_block"),
        "up_bias": given.flag("trans_bias"),
    }
    norm = given.take("norm_name", ["instance", {"affine": True}])
    kwargs |= _norm_of(given, "norm_name", norm) | _activation(given, "act_name", "leakyrelu")
    return BundleNetwork("monai_dynunet", kwargs, ("skip_layers.", "deep_supervision_heads."))


def _basic_unet(given: Arguments) -> BundleNetwork:
    upward = given.take("upsample", "deconv")
    if upward not in ("nontrainable", "deconv"):
        given.wrong("upsample", "asks BasicUNet for something MedView does not have")
    kwargs = _common(given) | {
        "features": given.numbers("features", [32, 32, 64, 128, 256, 32]),
        "deconv": upward == "deconv",
        "bias": given.flag("bias", True),
    }
    norm = given.take("norm", ["instance", {"affine": True}])
    act = given.take("act", ["leakyrelu", {"negative_slope": 0.1}])
    kwargs |= _norm_of(given, "norm", norm) | _activation_of(given, "act", act)
    return BundleNetwork("monai_basicunet", kwargs)


def _attention_unet(given: Arguments) -> BundleNetwork:
    kwargs = _common(given) | {
        "channels": given.numbers("channels"),
        "strides": _sides(given, "strides"),
        "kernel": given.take("kernel_size", 3),
        "up_kernel": given.take("up_kernel_size", 3),
    }
    return BundleNetwork("monai_attention_unet", kwargs)


def _swin_unetr(given: Arguments) -> BundleNetwork:
    # Older bundles name the size of their tiles here; the network does not depend on it.
    given.take("img_size")
    if given.whole("patch_size", 2) != 2:
        given.wrong("patch_size", "asks SwinUNETR for something MedView does not have")
    downsample = given.take("downsample", "merging")
    if downsample not in _MERGING:
        given.wrong("downsample", "asks SwinUNETR for something MedView does not have")
    for name in ("use_hyena", "patch_norm"):
        if given.flag(name):
            given.wrong(name, "asks SwinUNETR for something MedView does not have")
    given.take("use_flash_attention")
    kwargs = _common(given) | {
        "features": given.whole("feature_size", 24),
        "depths": given.numbers("depths", [2, 2, 2, 2]),
        "heads": given.numbers("num_heads", [3, 6, 12, 24]),
        "window": given.take("window_size", 7),
        "ratio": given.number("mlp_ratio", 4.0),
        "qkv_bias": given.flag("qkv_bias", True),
        "normalised": given.flag("normalize", True),
        "second": given.flag("use_v2"),
        "merging": _MERGING[str(downsample)],
    }
    kwargs |= _norm(given, "norm_name", "instance")
    return BundleNetwork("monai_swinunetr", kwargs, endings=("relative_position_index",))


def _older(version: str, than: tuple[int, int]) -> bool:
    found = re.match(r"(\d{1,4})\.(\d{1,4})", version)
    return found is not None and (int(found[1]), int(found[2])) < than


def _norm(given: Arguments, name: str, default: str) -> dict[str, object]:
    return _norm_of(given, name, given.take(name, default))


def _norm_of(given: Arguments, name: str, found: object) -> dict[str, object]:
    kind, more = _layer(given, name, found)
    norm = _NORMS.get(kind)
    affine = more.pop("affine", norm != "instance")
    groups = more.pop("num_groups", 8)
    if norm is None or more.pop("eps", 1e-5) != 1e-5 or more or not isinstance(affine, bool) or not isinstance(groups, int):
        given.wrong(name, "asks for a normalisation MedView does not have")
    return {"norm": norm, "affine": affine, "groups": groups}


def _activation(given: Arguments, name: str, default: str) -> dict[str, object]:
    return _activation_of(given, name, given.take(name, default))


def _activation_of(given: Arguments, name: str, found: object) -> dict[str, object]:
    kind, more = _layer(given, name, found)
    more.pop("inplace", None)
    more.pop("init", None)
    word, usual = _SLOPES.get(kind, ("", 0.01))
    slope = more.pop(word, usual)
    if kind not in _ACTIVATIONS or more.pop("num_parameters", 1) != 1 or more or not is_number(slope):
        given.wrong(name, "asks for an activation MedView does not have")
    return {"act": kind, "slope": float(slope)}


def _layer(given: Arguments, name: str, found: object) -> tuple[str, dict[str, object]]:
    """Return name and arguments of a kind of layer, written as a text or as ``[name, {arguments}]``."""
    kind, more = (found, {}) if isinstance(found, str) else _pair(found)
    if not isinstance(kind, str) or not isinstance(more, dict):
        given.wrong(name, "does not name a kind of layer")
    return kind.lower(), dict(more)


def _pair(found: object) -> tuple[object, object]:
    return (found[0], found[1]) if isinstance(found, list) and len(found) == 2 else (None, None)


def _sides(given: Arguments, name: str) -> list[object]:
    found = given.take(name)
    if not isinstance(found, list):
        given.wrong(name, "has no list")
    return found


def _whole(found: object) -> int:
    return found if isinstance(found, int) else 0


_MAKERS: Mapping[str, Callable[[Arguments], BundleNetwork]] = {
    "unet": _unet,
    "segresnet": _segresnet,
    "dynunet": _dynunet,
    "basicunet": _basic_unet,
    "attentionunet": _attention_unet,
    "swinunetr": _swin_unetr,
}
"""By MONAI's name in lower case: its classes have aliases that differ in that."""
