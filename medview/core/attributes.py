"""What is said about a box, a point or a line beside its label: texts, numbers and choices with a name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TEXT, NUMBER, CHOICE = "text", "number", "choice"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several words.

    Attributes
    ----------
    options : tuple of str
        What can be chosen, each once.

    Raises
    ------
    ValueError
        When what is chosen is none of them.
    """

    chosen: str
    options: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.chosen not in self.options or len(set(self.options)) != len(self.options):
            raise ValueError(f"{self.chosen!r} is not one of {self.options}")


Value = str | float | Choice
"""A text, a finite number or a choice."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name and its value.

    Raises
    ------
    ValueError
        When it has no name, or a number that is none.
    """

    name: str
    value: Value

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("an attribute without a name")
        if isinstance(self.value, int | float) and not math.isfinite(self.value):
            raise ValueError(f"{self.name} is {self.value}")

    @property
    def kind(self) -> str:
        """``text``, ``number`` or ``choice``."""
        if isinstance(self.value, Choice):
            return CHOICE
        return TEXT if isinstance(self.value, str) else NUMBER

    @property
    def words(self) -> str:
        """The value as people read it."""
        if isinstance(self.value, Choice):
            return self.value.chosen
        return self.value if isinstance(self.value, str) else f"{self.value:.10g}"

    def as_document(self) -> dict[str, Any]:
        """Return it as JSON: ``name``, ``kind``, ``value`` and, of a choice, ``options``."""
        if isinstance(self.value, Choice):
            return {
                "name": self.name,
                "kind": CHOICE,
                "value": self.value.chosen,
                "options": list(self.value.options),
            }
        return {"name": self.name, "kind": self.kind, "value": self.value}

    @classmethod
    def of_document(cls, data: Mapping[str, Any]) -> Attribute:
        """Inverse of ``as_document``. Raises KeyError, TypeError or ValueError on anything else."""
        name, kind, value = str(data["name"]), data["kind"], data["value"]
        if kind == CHOICE:
            return cls(name, Choice(str(value), tuple(str(option) for option in data["options"])))
        if kind == NUMBER:
            return cls(name, float(value))
        if kind == TEXT:
            return cls(name, str(value))
        raise ValueError(f"an attribute of kind {kind!r}")


Attributes = tuple[Attribute, ...]
"""In the order they are shown; every name once."""


def attributes_of(documents: Iterable[Mapping[str, Any]]) -> Attributes:
    """Return attributes of their JSON. Raises as ``Attribute.of_document``, and ValueError where a name comes twice."""
    found = tuple(Attribute.of_document(one) for one in documents)
    if len({one.name for one in found}) != len(found):
        raise ValueError("two attributes of one name")
    return found


def with_attribute(attributes: Attributes, attribute: Attribute) -> Attributes:
    """Return attributes with one of them, by its name, put in or changed."""
    if any(one.name == attribute.name for one in attributes):
        return tuple(attribute if one.name == attribute.name else one for one in attributes)
    return (*attributes, attribute)


def without_attribute(attributes: Attributes, name: str) -> Attributes:
    """Return attributes without the one of this name."""
    return tuple(one for one in attributes if one.name != name)
