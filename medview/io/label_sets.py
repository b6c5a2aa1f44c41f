"""Label sets as JSON, and from the label tables of other programs.

A label set is an object with ``name``, ``labels`` and, if wanted, ``description``. A label has a ``name`` and, if wanted,
``colour`` ``[red, green, blue]``, ``group``, ``code`` ``{"value", "scheme", "meaning"}`` and ``unsure``. A set may hold
``forms`` as well, and needs no labels then; `medview.io.form_json` says what they look like. All of it is in
``resources/schemas/label_set.schema.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from medview.core.atomic import replacing, write_error
from medview.core.errors import ReadError
from medview.core.label_set import Colour, LabelEntry, LabelSet
from medview.io.colour_tables import read_colour_table
from medview.io.form_json import form_document, forms_of
from medview.io.json_fields import MOST_LETTERS, WrongError, code_of, text_of
from medview.io.reader_pool import InlinePool, Pool

MOST_BYTES = 1 << 20
MOST_LABELS = 1000


def read_label_set(path: Path, pool: Pool | None = None) -> LabelSet:
    """Read a label set: JSON, a colour table of 3D Slicer, or a label description file of ITK-SNAP.

    Parameters
    ----------
    pool : Pool, optional
        Where the file is parsed; inline unless given.

    Raises
    ------
    ReadError
        One sentence that says which label is wrong and how.
    """
    found: LabelSet = (pool or InlinePool()).call(_read, str(path))
    return found


def write_label_set(label_set: LabelSet, path: Path) -> None:
    """Write a label set as JSON. Raises WriteError when that cannot be done."""
    text = json.dumps(as_document(label_set), ensure_ascii=False, indent=2)
    try:
        with replacing(path) as file:
            file.write(text.encode("utf-8") + b"\n")
    except OSError as error:
        raise write_error(path, error) from error


def as_document(label_set: LabelSet) -> dict[str, Any]:
    """Return a label set as JSON knows it; what is usual is left out."""
    labels = []
    for entry in label_set.entries:
        label: dict[str, Any] = {"name": entry.name}
        if entry.colour is not None:
            label["colour"] = list(entry.colour)
        if entry.group:
            label["group"] = entry.group
        if entry.code is not None:
            label["code"] = {"value": entry.code.value, "scheme": entry.code.scheme, "meaning": entry.code.meaning}
        if entry.unsure:
            label["unsure"] = True
        labels.append(label)
    document: dict[str, Any] = {"name": label_set.name}
    if label_set.description:
        document["description"] = label_set.description
    document["labels"] = labels
    if label_set.forms:
        document["forms"] = [form_document(form) for form in label_set.forms]
    return document


def text_of_label_set(label_set: LabelSet) -> str:
    """Return a label set as one line of JSON, as a project keeps it."""
    return json.dumps(as_document(label_set), ensure_ascii=False)


def label_set_of_text(text: str) -> LabelSet:
    """Return the label set of a JSON text.

    Raises
    ------
    ReadError
        One sentence that says what is wrong with it.
    """
    try:
        return _checked(_of_document(json.loads(text)))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ReadError("The label set is damaged: it is no JSON.", detail=repr(error)) from error
    except (WrongError, ValueError) as error:
        raise ReadError(f"The label set is damaged: {error}.") from error


def _read(path: str) -> LabelSet:
    file = Path(path)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ReadError(f"{file.name} is too large to be a label set.")
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ReadError(f"{file.name} could not be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ReadError(f"{file.name} is no label set: it is not written in UTF-8.") from error
    try:
        if not text.lstrip().startswith("{"):
            return _checked(LabelSet(file.stem, tuple(read_colour_table(text))))
        return _checked(_of_document(json.loads(text)))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ReadError(f"{file.name} is no label set: its JSON is damaged.", detail=repr(error)) from error
    except (WrongError, ValueError) as error:
        raise ReadError(f"{file.name} is no label set: {error}.") from error


def _checked(label_set: LabelSet) -> LabelSet:
    if not label_set.entries and not label_set.forms:
        raise WrongError("it has no labels")
    if len(label_set.entries) > MOST_LABELS:
        raise WrongError(f"it has {len(label_set.entries)} labels, more than {MOST_LABELS}")
    seen: dict[str, int] = {}
    for number, entry in enumerate(label_set.entries, start=1):
        if not entry.name:
            raise WrongError(f"label {number} has no name")
        if len(entry.name) > MOST_LETTERS or not entry.name.isprintable():
            raise WrongError(f"the name of label {number} is too long or holds characters that cannot be shown")
        if entry.name.casefold() in seen:
            raise WrongError(f"labels {seen[entry.name.casefold()]} and {number} are both called {entry.name}")
        seen[entry.name.casefold()] = number
    return label_set


def _of_document(document: object) -> LabelSet:
    if not isinstance(document, dict):
        raise WrongError("it is not an object with a name and labels")
    labels = document.get("labels", [] if document.get("forms") else None)
    if not isinstance(labels, list):
        raise WrongError("it has no list of labels")
    name = text_of(document, "name", "the set")
    if not name:
        raise WrongError("it has no name")
    entries = tuple(_entry(label, f"label {number}") for number, label in enumerate(labels[: MOST_LABELS + 1], start=1))
    description = text_of(document, "description", "the set", most=2000)
    return LabelSet(name, entries, description, forms_of(document.get("forms", [])))


def _entry(label: object, which: str) -> LabelEntry:
    if not isinstance(label, dict):
        raise WrongError(f"{which} is not an object with a name")
    unsure = label.get("unsure", False)
    if not isinstance(unsure, bool):
        raise WrongError(f"whether {which} is unsure is neither true nor false")
    return LabelEntry(
        text_of(label, "name", which),
        _of(label, "colour", lambda value: _colour(value, which)),
        text_of(label, "group", which),
        _of(label, "code", lambda value: code_of(value, which)),
        unsure,
    )


def _of(label: dict[str, Any], key: str, read: Callable[[object], Any]) -> Any:
    value = label.get(key)
    return None if value is None else read(value)


def _colour(value: object, which: str) -> Colour:
    fits = isinstance(value, list) and len(value) == 3 and all(type(n) is int and 0 <= n <= 255 for n in value)
    if not fits:
        raise WrongError(f"the colour of {which} is not three whole numbers from 0 to 255")
    assert isinstance(value, list)
    red, green, blue = value
    return red, green, blue
