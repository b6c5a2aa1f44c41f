"""What an nnU-Net training wants to see: channels, normalisation, spacing, axes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from medview.ml.convert.foreign_json import ForeignObject
from medview.ml.convert.nnunet_network import NEEDS_CODE
from medview.ml.spec_input import LEAST_SPACING_MM, MOST_CHANNELS
from medview.ml.texts import different, plain

STORED = ("SimpleITKIO", "NibabelIO", "Tiff3DIO")
"""Readers that leave axes as they are stored, slices first."""

TURNED: Mapping[str, str] = {"NibabelIOWithReorient": "SAR", "SimpleITKIOWithReorient": "SAR"}
"""Readers that turn axes to the patient's directions, slices first."""

RESAMPLING: Mapping[str, str] = {
    "resample_data_or_seg_to_shape": "cubic",
    "resample_data_or_seg_to_spacing": "cubic",
    "resample_torch_fornnunet": "linear",
    "resample_torch_simple": "linear",
}
"""nnU-Net's own functions to the interpolation that comes next to them."""

SEPARATE_UNSAID: Mapping[str, object] = {
    "resample_data_or_seg_to_shape": False,
    "resample_data_or_seg_to_spacing": False,
    "resample_torch_fornnunet": None,
    "resample_torch_simple": False,
}
"""What ``force_separate_z`` is where it is left out: never (False), or where the spacing asks for it (None)."""

COARSE_RATIO = 3
"""nnU-Net's ratio of spacings above which a coarse axis is resampled by itself."""

LARGEST_SPACING_MM = 50.0

_ORIENTATION = re.compile(r"[LRAPSI]{3}")

_KINDS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    (r"ct|ncct|cta|ct[ _-]?hu", "CT", (), ()),
    (r"pet|suv|fdg.*|pt|.*[ _-]pet", "PT", ("pet",), ()),
    (r"(t2[ _-]?)?flair|t2f", "MR", ("flair",), ()),
    (
        r"t1[ _-]?(w[ _-]?)?(c|ce|gd|km|post.*|contrast.*|\+c)|t1.*(gadolin|contrast|post).*",
        "MR",
        ("t1", "gd", "post"),
        ("t2",),
    ),
    (r"t1[ _-]?(w|n|pre|native|weighted)?", "MR", ("t1",), ("gd", "post", "contrast", "t1c")),
    (r"t2[ _-]?(w|weighted|tse)?", "MR", ("t2",), ("flair",)),
    (r"adc", "MR", ("adc",), ()),
    (r"dwi|b[ _-]?\d+|diffusion", "MR", ("dwi",), ("adc",)),
    (r"pd[ _-]?(w)?", "MR", ("pd",), ()),
    (r"swi|t2\*|bold|cine|lge|mra|tof|mri?|mp2?rage.*|dixon.*", "MR", (), ()),
    (r"us|ultrasound", "US", (), ()),
    (r"x[ _-]?ray|cr|dx", "DX", (), ()),
    (r"mammo.*|mg", "MG", (), ()),
)
"""How channels are called, the modality, and words of a series' description for it and against it."""


def channels_of(dataset: ForeignObject, plans: ForeignObject, configuration: ForeignObject) -> list[dict[str, object]]:
    """Return the ``channels`` of a ``model.json``.

    Raises
    ------
    PackError
        When they are normalised in a way that needs code.
    """
    key = "channel_names" if dataset.has("channel_names") else "modality"
    listed = dataset.inside(key)
    numbers = [int(number) for number in listed.content if number.isascii() and number.isdigit()]
    if sorted(numbers) != list(range(len(listed.content))) or not 0 < len(numbers) <= MOST_CHANNELS:
        dataset.lacks(key, f"the names of 1 to {MOST_CHANNELS} channels under 0, 1, 2 and so on")
    names = different((listed.text(str(n)) for n in range(len(numbers))), "Channel")
    schemes = configuration.items("normalization_schemes", (len(names),))
    masked = configuration.items("use_mask_for_norm", (len(names),))
    return [
        {
            "name": name,
            **_kind_of(plain(listed.text(str(n))), str(scheme)),
            "intensity": _steps(plans, configuration, n, str(scheme), masked=bool(masked[n])),
        }
        for n, (name, scheme) in enumerate(zip(names, schemes, strict=True))
    ]


