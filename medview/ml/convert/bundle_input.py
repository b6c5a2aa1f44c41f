"""MONAI's preprocessing as the ``input`` of a pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from medview.ml.convert.bundle_config import Arguments, BundleConfig, Component
from medview.ml.convert.foreign_json import is_number

EVERYWHERE = ("keys", "allow_missing_keys", "meta_keys", "meta_key_postfix", "device", "dtype", "lazy")
"""Arguments that say how MONAI moves its data about, not what becomes of the values."""

WITHOUT_EFFECT = frozenset(
    {
        "LoadImaged", "EnsureChannelFirstd", "AddChanneld", "AsChannelFirstd", "EnsureTyped", "ToTensord", "ToDeviced",
        "Identityd", "DeleteItemsd", "SelectItemsd", "FromMetaTensord", "ToMetaTensord",
    }
)  # fmt: skip
"""Transforms that leave the values as they are."""

_LARGEST = 1e9


@dataclass
class InputRead:
    """What the transforms read so far make of an image.

    Attributes
    ----------
    orientation : str or None
        MONAI's axis codes; None while none was given.
    spacing_mm : list of float or None
        Along MONAI's axes.
    edges : bool
        Whether grids cover the same extent.
    intensity : list of dict
        Steps of a pack.
    crop : str
    before : int
        How many of the steps come before resampling.
    remarks : list of str
        What a person should know of differences.
    """

    channels: int
    orientation: str | None = None
    spacing_mm: list[float] | None = None
    edges: bool = False
    intensity: list[dict[str, object]] = field(default_factory=list)
    crop: str = "none"
    before: int = 0
    remarks: list[str] = field(default_factory=list)


def read_preprocessing(config: BundleConfig, raw: object, where: str, channels: int) -> InputRead:
    """Read a list of transforms or a ``Compose``.

    Raises
    ------
    PackError
        When a transform is unknown or needs code.
    """
    read = InputRead(channels)
    image: str | None = None
    for component in config.components(raw, where):
        keys = _keys(config, component)
        if image is None and keys:
            image = keys[0]
        if image is not None and keys and image not in keys:
            continue
        if component.name in WITHOUT_EFFECT:
            continue
        given = Arguments(config, component, EVERYWHERE)
        if component.name == "CastToTyped":
            kind = component.arguments.get("dtype", "float32")
            if "int" in str(kind):
                config.refuse(f"{component.where}#dtype", kind, "rounds values, which MedView does not,")
            continue
        reader = _READERS.get(component.name)
        if reader is None:
            config.refuse(f"{component.where}#_target_", component.name, "uses a transform MedView does not have")
        reader(given, read)
        given.end()
    if 0 < read.before < len(read.intensity):
        read.remarks.append("Some steps on values come before resampling in MONAI, and all after it here.")
    return read


def _keys(config: BundleConfig, component: Component) -> list[str]:
    found = config.value(component.arguments.get("keys", []), f"{component.where}#keys")
    return [key for key in (found if isinstance(found, list) else [found]) if isinstance(key, str)]


def _orientation(given: Arguments, read: InputRead) -> None:
    codes = given.take("axcodes")
    letters = "".join(codes) if isinstance(codes, list) and all(isinstance(c, str) for c in codes) else codes
    if given.flag("as_closest_canonical"):
        letters = "RAS"
    if not isinstance(letters, str) or len(letters) != 3 or not set(letters.upper()) <= set("RLAPSI"):
        given.wrong("axcodes", "has no three axes")
    given.take("image_only")
    if read.spacing_mm is not None:
        if len(set(read.spacing_mm)) != 1:
            given.wrong("axcodes", "turns the axes after resampling them to different spacings, which MedView does not,")
        read.remarks.append("Axes are turned before resampling here, and after it in MONAI.")
    read.orientation = letters.upper()


def _spacing(given: Arguments, read: InputRead) -> None:
    spacing = given.numbers("pixdim")
    spacing = spacing * 3 if len(spacing) == 1 else spacing
    if len(spacing) != 3 or min(spacing) <= 0:
        given.wrong("pixdim", "has no three spacings")
    mode = given.take("mode", "bilinear")
    mode = mode[0] if isinstance(mode, list) and mode else mode
    if mode not in ("bilinear", "trilinear", "linear", 1):
        given.wrong("mode", "interpolates in a way MedView does not")
    if given.flag("diagonal") or given.take("min_pixdim") is not None or given.take("max_pixdim") is not None:
        given.wrong("pixdim", "depends on the image in a way MedView does not have")
    for name in ("padding_mode", "align_corners", "image_only", "recompute_affine", "ensure_same_shape"):
        given.take(name)
    read.before = len(read.intensity)
    read.edges = given.flag("scale_extent")
    read.spacing_mm = [float(side) for side in spacing]


def _normalise(given: Arguments, read: InputRead) -> None:
    subtract, divide = given.take("subtrahend"), given.take("divisor")
    nonzero, each = given.flag("nonzero"), given.flag("channel_wise")
    given.take("ensure_same_shape")
    if subtract is None and divide is None:
        if read.channels > 1 and not each:
            given.wrong("channel_wise", "normalises all channels together, which MedView does not,")
        read.intensity.append({"op": "zscore_nonzero" if nonzero else "zscore"})
        return
    subtract, divide = _one(subtract), _one(divide)
    if nonzero or subtract is None or not divide:
        given.wrong("subtrahend", "normalises in a way MedView does not have")
    read.intensity.append({"op": "shift_scale", "subtract": subtract, "divide": divide})


def _scale(given: Arguments, read: InputRead) -> None:
    low, high, factor = given.take("minv", 0.0), given.take("maxv", 1.0), given.take("factor")
    if read.channels > 1 and not given.flag("channel_wise"):
        given.wrong("channel_wise", "scales all channels together, which MedView does not,")
    given.flag("channel_wise")
    if low is None and high is None and _one(factor) not in (None, -1.0):
        read.intensity.append({"op": "shift_scale", "subtract": 0.0, "divide": 1.0 / (1.0 + float(_one(factor) or 0.0))})
        return
    read.intensity.append({"op": "minmax"})
    _spread(given, read, low, high, "minv")


def _scale_range(given: Arguments, read: InputRead) -> None:
    a_low, a_high = given.number("a_min", 0.0), given.number("a_max", 0.0)
    b_low, b_high = given.take("b_min"), given.take("b_max")
    if not -_LARGEST <= a_low < a_high <= _LARGEST:
        given.wrong("a_max", "has no range of values")
    if given.flag("clip") and b_low is not None and b_high is not None:
        read.intensity.append({"op": "clip", "low": a_low, "high": a_high})
    read.intensity.append({"op": "scale", "low": a_low, "high": a_high})
    if b_low is not None or b_high is not None:
        _spread(given, read, b_low, b_high, "b_min")


def _scale_percentiles(given: Arguments, read: InputRead) -> None:
    low, high = given.number("lower", 0.0) / 100.0, given.number("upper", 100.0) / 100.0
    if given.flag("relative") or not 0.0 <= low < high <= 1.0:
        given.wrong("lower", "scales in a way MedView does not have")
    if read.channels > 1 and not given.flag("channel_wise"):
        given.wrong("channel_wise", "scales all channels together, which MedView does not,")
    given.flag("channel_wise")
    read.intensity.append({"op": "quantile", "low": low, "high": high})
    if given.flag("clip"):
        read.intensity.append({"op": "clip", "low": 0.0, "high": 1.0})
    _spread(given, read, given.take("b_min", 0.0), given.take("b_max", 1.0), "b_min")


def _spread(given: Arguments, read: InputRead, low: object, high: object, name: str) -> None:
    """Bring 0..1 to another range."""
    to_low, to_high = _one(low), _one(high)
    if to_low is None or to_high is None or not to_low < to_high:
        given.wrong(name, "has no range of values")
    if (to_low, to_high) != (0.0, 1.0):
        wide = to_high - to_low
        read.intensity.append({"op": "shift_scale", "subtract": -to_low / wide, "divide": 1.0 / wide})


def _threshold(given: Arguments, read: InputRead) -> None:
    limit, above, instead = given.number("threshold", 0.0), given.flag("above", True), given.number("cval", 0.0)
    if limit != instead:
        given.wrong("cval", "replaces values in a way MedView does not")
    low, high = (limit, _LARGEST) if above else (-_LARGEST, limit)
    read.intensity.append({"op": "clip", "low": low, "high": high})


def _crop(given: Arguments, read: InputRead) -> None:
    if any(given.numbers("margin", 0)) or given.take("select_fn") is not None or given.take("channel_indices") is not None:
        given.wrong("margin", "crops in a way MedView does not")
    for name in ("source_key", "allow_smaller", "k_divisible", "mode", "start_coord_key", "end_coord_key", "pad_kwargs"):
        given.take(name)
    if not read.intensity:
        read.crop = "nonzero"
        read.remarks.append("It is cropped to what is not 0; MONAI crops to what is above 0.")
    else:
        read.remarks.append("MONAI crops to the foreground before it cuts tiles; here the whole volume is tiled.")


def _one(found: object) -> float | None:
    """Return a number, which may stand alone in a list."""
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return float(found) if is_number(found) else None


_READERS: Mapping[str, Callable[[Arguments, InputRead], None]] = {
    "Orientationd": _orientation,
    "Spacingd": _spacing,
    "NormalizeIntensityd": _normalise,
    "ScaleIntensityd": _scale,
    "ScaleIntensityRanged": _scale_range,
    "ScaleIntensityRangePercentilesd": _scale_percentiles,
    "ThresholdIntensityd": _threshold,
    "CropForegroundd": _crop,
}
