"""MONAI's inferer and postprocessing as ``tiling``, ``output`` and ``postprocess`` of a pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from medview.ml.convert.bundle_config import Arguments, BundleConfig
from medview.ml.convert.bundle_input import EVERYWHERE
from medview.ml.texts import different

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
    """What becomes of the network's answers.

    Attributes
    ----------
    classes : int
        Channels of the network.
    voxel_mm3 : float or None
        Of the model's grid while answers are on it; None on that of the volume.
    activation, discrete : str
        ``softmax`` or ``sigmoid``; empty before answers become probabilities, and before these become labels.
    onehot : bool
        Whether labels have a channel each.
    """

    classes: int
    voxel_mm3: float | None
    activation: str = ""
    discrete: str = ""
    onehot: bool = False
    carried: str = "logits"
    postprocess: list[dict[str, object]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def remark(self, text: str) -> None:
        """Add what a person should know of a difference, once."""
        if text not in self.remarks:
            self.remarks.append(text)


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


def read_postprocessing(config: BundleConfig, raw: object, where: str, classes: int, voxel_mm3: float | None) -> OutputRead:
    """Read the transforms after the network.

    Parameters
    ----------
    classes : int
        Channels of the network.
    voxel_mm3 : float or None
        Of the model's grid; None for that of the volume.

    Raises
    ------
    PackError
        When a transform is unknown or needs code.
    """
    read = OutputRead(classes, voxel_mm3)
    for component in config.components(raw, where):
        if component.name in WITHOUT_EFFECT:
            continue
        if component.name == "Lambdad" and read.discrete:
            # It only rewrites numbers for a file; the segments are those of the channels.
            read.remark("The bundle ends in code (Lambdad), which is left out: segments are those of the channels.")
            continue
        reader = _READERS.get(component.name)
        if reader is None:
            config.refuse(f"{component.where}#_target_", component.name, "uses a transform MedView does not have")
        given = Arguments(config, component, (*EVERYWHERE, *_ASIDE.get(component.name, ())))
        reader(given, read)
        given.end()
    if not read.activation and read.discrete != "softmax":
        config.refuse(where, "postprocessing", "does not say how answers become labels")
    if read.discrete and read.activation and read.discrete == "softmax":
        read.activation = "softmax"
    read.activation = read.activation or read.discrete
    return read


_ASIDE: Mapping[str, tuple[str, ...]] = {"Invertd": ("transform", "orig_keys", "orig_meta_keys", "to_tensor")}
"""Arguments that need not be worked out."""


def _invert(given: Arguments, read: OutputRead) -> None:
    nearest = given.flag("nearest_interp", True)
    if given.take("post_func") is not None:
        given.wrong("post_func", "needs code")
    if not given.undoes("preprocessing"):
        given.wrong("transform", "undoes something other than preprocessing, which MedView does not,")
    if read.voxel_mm3 is None:
        return
    read.voxel_mm3 = None
    if read.postprocess:
        read.remark("Pieces are looked for in the volume here, and on the model's grid in MONAI.")
    if read.discrete and not nearest:
        read.remark("Labels of the nearest voxel are brought back here; MONAI interpolates between the numbers of labels.")
    if nearest or read.discrete:
        # Whichever the largest answer is of a voxel, it is so before and after the nearest voxel is chosen.
        read.carried = "labels"
        read.remark("Halfway between two voxels of the model either may count as the nearest, here and in MONAI.")
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
    given.take("n_classes")
    if given.take("rounding") is not None or largest == (threshold is not None and threshold is not False):
        given.wrong("threshold", "makes labels in a way MedView does not")
    if not largest and (threshold != 0.5 or read.activation != "sigmoid"):
        given.wrong("threshold", "makes labels by a threshold other than one half of a probability")
    read.discrete = "softmax" if largest else "sigmoid"
    read.onehot = given.take("to_onehot") not in (None, False) if largest else read.classes > 1


def _largest(given: Arguments, read: OutputRead) -> None:
    if not read.discrete:
        given.wrong("applied_labels", "keeps components before there are labels, which MedView does not,")
    if not given.flag("independent", True) or given.whole("num_components", 1) != 1:
        given.wrong("independent", "keeps components in a way MedView does not")
    if given.take("connectivity") not in (None, 3):
        read.remark(_TOUCHING)
    masks = read.discrete == "sigmoid"
    onehot = read.onehot if given.take("is_onehot") is None else given.flag("is_onehot")
    if onehot != read.onehot and (not masks or read.classes > 1):
        given.wrong("is_onehot", "takes labels for something they are not")
    # Channels of masks count from 0, which MONAI takes for the background unless it is told to work on it.
    shift, labels = (1, read.classes) if masks and onehot else (0, read.classes if masks else read.classes - 1)
    first = shift + 1
    values = set(range(first, labels + 1))
    if given.take("applied_labels") is not None:
        values = {int(value) + shift for value in given.numbers("applied_labels")} & set(range(1, labels + 1))
    if values == set(range(1, labels + 1)):
        read.postprocess.append({"op": "largest_component"})
    elif values:
        read.postprocess.append({"op": "largest_component", "values": sorted(values)})


def _small(given: Arguments, read: OutputRead) -> None:
    least, measured = given.number("min_size", 64), given.flag("by_measure")
    given.take("pixdim")
    if not read.discrete:
        given.wrong("min_size", "drops objects before there are labels, which MedView does not,")
    if given.take("connectivity", 1) != 3:
        read.remark(_TOUCHING)
    together, several = not given.flag("independent_channels", True), read.discrete == "softmax" and read.classes > 2
    if together and (several or read.onehot):
        read.remark("Small pieces are those of one label here, and of all labels together in MONAI.")
    elif several and not read.onehot:
        read.remark("Small pieces are dropped one by one here; MONAI drops whole labels of few voxels.")
    if not measured and read.voxel_mm3 is None:
        given.wrong("min_size", "counts voxels of a grid it does not describe")
    read.postprocess.append({"op": "remove_small", "min_mm3": least if measured else least * float(read.voxel_mm3 or 1.0)})


_TOUCHING = "Pieces that touch by edges or corners count as one here, and not in MONAI."

_READERS: Mapping[str, Callable[[Arguments, OutputRead], None]] = {
    "Activationsd": _activate,
    "AsDiscreted": _discrete,
    "Invertd": _invert,
    "KeepLargestConnectedComponentd": _largest,
    "RemoveSmallObjectsd": _small,
    "RemoveSmallObjectd": _small,
}


def labels_of(names: Sequence[str], activation: str, classes: int) -> list[str]:
    """Return the names of the labels, each once, from those of the channels."""
    first = 0 if activation == "sigmoid" else 1
    return different((names[n] if n < len(names) else "" for n in range(first, classes)), "Label")