def place_of(dataset: ForeignObject, plans: ForeignObject, said: ForeignObject) -> dict[str, object]:
    """Return how axes are turned: ``orientation`` and ``axes`` of a ``model.json``.

    Parameters
    ----------
    said : ForeignObject
        May say the orientation of images that nnU-Net takes as they are stored.

    Raises
    ------
    PackError
        When images are read in a way that MedView does not know.
    """
    found, key = plans, "image_reader_writer"
    if dataset.has("overwrite_image_reader_writer"):
        found, key = dataset, "overwrite_image_reader_writer"
    reader = found.text(key, STORED[0])
    axes = plans.whole_numbers("transpose_forward", (3,))
    if sorted(axes) != [0, 1, 2]:
        plans.lacks("transpose_forward", "0, 1 and 2 in some order")
    if plans.has("transpose_backward"):
        back = plans.whole_numbers("transpose_backward", (3,))
        if [axes[n] if n in (0, 1, 2) else -1 for n in back] != [0, 1, 2]:
            plans.cannot("transpose_backward", f"which does not undo transpose_forward = {axes}")
    if reader not in STORED and reader not in TURNED:
        found.cannot(key, NEEDS_CODE)
    letters = TURNED.get(reader) or said.text("orientation", "")
    if letters:
        if not _ORIENTATION.fullmatch(letters) or len({"LRAPSI".index(one) // 2 for one in letters}) != 3:
            said.lacks("orientation", "three letters such as SAL, for slices, rows and columns")
        return {"orientation": "".join(letters[axis] for axis in axes)}
    return {"orientation": None, "axes": axes}


def sampling_of(configuration: ForeignObject) -> dict[str, object]:
    """Return the spacing and how values get there.

    Raises
    ------
    PackError
        When that needs code.
    """
    if configuration.text("preprocessor_name", "DefaultPreprocessor") != "DefaultPreprocessor":
        configuration.cannot("preprocessor_name", NEEDS_CODE)
    dimensions = len(configuration.items("patch_size", (2, 3)))
    spacing = configuration.numbers("spacing", (dimensions,))
    if not all(LEAST_SPACING_MM <= mm <= LARGEST_SPACING_MM for mm in spacing):
        configuration.lacks("spacing", f"millimetres from {LEAST_SPACING_MM} to {LARGEST_SPACING_MM:g}")
    interpolation = _interpolation(configuration, "resampling_fn_data", 3)
    _interpolation(configuration, "resampling_fn_probabilities", 1)
    # A network for slices leaves the distance between them as it is.
    return {"spacing_kji_mm": [0.0] * (3 - dimensions) + spacing, "interpolation": interpolation}


def _interpolation(configuration: ForeignObject, key: str, usual: int) -> str:
    """Return the interpolation that one of nnU-Net's resampling functions stands for."""
    function = configuration.text(key, "resample_data_or_seg_to_shape")
    if function not in RESAMPLING:
        configuration.cannot(key, NEEDS_CODE)
    arguments = f"{key}_kwargs"
    settings = configuration.inside(arguments) if configuration.has(arguments) else ForeignObject({}, configuration.file)
    # What is not said has nnU-Net's default, which is not what its plans say: they write these keys out.
    by_spacing = settings.content.get("force_separate_z", SEPARATE_UNSAID[function])
    if settings.flag("is_seg", default=False):
        settings.cannot("is_seg", "and what is resampled there is no segmentation")
    if RESAMPLING[function] == "linear":
        if by_spacing is not False:
            settings.cannot("force_separate_z", "and MedView interpolates along all axes alike here")
        return "linear"
    if settings.content.get("order", 3) != usual:
        settings.cannot("order", f"and MedView knows {usual} here")
    if settings.content.get("order_z", 0) != 0:
        settings.cannot("order_z", "and MedView takes the nearest slice along a coarse axis")
    if by_spacing is not None:
        settings.cannot("force_separate_z", "and MedView lets the spacing decide, as null asks for")
    if settings.content.get("separate_z_anisotropy_threshold") not in (None, COARSE_RATIO):
        settings.cannot("separate_z_anisotropy_threshold", f"and MedView knows {COARSE_RATIO} here")
    return "cubic"


def _kind_of(name: str, scheme: str) -> dict[str, object]:
    known = next((row for row in _KINDS if re.fullmatch(row[0], name.lower())), None)
    if known is None and scheme == "CTNormalization":
        known = ("", "CT", (), ())
    if known is None:
        return {"modality": []}
    _, modality, words, not_words = known
    kind: dict[str, object] = {"modality": [modality], "words": list(words), "not_words": list(not_words)}
    return {**kind, "unit": "HU"} if modality == "CT" else kind


def _steps(
    plans: ForeignObject, configuration: ForeignObject, n: int, scheme: str, *, masked: bool
) -> list[dict[str, object]]:
    if scheme == "CTNormalization":
        key = "foreground_intensity_properties_per_channel"
        old = "foreground_intensity_properties_by_modality"
        seen = plans.inside(old if plans.has(old) and not plans.has(key) else key).inside(str(n))
        low, high = seen.number("percentile_00_5"), seen.number("percentile_99_5")
        if not low < high:
            seen.lacks("percentile_99_5", "above percentile_00_5")
        return [
            {"op": "clip", "low": low, "high": high},
            {"op": "shift_scale", "subtract": seen.number("mean"), "divide": max(seen.number("std"), 1e-8)},
        ]
    if scheme == "ZScoreNormalization":
        return [{"op": "zscore_inside" if masked else "zscore"}]
    if scheme == "RescaleTo01Normalization":
        return [{"op": "minmax"}]
    if scheme == "RGBTo01Normalization":
        return [{"op": "scale", "low": 0.0, "high": 255.0}]
    if scheme != "NoNormalization":
        configuration.cannot("normalization_schemes", NEEDS_CODE)
    return []
