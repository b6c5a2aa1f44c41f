"""Reading attributes of data sets that were not written by the book: nothing here raises on a bad value."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager
from functools import cache
from typing import SupportsFloat

import numpy as np
import pydicom
from pydicom.charset import CODES_TO_ENCODINGS, convert_encodings, decode_bytes, default_encoding
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.valuerep import TEXT_VR_DELIMS

# What a reader meets is what it is; checks belong to writers.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

_CHARSET = re.compile(r"^ISO[ _-]?IR[ _-]?(\d+)$")
_NUMBER = re.compile(r"\s*[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?\s*")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep pydicom's warnings about odd files out of the log; what matters is said in verdicts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def mend_charset(dataset: Dataset) -> None:
    """Let texts be decoded by a character set whose name is misspelt, e.g. ``ISO_IR_192``."""
    if misspelt_charset(dataset):
        implicit, little = dataset.original_encoding
        dataset.set_original_encoding(implicit, little, convert_encodings(_mended(texts(dataset, "SpecificCharacterSet"))))


def misspelt_charset(dataset: Dataset) -> str:
    """Return the name of the character set as it stands when it is misspelt and understood all the same, else nothing."""
    stated = texts(dataset, "SpecificCharacterSet")
    return "\\".join(stated) if _mended(stated) != list(stated) else ""


def _mended(names: tuple[str, ...]) -> list[str]:
    return [_CHARSET.sub(r"ISO_IR \1", name) for name in names]


def text(dataset: Dataset, keyword: str | int) -> str:
    """Return a value as text, several joined by backslashes; empty when absent or unreadable.

    Bytes that mean nothing in the declared character set are read as Latin 1: nothing of them is lost, so that what differs
    in the file differs here, and ``names.reread`` can read them anew.
    """
    value = _value(dataset, keyword)
    if value is None:
        return ""
    if isinstance(value, (list, tuple, pydicom.multival.MultiValue)):
        return "\\".join(str(part) for part in value)
    # Not all that Unicode calls a space: the last byte of a name in another character set may look like one.
    return str(value).strip(" \t\r\n\f\v\x00")


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Return the values of a multi-valued text."""
    whole = text(dataset, keyword)
    return tuple(part.strip() for part in whole.split("\\")) if whole else ()


def numbers(dataset: Dataset, keyword: str | int) -> tuple[float, ...]:
    """Return finite numbers; empty when the attribute is absent or any of its values is no number.

    Commas count as decimal points (seen from scanners with a continental locale).
    """
    value = _value(dataset, keyword)
    if value is None:
        return ()
    parts = value if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else [value]
    found: list[float] = []
    for part in parts:
        number = _number(part)
        if number is None:
            return ()
        found.append(number)
    return tuple(found)


def number(dataset: Dataset, keyword: str | int) -> float | None:
    """Return the first number, or None."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def integer(dataset: Dataset, keyword: str | int, default: int = 0) -> int:
    """Return the first number as an integer."""
    found = number(dataset, keyword)
    return default if found is None or abs(found) > 2**62 else int(found)


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Return the items of a sequence; empty when absent."""
    value = _value(dataset, keyword)
    return tuple(value) if isinstance(value, (Sequence, list)) else ()


def first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    """Return the first item of a sequence, or None."""
    found = items(dataset, keyword)
    return found[0] if found else None


def private_number(dataset: Dataset, group: int, creator: str, element: int) -> float | None:
    """Return a number from the private block of ``creator``, or None."""
    value = _private(dataset, group, creator, element)
    if isinstance(value, (list, tuple, pydicom.multival.MultiValue)):
        value = value[0] if len(value) else None
    if isinstance(value, bytes) and len(value) in (2, 4) and not value.strip().isdigit():
        # Implicit VR leaves the type of a private element open; these are short integers.
        return float(int.from_bytes(value, "little"))
    return None if value is None else _number(value)


def private_items(dataset: Dataset, group: int, creator: str, element: int) -> tuple[Dataset, ...]:
    """Return the items of a private sequence; empty when absent."""
    value = _private(dataset, group, creator, element)
    return tuple(value) if isinstance(value, Sequence) else ()


def _private(dataset: Dataset, group: int, creator: str, element: int) -> object:
    # pydicom's own search copies the group for every question; most files have no such group.
    first = group << 16
    for offset in [int(tag) - first for tag in dataset.keys()]:  # noqa: SIM118 - a Dataset iterates over its elements
        if 0x10 <= offset <= 0xFF and text(dataset, first + offset) == creator:
            try:
                value: object = dataset[BaseTag(first + (offset << 8) + element)].value
            except (KeyError, ValueError, TypeError, NotImplementedError, AttributeError):
                return None
            return value
    return None


