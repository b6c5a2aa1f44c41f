"""How many decimals numbers need where people read them and step through them."""

from __future__ import annotations

import math

_MOST = 9


def decimals_for(span: float, usual: int) -> int:
    """Return decimals that tell about a hundred steps of a span apart, where it is small; the usual number elsewhere.

    Parameters
    ----------
    span : float
        Distance between the numbers, in their unit.
    """
    if not 0 < span < 1:
        return usual
    return max(usual, min(_MOST, math.floor(2 - math.log10(span))))
