"""How a picture lies on the screen while its plane is turned: carried along without rolling, drawn towards upright."""

from __future__ import annotations

import math
from dataclasses import dataclass

from medview.core.vector import Triple

_SLOPE = 0.3
"""A direction across the screen that shrinks to less than this part of itself is no help to stand by."""

_STEP = math.radians(2.0)
"""A large turn is made of such ones, so that it ends as many small ones do."""

_RIGHTING = 1.5
"""How far a picture rolls towards upright, at the most, for a plane turned by 1: slopes up to 45 degrees need 1 to stay."""

_NEAR_HOME = 0.5
"""Cosine of the slope (60 degrees) up to which only the picture's own top may be on top; beyond, the nearer end may."""

_SAME = 1e-12


@dataclass(frozen=True, slots=True)
class Home:
    """How the picture of a plane lies before any turn: unit vectors to the right, down, and across it.

    Plain numbers: a turn by hand carries three pictures along in some dozen steps, many times a second.
    """

    right: Triple
    down: Triple
    across: Triple

    def standing(self, across: Triple) -> Triple:
        """Return what lies to the right in a picture across a direction that is as upright as its slope lets it be."""
        right, length = _flat(self.right, across)
        if length >= _SLOPE:
            return right
        facing = 1.0 if _dot(_cross(self.right, self.down), self.across) > 0 else -1.0
        x, y, z = _cross(_flat(self.down, across)[0], across)
        return facing * x, facing * y, facing * z

    def carried(self, right: Triple, across: Triple, around: Triple, radians: float) -> Triple:
        """Return what lies to the right after a turn about a unit vector.

        Parameters
        ----------
        right, across : tuple of float
            Of the picture before the turn; unit vectors at right angles.
        """
        done, start = 0.0, across
        while done != radians:
            left = radians - done
            done = radians if abs(left) <= _STEP else done + math.copysign(_STEP, left)
            following = _turned(start, around, done)
            right = self._righted(_moved(right, across, following), across, following)
            across = following
        return right

    def _righted(self, right: Triple, before: Triple, across: Triple) -> Triple:
        moved = math.acos(min(1.0, max(-1.0, _dot(before, across))))
        upright, length = _flat(self.right, across)
        if length < _SLOPE or moved < _SAME:
            return right
        if _dot(across, self.across) < _NEAR_HOME and _dot(right, upright) < 0:
            upright = (-upright[0], -upright[1], -upright[2])
        away = math.atan2(_dot(across, _cross(right, upright)), _dot(right, upright))
        most = _RIGHTING * moved
        return upright if abs(away) <= most else _turned(right, across, math.copysign(most, away))


def _moved(right: Triple, before: Triple, after: Triple) -> Triple:
    """Return a direction across ``before`` taken along to ``after`` by the shortest turn."""
    part = _dot(right, after) / (1.0 + _dot(before, after))
    x, y, z = (r - part * (b + a) for r, b, a in zip(right, before, after, strict=True))
    return _flat((x, y, z), after)[0]


def _turned(vector: Triple, around: Triple, radians: float) -> Triple:
    cosine, sine = math.cos(radians), math.sin(radians)
    along, side = _dot(vector, around) * (1.0 - cosine), _cross(around, vector)
    x, y, z = (v * cosine + s * sine + a * along for v, s, a in zip(vector, side, around, strict=True))
    return x, y, z


def _flat(vector: Triple, across: Triple) -> tuple[Triple, float]:
    """Return the direction of the part of a vector that lies in a picture, and its length."""
    part = _dot(vector, across)
    x, y, z = (v - part * a for v, a in zip(vector, across, strict=True))
    length = math.sqrt(x * x + y * y + z * z)
    return ((x / length, y / length, z / length), length) if length > 0 else (vector, 0.0)


def _dot(a: Triple, b: Triple) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Triple, b: Triple) -> Triple:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
