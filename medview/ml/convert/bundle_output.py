"""MONAI's inferer and postprocessing as ``tiling``, ``output`` and ``postprocess`` of a pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from medview.ml.convert.bundle_config import Arguments, BundleConfig
from medview.ml.convert.bundle_input import EVERYWHERE
from medview.ml.convert.texts import different

WITHOUT_EFFECT = frozenset(
    {"EnsureTyped", "ToTensord", "ToDeviced", "Identityd", "DeleteItemsd", "SelectItemsd", "CastToTyped", "SaveImaged",
     "FromMetaTensord", "ToMetaTensord", "CopyItemsd"}
)  # fmt: skip

ONLY_SPEED = (
    "sw_batch_size", "device", "sw_device", "progress", "cache_roi_weight_map", "cpu_thresh", "buffer_steps", "buffer_dim",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TilesRead:
    """How a bundle cuts volumes.

    Attributes
    ----------
    roi : tuple of int
        Along MONAI's axes, or along both axes of a slice.
    slice_axis : int or None
        MONAI's axis slices are taken along, for networks of two dimensions.
    """

    roi: tuple[int, ...]
    overlap: float
    even: bool
    pad: str
    slice_axis: int | None = None


@dataclass
class OutputRead:
    """What becomes of the network's answers."""

    activation: str = ""
    discrete: str = ""
    carried: str = "logits"
    postprocess: list[dict[str, object]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_inferer(config: BundleConfig, raw: object, where: str, dimensions: int) -> TilesRead:
    """Read an inferer.

    Raises
    ------
    PackError
        When it is none MedView has.
    """
    component = config.component(raw, where)
    if component.name not in ("SlidingWindowInferer", "SlidingWindowInfererAdapt", "SliceInferer"):
        config.refuse(f"{where}#_target_", component.name, "runs the network in a way MedView does not")
    given = Arguments(config, component, ONLY_SPEED)
    slices = component.name == "SliceInferer"
    axis = given.whole("spatial_dim", 0) if slices else None
    if slices != (dimensions == 2) or axis not in (None, 0, 1, 2):
        config.refuse(f"{where}#_target_", component.name, f"does not suit a network of {dimensions} dimensions")
    sides = given.numbers("roi_size")
    sides = sides * dimensions if len(sides) == 1 else sides
    if len(sides) != dimensions or any(side != int(side) or side < 1 for side in sides):
        given.wrong("roi_size", "has no size of tiles")
    overlap = given.numbers("overlap", 0.25)
    if len(set(overlap)) != 1 or not 0.0 <= overlap[0] <= 0.9:
        given.wrong("overlap", "has no single overlap from 0 to 0.9")
    mode = str(given.take("mode", "constant")).lower()
    if mode not in ("constant", "gaussian") or (mode == "gaussian" and given.numbers("sigma_scale", 0.125) != [0.125]):
        given.wrong("mode", "weighs tiles in a way MedView does not")
    given.take("sigma_scale")
    padding = str(given.take("padding_mode", "constant")).lower()
    if padding not in ("constant", "replicate") or given.number("cval", 0.0) != 0.0:
        given.wrong("padding_mode", "pads small volumes in a way MedView does not")
    given.end()
    pad = "edge" if padding == "replicate" else "zeros"
    return TilesRead(tuple(int(side) for side in sides), float(overlap[0]), mode == "constant", pad, axis)


def read_postprocessing(config: BundleConfig, raw: object, where: str, voxel_mm3: float | None) -> OutputRead:
    """Read the transforms after the network.

    Parameters
    ----------
    voxel_mm3 : float or None
        Of the model's grid; None for that of the volume.

    Raises
    ------
    PackError
        When a transform is unknown or needs code.
    """
    read = OutputRead()
    resampled = voxel_mm3 is not None
    for component in config.components(raw, where):
        if component.name in WITHOUT_EFFECT:
            continue
        if component.name == "Lambdad" and read.discrete:
            # It only rewrites numbers for a file; the segments are those of the channels.
            read.remarks.append("The bundle ends in code (Lambdad), which is left out: segments are those of the channels.")
            continue
        given = Arguments(config, component, EVERYWHERE)
        if component.name == "Invertd":
            _invert(read, resampled=resampled)
            continue
        if component.name == "Activationsd":
            _activate(given, read)
        elif component.name == "AsDiscreted":
            _discrete(given, read)
        elif component.name == "KeepLargestConnectedComponentd":
            _largest(given, read)
        elif component.name in ("RemoveSmallObjectsd", "RemoveSmallObjectd"):
            _small(given, read, voxel_mm3)
        else:
            config.refuse(f"{component.where}#_target_", component.name, "uses a transform MedView does not have")
        given.end()
    if not read.activation and read.discrete != "softmax":
        config.refuse(where, "postprocessing", "does not say how answers become labels")
    if read.discrete and read.activation and read.discrete == "softmax":
        read.activation = "softmax"
    read.activation = read.activation or read.discrete
    if read.carried == "labels" and read.activation == "sigmoid":
        read.carried = "probabilities"
        read.remarks.append("Probabilities are brought back to the volume here, and masks in MONAI.")
    return read


def _invert(read: OutputRead, *, resampled: bool) -> None:
    if not resampled:
        return
    if read.discrete:
        read.carried = "labels"
    elif read.activation:
        read.carried = "probabilities"


def _activate(given: Arguments, read: OutputRead) -> None:
    softmax, sigmoid = given.flag("softmax"), given.flag("sigmoid")
    if softmax == sigmoid or given.take("other") is not None or read.activation:
        given.wrong("softmax", "makes answers of logits in a way MedView does not")
    given.take("kernel_size")
    read.activation = "softmax" if softmax else "sigmoid"


def _discrete(given: Arguments, read: OutputRead) -> None:
    largest, threshold = given.flag("argmax"), given.take("threshold")
    if given.flag("threshold_values"):
        threshold = given.number("logit_thresh", 0.5)
    given.take("logit_thresh")
    given.take("to_onehot")
    given.take("n_classes")
    if given.take("rounding") is not None or largest == (threshold is not None and threshold is not False):
        given.wrong("threshold", "makes labels in a way MedView does not")
    if not largest and (threshold != 0.5 or read.activation != "sigmoid"):
        given.wrong("threshold", "makes labels by a threshold other than one half of a probability")
    read.discrete = "softmax" if largest else "sigmoid"


def _largest(given: Arguments, read: OutputRead) -> None:
    labels = given.take("applied_labels")
    given.take("is_onehot")
    given.take("connectivity")
    if not given.flag("independent", True) or given.whole("num_components", 1) != 1:
        given.wrong("independent", "keeps components in a way MedView does not")
    step: dict[str, object] = {"op": "largest_component"}
    if labels is not None:
        shift = 1 if read.activation == "sigmoid" and read.discrete != "softmax" else 0
        step["values"] = [int(value) + shift for value in given.numbers("applied_labels") if int(value) + shift > 0]
    read.postprocess.append(step)


def _small(given: Arguments, read: OutputRead, voxel_mm3: float | None) -> None:
    least, measured = given.number("min_size", 64), given.flag("by_measure")
    for name in ("connectivity", "independent_channels", "pixdim"):
        given.take(name)
    if not measured and voxel_mm3 is None:
        given.wrong("min_size", "counts voxels of a grid it does not describe")
    read.postprocess.append({"op": "remove_small", "min_mm3": least if measured else least * float(voxel_mm3 or 1.0)})


def labels_of(names: Sequence[str], activation: str, classes: int) -> list[str]:
    """Return the names of the labels, each once, from those of the channels."""
    first = 0 if activation == "sigmoid" else 1
    return different((names[n] if n < len(names) else "" for n in range(first, classes)), "Label")
