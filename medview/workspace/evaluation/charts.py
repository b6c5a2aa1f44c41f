"""Charts of a report as SVG inside its page: colours come from the page, so that they change with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from medview.workspace.evaluation.page_style import COLOURS

Point = Sequence[float]
Curves = Mapping[str, Sequence[Sequence[float | None]]]

_WIDTH, _HEIGHT = 314, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 10, 40


@dataclass(frozen=True, slots=True)
class _Frame:
    """A square of both axes from 0 to a largest value."""

    largest_x: float = 1.0

    def x(self, value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(value, self.largest_x) / self.largest_x

    def y(self, value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1.0 - value)

    def axes(self, x_title: str, y_title: str, ticks_x: Sequence[float]) -> list[str]:
        parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img">']
        for value in (0.0, 0.25, 0.5, 0.75, 1.0):
            y = self.y(value)
            parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
            parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
        for value in ticks_x:
            x = self.x(value)
            parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>')
            parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{value:g}</text>')
        parts.append(f'<path class="axis" d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"/>')
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        parts.append(f'<text x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x_title)}</text>')
        at = (_TOP + _HEIGHT - _BOTTOM) / 2
        parts.append(f'<text x="12" y="{at}" text-anchor="middle" transform="rotate(-90 12 {at})">{escape(y_title)}</text>')
        return parts


def curve_chart(
    curves: Curves,
    x_title: str,
    y_title: str,
    *,
    diagonal: bool = False,
    largest_x: float = 1.0,
    steps: bool = False,
    marks: Mapping[str, Point] | None = None,
) -> str:
    """Return curves over 0 to 1, one colour each, with a key where there are several.

    Parameters
    ----------
    curves : mapping of str to sequence
        Name -> points (x, y, ...); one without a value is left out.
    steps : bool
        A value holds until the next: nothing lies between points.
    marks : mapping, optional
        A place on a curve, drawn as a ring, e.g. that of the model's own threshold.
    """
    frame = _Frame(largest_x)
    ticks = (0.0, 0.25, 0.5, 0.75, 1.0) if largest_x == 1.0 else tuple(largest_x * n / 4 for n in range(5))
    parts = frame.axes(x_title, y_title, ticks)
    if diagonal:
        parts.append(f'<path class="guide" d="M{frame.x(0):.1f} {frame.y(0):.1f}L{frame.x(1):.1f} {frame.y(1):.1f}"/>')
    for n, (name, points) in enumerate(curves.items()):
        colour = f"var(--c{n % COLOURS})"
        known = [(x, y) for x, y, *_ in points if x is not None and y is not None and x <= largest_x]
        way = _way([(frame.x(x), frame.y(y)) for x, y in known], steps=steps)
        if way:
            parts.append(f'<path class="curve" style="stroke:{colour}" d="{way}"><title>{escape(name)}</title></path>')
        if marks and name in marks:
            x, y = marks[name]
            place = f'cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}"'
            parts.append(f'<circle {place} r="5" style="fill:var(--card);stroke:{colour};stroke-width:2"/>')
    parts.append("</svg>")
    return "".join(parts) + key_of(list(curves))


def reliability_chart(bins: Sequence[Mapping[str, Any]]) -> str:
    """Return what was said against what is true, a dot for each bin, larger where more items are in it."""
    frame = _Frame()
    parts = frame.axes("probability said", "part that is true", (0.0, 0.25, 0.5, 0.75, 1.0))
    parts.append(f'<path class="guide" d="M{frame.x(0):.1f} {frame.y(0):.1f}L{frame.x(1):.1f} {frame.y(1):.1f}"/>')
    held = [one for one in bins if one["items"]]
    most = max((one["items"] for one in held), default=1)
    way = _way([(frame.x(one["said"]), frame.y(one["true"])) for one in held], steps=False)
    if way:
        parts.append(f'<path class="curve" style="stroke:var(--c0);stroke-opacity:.5" d="{way}"/>')
    for one in held:
        radius = 3 + 7 * math.sqrt(one["items"] / most)
        told = f"{one['items']} items: said {one['said']:.2f}, true {one['true']:.2f}"
        parts.append(
            f'<circle cx="{frame.x(one["said"]):.1f}" cy="{frame.y(one["true"]):.1f}" r="{radius:.1f}" '
            f'style="fill:var(--c0);fill-opacity:.75"><title>{told}</title></circle>'
        )
    parts.append("</svg>")
    return "".join(parts)


def strip_chart(rows: Sequence[tuple[str, Sequence[tuple[str, float]], float | None, Sequence[float | None]]]) -> str:
    """Return a row for each class with a dot for each case, the mean as a line and its interval as a bar.

    Parameters
    ----------
    rows : sequence of tuple
        Name, (case, value from 0 to 1) of every case, mean, ends of its interval.
    """
    width, left, height = 1080, 190, 58
    whole = len(rows) * height + 34

    def at(value: float) -> float:
        return left + (width - left - 24) * value

    parts = [f'<svg viewBox="0 0 {width} {whole}" width="{width}" height="{whole}" role="img">']
    for tick in range(11):
        x = at(tick / 10)
        parts.append(f'<path class="grid" d="M{x:.1f} 4V{whole - 28}"/>')
        parts.append(f'<text x="{x:.1f}" y="{whole - 10}" text-anchor="middle">{tick / 10:g}</text>')
    for n, (name, cases, mean, (low, high)) in enumerate(rows):
        middle, colour = 4 + n * height + height / 2, f"var(--c{n % COLOURS})"
        parts.append(f'<text class="strong" x="{left - 14}" y="{middle + 4:.1f}" text-anchor="end">{_short(name)}</text>')
        for key, value in cases:
            # Cases of like values lie beside each other, always in the same place.
            y = middle + (_scatter(key) - 0.5) * (height - 22)
            told = f"{escape(key)}: {value:.3f}"
            parts.append(
                f'<circle cx="{at(value):.1f}" cy="{y:.1f}" r="3" style="fill:{colour};fill-opacity:.45">'
                f"<title>{told}</title></circle>"
            )
        if mean is not None:
            if low is not None and high is not None:
                wide = max(1.0, at(high) - at(low))
                parts.append(
                    f'<rect x="{at(low):.1f}" y="{middle - 3:.1f}" width="{wide:.1f}" height="6" rx="3" '
                    'style="fill:var(--ink);fill-opacity:.55"/>'
                )
            line = f"M{at(mean):.1f} {middle - 15:.1f}V{middle + 15:.1f}"
            parts.append(f'<path d="{line}" style="stroke:var(--ink);stroke-width:2.5"/>')
    parts.append("</svg>")
    return "".join(parts)


def matrix_table(
    rows: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]], shown: Callable[[int], str]
) -> str:
    """Return a confusion matrix as a table, the true classes in rows; the more of a row lie in a cell, the darker it is."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    lines = [f'<tr><th class="row">true \\ found</th>{head}</tr>']
    for name, row in zip(rows, counts, strict=True):
        total = sum(row)
        cells = []
        for count in row:
            share = count / total if total else 0.0
            part = f"<small>{100 * share:.0f} %</small>" if total else ""
            cells.append(f'<td style="background:rgba(var(--heat),{0.75 * share:.2f})">{shown(count)}{part}</td>')
        lines.append(f'<tr><th class="row">{escape(name)}</th>{"".join(cells)}</tr>')
    return f'<div class="scroll"><table class="matrix">{"".join(lines)}</table></div>'


def key_of(names: Sequence[str]) -> str:
    """Return which colour is which; nothing for one."""
    if len(names) < 2:
        return ""
    keys = "".join(
        f'<span><i style="background:var(--c{n % COLOURS})"></i>{escape(name)}</span>' for n, name in enumerate(names)
    )
    return f'<div class="key">{keys}</div>'


def _way(points: Sequence[tuple[float, float]], *, steps: bool) -> str:
    if not points:
        return ""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for x, y in points[1:]:
        parts.append(f"H{x:.1f}V{y:.1f}" if steps else f"L{x:.1f} {y:.1f}")
    return "".join(parts)


def _short(name: str, most: int = 26) -> str:
    return escape(name if len(name) <= most else f"{name[: most - 1]}…")


def _scatter(key: str) -> float:
    """Return a number from 0 to 1 that a name always has."""
    return (sum((n + 1) * 2654435761 * ord(letter) for n, letter in enumerate(key)) % 1000003) / 1000003
