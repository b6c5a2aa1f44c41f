"""What can be set on an effect, as data; one file of the window makes the controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Values = Mapping[str, object]
"""Setting by key: a float, bool or str, a segment id, or a pair of floats or None for a range of values."""


@dataclass(frozen=True, slots=True)
class When:
    """A setting means something only while another one has one of these values."""

    key: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its unit.

    Attributes
    ----------
    low, high : float
        Ends of what can be set.
    unit : str
        Shown behind it: ``mm``, ``mL``, or empty.
    decimals : int
        Shown after the point.
    """

    key: str
    title: str
    tip: str
    default: float
    low: float
    high: float
    unit: str = ""
    decimals: int = 1
    step: float = 0.5
    when: When | None = None


@dataclass(frozen=True, slots=True)
class Switch:
    """Yes or no."""

    key: str
    title: str
    tip: str
    default: bool = False
    when: When | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One of several ways."""

    value: str
    title: str
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways; the first one unless ``default`` says otherwise."""

    key: str
    title: str
    tip: str
    options: tuple[Option, ...]
    default: str = ""
    when: When | None = None


@dataclass(frozen=True, slots=True)
class OtherSegment:
    """Another segment than the active one, by its id; empty while none is chosen."""

    key: str
    title: str
    tip: str
    when: When | None = None


@dataclass(frozen=True, slots=True)
class ValueRange:
    """Lowest and highest value of the picture, in its unit; None until the effect or a person says which.

    Attributes
    ----------
    sets : tuple of str and value, or None
        Another setting, and what it becomes once a person sets the range.
    """

    key: str
    title: str
    tip: str
    sets: tuple[str, object] | None = None
    when: When | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The voxel under the crosshair. While this is asked for, a click on the picture puts the crosshair there."""

    title: str
    tip: str
    when: When | None = None
    key: str = "place"


Setting = Number | Switch | Choice | OtherSegment | ValueRange | Place


def default_of(setting: Setting) -> object:
    """Return what a setting is until somebody changes it."""
    if isinstance(setting, Choice):
        return setting.default or setting.options[0].value
    if isinstance(setting, Number | Switch):
        return setting.default
    return "" if isinstance(setting, OtherSegment) else None


def applies(setting: Setting, values: Values) -> bool:
    """Whether a setting means anything with the others as they are."""
    return setting.when is None or values.get(setting.when.key) in setting.when.values


def personal(settings: Iterable[Setting], values: Values) -> dict[str, object]:
    """Return the settings a person takes along from series to series: ways and sizes, not ranges, segments and places."""
    return {one.key: values[one.key] for one in settings if isinstance(one, Choice | Number | Switch)}


def number(values: Values, key: str) -> float:
    """Return a Number's value."""
    value = values[key]
    assert isinstance(value, int | float)
    return float(value)


def value_range(values: Values, key: str) -> tuple[float, float] | None:
    """Return a ValueRange's value."""
    found = values.get(key)
    if found is None:
        return None
    assert isinstance(found, tuple)
    low, high = found
    return float(low), float(high)
