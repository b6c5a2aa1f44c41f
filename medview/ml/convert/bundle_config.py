"""The configuration of a MONAI bundle as data.

In a bundle's JSON, texts that start with ``$`` are Python, ``@`` refers to another key, ``%`` includes files, and
``_target_`` names what MONAI would import and call. Here references to plain values are followed and arithmetic is worked
out (``bundle_arithmetic``); whatever else is asked for and would need running code is refused with its place and text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from medview.core.errors import PackError
from medview.ml.convert.bundle_arithmetic import NeedsCodeError, evaluate
from medview.ml.convert.foreign_json import is_number
from medview.ml.texts import plain

LARGEST_CONFIG = 1 << 20
DEEPEST_REFERENCE = 16
_SHOWN = 80

_SEPARATOR = re.compile(r"#|::")
_ONLY_REFERENCE = re.compile(r"\$?\s*(@\w+(?:(?:#|::)\w+)*)\s*")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")

Config = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Component:
    """Something MONAI would import and call.

    Attributes
    ----------
    name : str
        Last part of its ``_target_``; transforms of dictionaries end in ``d``.
    arguments : mapping
        As they stand in the file.
    where : str
        Key of the file.
    """

    name: str
    arguments: Config
    where: str


class BundleConfig:
    """One JSON file of a bundle.

    Parameters
    ----------
    content : mapping
        What the file holds.
    file : str
        Its name in sentences: ``inference.json of spleen``.
    """

    def __init__(self, content: Config, file: str) -> None:
        self.content = content
        self.file = file

    def refuse(self, where: str, found: object, why: str) -> NoReturn:
        """Raise the PackError that shows the line MedView does not take."""
        text = found if isinstance(found, str) else json.dumps(found, default=str)
        shown = plain(text, _SHOWN)
        code = "needs code" in why
        then = (
            "MedView runs no code of a model, so ask its author for a pack" if code else "ask its author for a model pack"
        )
        raise PackError(f"{self.file} {why} at {where} ({shown}); {then}.")

    def value(self, raw: object, where: str, depth: int = 0) -> object:
        """Return the plain value something in the file stands for.

        Raises
        ------
        PackError
            When finding it out would need running code.
        """
        if depth > DEEPEST_REFERENCE:
            self.refuse(where, raw, "refers in a circle")
        if isinstance(raw, list):
            return [self.value(item, f"{where}#{n}", depth + 1) for n, item in enumerate(raw)]
        if isinstance(raw, dict):
            if "_target_" in raw:
                self.refuse(where, raw["_target_"], "needs code")
            return {str(key): self.value(item, f"{where}#{key}", depth + 1) for key, item in raw.items()}
        if not isinstance(raw, str):
            return raw
        if raw.startswith("@"):
            return self.value(self.referred(raw, where), raw.removeprefix("@"), depth + 1)
        if raw.startswith("$"):
            try:
                return evaluate(raw[1:], lambda name: self.value(f"@{name}", where, depth + 1))
            except NeedsCodeError:
                self.refuse(where, raw, "needs code")
        if raw.startswith("%"):
            self.refuse(where, raw, "includes another file")
        return raw

    def referred(self, reference: str, where: str) -> object:
        """Return what ``@a#b#0`` refers to, as it stands in the file."""
        found: object = self.content
        for part in _SEPARATOR.split(reference.removeprefix("@")):
            if isinstance(found, dict) and part in found:
                found = found[part]
            elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
                found = found[int(part)]
            else:
                self.refuse(where, reference, "refers to nothing")
        return found

    def stands_at(self, raw: object, where: str) -> str:
        """Return the key of what something in the file is or, where it is a reference, refers to."""
        return self._followed(raw, where)[1]

    def _followed(self, raw: object, where: str) -> tuple[object, str]:
        """Return what a text that is a reference and nothing else refers to, and where that stands."""
        steps = 0
        while isinstance(raw, str) and (match := _ONLY_REFERENCE.fullmatch(raw)):
            steps += 1
            if steps > DEEPEST_REFERENCE:
                self.refuse(where, raw, "refers in a circle")
            raw, where = self.referred(match.group(1), where), match.group(1).removeprefix("@")
        return raw, where

    def component(self, raw: object, where: str) -> Component:
        """Return the component something in the file describes.

        Raises
        ------
        PackError
            When it is no component, or one that is not MONAI's own.
        """
        raw, where = self._followed(raw, where)
        if not isinstance(raw, dict) or not isinstance(raw.get("_target_"), str):
            self.refuse(where, raw, "needs code")
        target = str(raw["_target_"])
        module, _, name = target.rpartition(".")
        if not _IDENTIFIER.fullmatch(target) or not (module == "" or module == "monai" or module.startswith("monai.")):
            self.refuse(f"{where}#_target_", target, "needs code that is not MONAI's own")
        arguments = {key: item for key, item in raw.items() if not key.startswith("_")}
        return Component(_plain_name(name), arguments, where)

    def components(self, raw: object, where: str) -> list[Component]:
        """Return the enabled components of a list or of a ``Compose``."""
        raw, where = self._followed(raw, where)
        if isinstance(raw, dict):
            composed = self.component(raw, where)
            if composed.name != "Compose":
                self.refuse(f"{where}#_target_", raw.get("_target_"), "needs code")
            raw, where = self._followed(composed.arguments.get("transforms", []), f"{where}#transforms")
        if not isinstance(raw, list):
            self.refuse(where, raw, "needs code")
        listed = []
        for n, item in enumerate(raw):
            place = f"{where}#{n}"
            if isinstance(item, dict) and self.value(item.get("_disabled_", False), place) in (True, "true", "True"):
                continue
            listed.append(self.component(item, place))
        return listed


