"""What is said of cases that are worth labelling next."""

from __future__ import annotations

from medview.core.effort_rate import EffortRate, Grounds
from medview.core.language import _, plural
from medview.ml.next_cases.slices import SliceRange
from medview.ml.next_cases.strategy import Strategy
from medview.workspace.next_cases.batch import NextCase

STRATEGY = {
    Strategy.UNCERTAINTY: _("Most uncertain"),
    Strategy.FOREGROUND_RANDOM: _("By chance"),
    Strategy.RANDOM: _("By chance, any slices"),
}


def reason_text(case: NextCase) -> str:
    """Return why a case is proposed: ``Posterior uncertain on slices 12-19``."""
    if not case.by_class:
        if not case.ranges:
            return _("Drawn by chance")
        return _("Drawn by chance: slices {slices}").format(slices=slices_text(case.ranges[0]))
    if not case.ranges:
        return _("{name} uncertain").format(name=case.by_class)
    best = case.ranges[0]
    parts = [_("{name} uncertain on slices {slices}").format(name=case.range_classes[0], slices=slices_text(best))]
    parts += [
        _("{name} on {slices}").format(name=name, slices=slices_text(one))
        for one, name in zip(case.ranges[1:], case.range_classes[1:], strict=True)
    ]
    return "; ".join(parts)


def slices_text(one: SliceRange) -> str:
    """Return slices as they are counted on the screen: ``12–19``."""
    first, last = one.first + 1, one.last + 1
    return f"{first}–{last}" if last > first else str(first)


def minutes_text(minutes: float) -> str:
    """Return expected minutes: ``4 min``."""
    if minutes < 1.0:
        return _("under 1 min")
    return _("{n} min").format(n=round(minutes))


def rate_text(rate: EffortRate) -> str:
    """Return what expected minutes are taken from."""
    if rate.grounds is Grounds.CORRECTIONS:
        text = plural(
            "Minutes follow from what was corrected in {n} case here.",
            "Minutes follow from what was corrected in {n} cases here.",
            rate.cases,
        )
        return text.format(n=rate.cases)
    if rate.grounds is Grounds.FINISHED:
        text = plural(
            "Minutes are what {n} finished case took here; nothing a model proposed was corrected yet.",
            "Minutes are what {n} finished cases took here; nothing a model proposed was corrected yet.",
            rate.cases,
        )
        return text.format(n=rate.cases)
    return _("Minutes are a guess until the first corrections are noted here.")
