"""The ``data.yaml`` of YOLO datasets: names of classes and where the pictures of every split are.

Only the few shapes such files have are understood: ``key: text``, lists in brackets or with a dash before each entry, and
numbers with names. Anything else in the file is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medview.core.errors import ReadError, RefusedError

MOST_BYTES = 1 << 20
MOST_CLASSES = 10_000
SPLITS = ("train", "val", "test")
_KEY = re.compile(r"([A-Za-z_][\w-]*)\s*:(?:\s+(.*))?")
_ENTRY = re.compile(r"(?:-\s+)?(?:(\d{1,6})\s*:\s+)?(.*)")


@dataclass(frozen=True, slots=True)
class DataYaml:
    """What a ``data.yaml`` says.

    Attributes
    ----------
    names : dict of int to str
    splits : dict of str to tuple of str
        Folders of pictures, or lists of them, of each split that is named.
    folder : str
        Where they are counted from (``path``); empty for the folder of the file.
    """

    names: dict[int, str]
    splits: dict[str, tuple[str, ...]]
    folder: str = ""


def read_data_yaml(path: str) -> DataYaml:
    """Read a ``data.yaml``. Raises ReadError or RefusedError when it is none."""
    file = Path(path)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise RefusedError(f"{file.name} is larger than any list of classes; it was not opened.")
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{file.name} cannot be read as a list of classes.", detail=repr(error)[:200]) from error
    blocks = _blocks([_bare(line) for line in lines])
    if "kpt_shape" in blocks:
        raise ReadError(
            f"{file.name} is of poses (kpt_shape), whose lines are no outlines; MedView reads boxes and outlines."
        )
    try:
        names = _names(blocks.get("names", ("", [])))
        splits = {split: tuple(_texts(blocks[split])) for split in SPLITS if split in blocks}
        if "valid" in blocks and "val" not in splits:
            splits["val"] = tuple(_texts(blocks["valid"]))
        folder = next(iter(_texts(blocks["path"])), "") if "path" in blocks else ""
    except ValueError as error:
        raise ReadError(f"The names or folders in {file.name} are not understood: {error}.") from error
    return DataYaml(names, {split: places for split, places in splits.items() if places}, folder)


def _bare(line: str) -> str:
    """Return a line without its comment and the space at its end."""
    quote = ""
    for at, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at].rstrip()
    return line.rstrip()


def _blocks(lines: Sequence[str]) -> dict[str, tuple[str, list[str]]]:
    """Return key -> (what stands behind it, the lines below it) of the outermost keys."""
    found: dict[str, tuple[str, list[str]]] = {}
    below: list[str] = []
    for line in lines:
        key = _KEY.fullmatch(line)
        if key is not None:
            below = []
            found[key[1]] = (key[2] or "", below)
        elif line.strip():
            below.append(line.strip())
    return found


def _names(block: tuple[str, list[str]]) -> dict[int, str]:
    text, below = block
    together = " ".join([text, *below]).strip()
    if together.startswith("["):
        found = dict(enumerate(_in_brackets(together)))
    elif together.startswith("{"):
        found = {}
        for entry in _in_brackets(together):
            number, mark, name = entry.partition(":")
            if not mark or not number.strip().isdecimal():
                raise ValueError("a name has no number")
            found[int(number)] = _unquoted(name)
    else:
        found = {}
        for place, line in enumerate(below):
            numbered = _ENTRY.fullmatch(line)
            assert numbered is not None
            found[int(numbered[1]) if numbered[1] else place] = _unquoted(numbered[2])
    if len(found) > MOST_CLASSES:
        raise ValueError(f"there are {len(found)} of them")
    return found


def _texts(block: tuple[str, list[str]]) -> list[str]:
    text, below = block
    if text.startswith("["):
        return _in_brackets(" ".join([text, *below]))
    if text:
        return [_unquoted(text)]
    return [_unquoted(line.removeprefix("-")) for line in below if line.startswith("-")]


def _in_brackets(text: str) -> list[str]:
    if not text.endswith(("]", "}")):
        raise ValueError("a bracket is never closed")
    found: list[str] = []
    quote, part = "", ""
    for letter in [*text[1:-1], ","]:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        if letter == "," and not quote:
            if part.strip():
                found.append(_unquoted(part))
            part = ""
        else:
            part += letter
    return found


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text
