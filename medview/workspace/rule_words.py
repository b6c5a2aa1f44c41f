"""The rules of the bench in words: what holds now, and why a stroke changed nothing."""

from __future__ import annotations

from collections.abc import Sequence

from medview.core.decimals import decimals_for
from medview.core.language import _
from medview.core.suv import SuvKind
from medview.core.volume import Volume
from medview.edit.hindrance import Hindrance
from medview.edit.rules import Area, EditRules, Overlap
from medview.edit.sampled_range import Range

_FINE_BELOW = 100.0
"""Where all numbers are smaller, as those of uptake are, they have decimals."""


def display_factor(volume: Volume) -> float:
    """Return what values of a volume are multiplied by where people read them: 1, or the way to uptake (SUV)."""
    factor = None if volume.suv is None else volume.suv.factor(SuvKind.BODY_WEIGHT)
    return 1.0 if factor is None else factor


def display_unit(volume: Volume) -> str:
    """Return the unit of values multiplied so."""
    uptake = volume.suv is not None and volume.suv.factor(SuvKind.BODY_WEIGHT) is not None
    return SuvKind.BODY_WEIGHT.title if uptake else volume.unit


def range_decimals(low: float, high: float) -> int:
    """Return with how many decimals a range is read; its ends are in the unit they are read in."""
    largest = max(abs(low), abs(high))
    return decimals_for(abs(high - low) or largest, usual=2 if largest < _FINE_BELOW else 0)


def range_text(volume: Volume, found: Range) -> str:
    """Return a range of values with its unit, as it is read."""
    ends = [end * display_factor(volume) for end in found]
    decimals = range_decimals(*ends)
    low, high = (f"{end:.{decimals}f}".replace("-", "\u2212") for end in ends)
    return _("{low} to {high} {unit}").format(low=low, high=high, unit=display_unit(volume)).rstrip()


def rules_in_force(rules: EditRules, volume: Volume) -> list[str]:
    """Return the rules that are not the usual ones, a few words each."""
    found = []
    if rules.area is not Area.EVERYWHERE:
        found.append(area_text(rules))
    if rules.value_range is not None and not volume.colour:
        found.append(range_text(volume, rules.value_range))
    if rules.overlap is Overlap.KEEP:
        found.append(_("others stay"))
    elif rules.overlap is Overlap.ALLOW:
        found.append(_("others may overlap"))
    return found


def area_text(rules: EditRules) -> str:
    """Return where labels may be changed."""
    name = rules.area_segment
    if rules.area is Area.INSIDE:
        return _("only inside {name}").format(name=name) if name else _("only inside other segments")
    if rules.area is Area.OUTSIDE:
        return _("only outside {name}").format(name=name) if name else _("only outside other segments")
    return _("everywhere")


def why_nothing(found: Sequence[Hindrance], name: str, rules: EditRules, volume: Volume) -> str:
    """Return one sentence that says what kept a segment from being changed; empty where nothing did.

    Parameters
    ----------
    rules : EditRules
        As they held for the stroke, with the range of the tool.
    """
    causes = [_cause(one, name, rules, volume) for one in found]
    return _("Nothing was changed: {causes}.").format(causes="; ".join(causes)) if causes else ""


def _cause(one: Hindrance, name: str, rules: EditRules, volume: Volume) -> str:
    if one is Hindrance.SEGMENT_LOCKED:
        return _("{name} is locked").format(name=name)
    if one is Hindrance.SEGMENT_ABSENT:
        return _("{name} is confirmed absent").format(name=name)
    if one is Hindrance.AREA:
        return area_text(rules)
    if one is Hindrance.VALUES:
        shown = rules.value_range
        if shown is None or shown[0] > shown[1]:
            return _("the range of the tool and that of the rules have no value in common")
        return _("only values {range}").format(range=range_text(volume, shown))
    if one is Hindrance.OTHERS_KEPT:
        return _("other segments stay")
    return _("a locked segment lies there")
