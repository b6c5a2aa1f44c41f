"""The ``dataset.json`` of nnU-Net (version 2 and 1) and of the Medical Segmentation Decathlon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.core.errors import ReadError
from medview.io.datasets.inside import named
from medview.io.datasets.json_file import read_json

MOST_BYTES = 64 << 20
MOST_LABELS = 1000
IGNORE = "ignore"
"""The label nnU-Net leaves out of training."""


@dataclass(frozen=True, slots=True)
class NnunetJson:
    """What a ``dataset.json`` says.

    Attributes
    ----------
    channels : tuple of str
        By their number.
    labels : tuple of (str, tuple of int)
        Name -> the values it is made of, background left out; several values where labels are regions.
    ending : str
        Of image and label files, e.g. ``.nii.gz``.
    count : int or None
        How many cases it says there are.
    files : tuple of (str, str)
        Image and label of each case as the file lists them (version 1 and the Decathlon), or empty.
    cases : dict of str to (tuple of str, str)
        Case -> images and label where version 2 lists them itself (``dataset``), or empty.
    """

    channels: tuple[str, ...]
    labels: tuple[tuple[str, tuple[int, ...]], ...]
    ending: str
    count: int | None
    files: tuple[tuple[str, str], ...] = ()
    cases: Mapping[str, tuple[tuple[str, ...], str]] | None = None


def read_nnunet_json(path: str) -> NnunetJson:
    """Read a ``dataset.json``.

    Raises
    ------
    ReadError, RefusedError
        When it is damaged, or no such file.
    """
    name = Path(path).name
    document = read_json(path, MOST_BYTES)
    channels = document.get("channel_names", document.get("modality"))
    labels = document.get("labels")
    if not isinstance(channels, dict) or not channels or not isinstance(labels, dict):
        raise ReadError(f"{name} is no dataset.json of nnU-Net: it names no channels or no labels.")
    try:
        titles = tuple(str(channels[key]) for key in sorted(channels, key=int))
        named_labels = _labels(labels)
        listed = document.get("training")
        files = tuple((str(one["image"]), str(one["label"])) for one in listed) if isinstance(listed, list) else ()
        own = document.get("dataset")
        cases = {str(key): _case(one) for key, one in own.items()} if isinstance(own, dict) else None
        count = int(document["numTraining"]) if "numTraining" in document else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        detail = f"{type(error).__name__}: {error}"[:200]
        raise ReadError(f"{name} is damaged: its channels, labels or cases are not understood.", detail=detail) from error
    ending = document.get("file_ending", ".nii.gz")
    if not isinstance(ending, str) or not ending.startswith(".") or "/" in ending or "\\" in ending:
        raise ReadError(f"{name} names no ending of files, but {named(str(ending))}.")
    return NnunetJson(titles, named_labels, ending, count, files, cases)


def _labels(labels: Mapping[str, Any]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    if len(labels) > MOST_LABELS:
        raise ValueError(f"{len(labels)} labels")
    found: list[tuple[str, tuple[int, ...]]] = []
    for key, value in labels.items():
        if isinstance(value, str):
            # Version 1: value -> name.
            found.append((value, (int(key),)))
        else:
            found.append((str(key), tuple(int(n) for n in value) if isinstance(value, list) else (int(value),)))
    if any(min(values, default=-1) < 0 for _, values in found):
        raise ValueError("a value below 0")
    return tuple(sorted(((n, v) for n, v in found if v != (0,)), key=lambda one: (len(one[1]) == 1, one[1])))


def _case(one: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    return tuple(str(image) for image in one["images"]), str(one["label"])