def _number(value: object) -> float | None:
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode("ascii", "replace")
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.rstrip("\x00")):
            return None
        value = value.rstrip("\x00").replace(",", ".")
    if not isinstance(value, (str, float, int, SupportsFloat)):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


@cache
def _tag(keyword: str | int) -> BaseTag | None:
    """Return the tag of a keyword; a number is a tag already, for groups that repeat and have no keyword."""
    tag = keyword if isinstance(keyword, int) else tag_for_keyword(keyword)
    return None if tag is None else BaseTag(tag)


_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_SINGLE_TEXT_VRS = frozenset({"LT", "ST", "UT"})
"""Texts that a backslash does not split."""
_ENDS = (frozenset(b"\\"), frozenset(b"\\^="))
"""What ends a value, and what ends a part of a name."""
_CHINESE = "\x1b$)A"
"""Chooses ISO 2022 IR 58; the decoder of that set leaves it in the text."""
_ASCII_VRS = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI"})
_BINARY_VRS = {"FD": "f8", "FL": "f4", "SL": "i4", "SS": "i2", "UL": "u4", "US": "u2"}
_SLOW = object()
"""What needs pydicom: sequences, elements of an unsettled kind."""


def _quick(raw: DataElement | RawDataElement, dataset: Dataset) -> object:
    """Return the value of a raw element that is a text or a number; thousands of headers gain by it."""
    if not isinstance(raw, RawDataElement) or not isinstance(raw.value, bytes):
        return _SLOW
    kind = raw.VR
    if kind is None:
        try:
            kind = dictionary_VR(raw.tag)
        except KeyError:
            return _SLOW
    if kind in _ASCII_VRS:
        parts = [part.strip(" \x00") for part in raw.value.decode("latin-1").split("\\")]
        return parts if len(parts) > 1 else parts[0] or None
    if kind in _TEXT_VRS:
        whole = _decoded(raw.value, dataset.original_character_set, kind)
        parts = [part.rstrip("\x00 ") for part in ([whole] if kind in _SINGLE_TEXT_VRS else whole.split("\\"))]
        # Groups of a name that are left out at its end are no part of it.
        parts = [part.rstrip("=") for part in parts] if kind == "PN" else parts
        return parts if len(parts) > 1 else parts[0] or None
    layout = _BINARY_VRS.get(kind)
    if layout is None or not raw.value or len(raw.value) % int(layout[1]):
        return _SLOW
    values = np.frombuffer(raw.value, ("<" if raw.is_little_endian else ">") + layout).tolist()
    return values if len(values) > 1 else values[0]


def _decoded(stored: bytes, character_set: str | MutableSequence[str], kind: str) -> str:
    if stored.isascii() and b"\x1b" not in stored:
        return stored.decode("ascii")
    encodings = [character_set] if isinstance(character_set, str) else list(character_set)
    # An escape sequence says which set follows, whether the set was declared or not.
    undeclared = [name for code, name in CODES_TO_ENCODINGS.items() if code in stored and name not in encodings]
    encodings = [*(encodings or [default_encoding]), *undeclared]
    # Where these stand, a character set that an escape sequence chose ends (PS3.5 6.1.2.5.3). Names are written without
    # choosing it again, though: as long as the first set has no letters of its own that does no harm.
    ends = set(TEXT_VR_DELIMS if encodings[0] == default_encoding else TEXT_VR_DELIMS | _ENDS[kind == "PN"])
    with quiet():
        found = decode_bytes(stored, encodings, ends).replace(_CHINESE, "")
    lost = "\ufffd" in found and "\ufffd".encode() not in stored
    return stored.decode("latin-1") if lost else found


def _value(dataset: Dataset, keyword: str | int) -> object:
    tag = _tag(keyword)
    raw = None if tag is None else dataset.get_item(tag)
    if tag is None or raw is None:
        return None
    quick = _quick(raw, dataset)
    if quick is not _SLOW:
        return quick
    try:
        element = dataset[tag]
    except (
        ValueError,
        TypeError,
        KeyError,
        NotImplementedError,
        AttributeError,
        UnicodeError,
        OverflowError,
        RecursionError,
    ):
        return _from_raw(raw)
    except pydicom.errors.BytesLengthException:
        return None
    return element.value if element.value not in ("", None) else None


def _from_raw(raw: DataElement | RawDataElement | None) -> object:
    """Return the texts of an element pydicom could not convert."""
    if isinstance(raw, RawDataElement) and isinstance(raw.value, bytes):
        return raw.value.decode("latin-1").split("\\")
    return None