class Arguments:
    """The arguments of one component, taken one by one; what nobody took is refused."""

    def __init__(self, config: BundleConfig, component: Component, ignored: Collection[str] = ()) -> None:
        self.config = config
        self.component = component
        self._left = set(component.arguments) - set(ignored)

    def take(self, name: str, default: object = None) -> object:
        """Return the plain value of an argument."""
        self._left.discard(name)
        if name not in self.component.arguments:
            return default
        return self.config.value(self.component.arguments[name], f"{self.component.where}#{name}")

    def undoes(self, key: str) -> bool:
        """Whether the argument ``transform`` refers to what the file has at a key."""
        found = self.component.arguments.get("transform")
        where = f"{self.component.where}#transform"
        return self.config.stands_at(found, where) == self.config.stands_at(f"@{key}", where)

    def number(self, name: str, default: float) -> float:
        """Return an argument that is a number."""
        found = self.take(name, default)
        if not is_number(found):
            self.wrong(name, "has no number")
        return found

    def whole(self, name: str, default: int) -> int:
        """Return an argument that is a whole number."""
        found = self.number(name, default)
        if found != int(found):
            self.wrong(name, "has no whole number")
        return int(found)

    def flag(self, name: str, default: bool = False) -> bool:
        """Return an argument that is true or false; bundles write it as text, too."""
        found = self.take(name, default)
        if isinstance(found, str) and found.lower() in ("true", "false"):
            return found.lower() == "true"
        if found is not None and not isinstance(found, bool):
            self.wrong(name, "has no true or false")
        return bool(found)

    def numbers(self, name: str, default: object = None) -> list[float]:
        """Return an argument that is a list of numbers; a single number is a list of one."""
        found = self.take(name, default)
        listed = found if isinstance(found, list) else [found]
        numbers = [item for item in listed if is_number(item)]
        if len(numbers) != len(listed) or not numbers:
            self.wrong(name, "has no numbers")
        return numbers

    def wrong(self, name: str, why: str) -> NoReturn:
        """Refuse an argument."""
        found = self.component.arguments.get(name)
        self.config.refuse(f"{self.component.where}#{name}", found, why)

    def end(self) -> None:
        """Refuse arguments nobody took."""
        for name in sorted(self._left):
            self.wrong(name, f"asks {self.component.name} for something MedView does not have")


def read_config(path: Path, bundle: str) -> BundleConfig:
    """Read a JSON file of a bundle; a key that stands twice is an error, since readers disagree on which one counts.

    Raises
    ------
    PackError
        When it is not plain JSON.
    """
    file = f"{path.name} of {bundle}"
    try:
        with path.open("rb") as opened:
            text = opened.read(LARGEST_CONFIG + 1)
        if len(text) > LARGEST_CONFIG:
            raise PackError(f"{file} is larger than the description of a model can be.")
        content = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise PackError(f"{file} cannot be read as JSON; ask its author for a proper file.", detail=repr(error)) from error
    if not isinstance(content, dict):
        raise PackError(f"{file} is not a description of a model; ask its author for a proper file.")
    return BundleConfig(content, file)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _plain_name(name: str) -> str:
    """MONAI gives transforms of dictionaries three names: ``Spacingd``, ``SpacingD``, ``SpacingDict``."""
    for ending in ("Dict", "D"):
        if name.endswith(ending) and len(name) > len(ending):
            return f"{name.removesuffix(ending)}d"
    return name
