"""All attributes of a DICOM file as plain rows, for a person to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.datadict import (
    dictionary_description,
    dictionary_has_tag,
    dictionary_keyword,
    dictionary_VR,
    private_dictionary_description,
)
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from medview.io.dicom import guard
from medview.io.dicom.attributes import quiet
from medview.io.dicom.header import parse
from medview.io.sources import name_of, open_source

MOST_ROWS = 20_000
MOST_LETTERS = 1024
_MOST_PRINTED_BYTES = 256
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN", "OB or OW"})
_PER_FRAME = 0x52009230


@dataclass(frozen=True, slots=True)
class TagRow:
    """One attribute, or one item of a sequence.

    Attributes
    ----------
    depth : int
        0 for the attributes of the file; an item is one deeper than its sequence, its attributes two.
    tag : str
        ``(0010,0020)``; empty for an item.
    name : str
        As in the standard; for private attributes with their creator in front.
    value : str
        For people; long ones are shortened, bytes are counted.
    shortened : bool
        ``value`` is not the whole value.
    """

    depth: int
    tag: str
    keyword: str
    name: str
    vr: str
    value: str
    shortened: bool = False


@dataclass(frozen=True, slots=True)
class TagList:
    """What ``list_tags`` found.

    Attributes
    ----------
    file : str
        Name of the file, without its folder.
    note : str
        What is not listed, or empty.
    """

    file: str
    rows: tuple[TagRow, ...]
    note: str = ""


def list_tags(path: str, frame: int = 0) -> TagList:
    """Return the attributes of one DICOM file, those of the file meta information first. To be called in a reader process.

    Parameters
    ----------
    frame : int
        Of the functional groups of many frames only the item of this one is listed.

    Raises
    ------
    ReadError, RefusedError
        When the file is damaged or the guard refuses it.
    """
    with open_source(path) as file:
        dataset, layout = parse(file, name_of(path), stop_before_pixels=True)
    found: list[TagRow] = []
    note = ""
    meta = getattr(dataset, "file_meta", None)
    with quiet():
        for row in (row for part in (meta, dataset) if part is not None for row in _rows(part, 0, frame)):
            if len(found) == MOST_ROWS:
                note = f"Only the first {MOST_ROWS} attributes are listed."
                break
            found.append(row)
    if layout.pixel_kind and not note:
        found.append(_pixels(layout))
    return TagList(name_of(path), tuple(found), note)


def _rows(dataset: Dataset, depth: int, frame: int) -> Iterator[TagRow]:
    for tag in sorted(dataset.keys()):
        if (long := _long_numbers(dataset, tag)) is not None:
            yield TagRow(depth, _spelt(tag), *_names(dataset, tag), *long, True)
            continue
        try:
            element = dataset[tag]
        except Exception as error:  # noqa: BLE001  one value that cannot be understood must not hide the others
            yield TagRow(depth, _spelt(tag), *_names(dataset, tag), "", f"cannot be read ({type(error).__name__})", True)
            continue
        yield from _element_rows(dataset, element, depth, frame)


def _long_numbers(dataset: Dataset, tag: BaseTag) -> tuple[str, str] | None:
    """Return VR and text of numbers written as text that are too many to show: outlines have 100,000, each to be parsed."""
    raw: Any = dataset.get_item(tag)
    value = getattr(raw, "value", None)
    if not isinstance(raw, RawDataElement) or not isinstance(value, bytes) or len(value) <= 2 * MOST_LETTERS:
        return None
    vr = raw.VR or (dictionary_VR(tag) if dictionary_has_tag(tag) else "")
    if vr not in ("DS", "IS"):
        return None
    count = value.count(b"\\") + 1
    return vr, f"{value[:MOST_LETTERS].decode('ascii', 'replace')} … ({count} values)"


def _element_rows(dataset: Dataset, element: DataElement, depth: int, frame: int) -> Iterator[TagRow]:
    keyword, name = _names(dataset, element.tag)
    if element.VR != "SQ":
        value, shortened = _value(element)
        yield TagRow(depth, _spelt(element.tag), keyword, name, str(element.VR), value, shortened)
        return
    items = list(element.value or ())
    wanted = range(len(items))
    one_frame = element.tag == _PER_FRAME and depth == 0 and 0 <= frame < len(items) and len(items) > 1
    if one_frame:
        wanted = range(frame, frame + 1)
    count = f"{len(items)} {'item' if len(items) == 1 else 'items'}"
    told = f"{count}; only that of this image is listed" if one_frame else count
    yield TagRow(depth, _spelt(element.tag), keyword, name, "SQ", told, one_frame)
    for number in wanted:
        yield TagRow(depth + 1, "", "", f"Item {number + 1}", "", "")
        yield from _rows(items[number], depth + 2, frame)


def _names(dataset: Dataset, tag: BaseTag) -> tuple[str, str]:
    """Return the keyword and the name of an attribute."""
    if tag.is_private:
        return "", _private_name(dataset, tag)
    try:
        return dictionary_keyword(tag), dictionary_description(tag)
    except KeyError:
        return "", "Length of the group" if tag.element == 0 else "Not in the standard"


def _private_name(dataset: Dataset, tag: BaseTag) -> str:
    if tag.is_private_creator:
        return "Private creator"
    creator = ""
    block = BaseTag(tag.group << 16 | tag.element >> 8)
    if tag.element >= 0x1000 and block in dataset:
        creator = str(dataset[block].value or "").strip()
    if not creator:
        return "Private, creator not named"
    try:
        return f"{creator}: {private_dictionary_description(tag, creator)}"
    except KeyError:
        return f"{creator}: private"


def _value(element: DataElement) -> tuple[str, bool]:
    value = element.value
    if isinstance(value, bytes | bytearray) or element.VR in _BINARY:
        return _bytes_text(bytes(value) if isinstance(value, bytes | bytearray) else b"")
    if value is None:
        return "", False
    if isinstance(value, pydicom.multival.MultiValue | list | tuple):
        # A table of 65,536 numbers is not turned into text to be cut afterwards.
        text = "\\".join(str(part) for part in value[:MOST_LETTERS])
        whole = len(value) <= MOST_LETTERS
        short, cut = _short(text)
        return (short, cut) if whole else (f"{short.removesuffix(' …')} … ({len(value)} values)", True)
    return _short(str(value))


def _bytes_text(value: bytes) -> tuple[str, bool]:
    text = value.rstrip(b"\x00 ")
    if text and len(text) <= _MOST_PRINTED_BYTES and all(32 <= byte < 127 for byte in text):
        return text.decode("ascii"), False
    return (f"binary, {len(value)} bytes", True) if value else ("", False)


def _short(text: str) -> tuple[str, bool]:
    # Line ends stay in the text; the list shows one line, a copy has all.
    text = text.replace("\x00", "")
    return (text, False) if len(text) <= MOST_LETTERS else (f"{text[:MOST_LETTERS]} …", True)


def _pixels(layout: guard.Layout) -> TagRow:
    tag, (keyword, name) = next(
        (BaseTag(t), (dictionary_keyword(t), dictionary_description(t)))
        for t, kind in guard.PIXEL_TAGS.items()
        if kind == layout.pixel_kind
    )
    parts = f" in {len(layout.fragments)} parts" if layout.fragments else ""
    missing = f", {layout.missing_bytes} missing" if layout.missing_bytes else ""
    return TagRow(0, _spelt(tag), keyword, name, "OW", f"binary, {layout.pixel_length} bytes{parts}{missing}", True)


def _spelt(tag: BaseTag) -> str:
    return f"({tag.group:04X},{tag.element:04X})"
