"""Pictures in colour as the channels models look at."""

from __future__ import annotations

from medview.core.volume import Volume
from medview.ml.predict import brightness, colour_parts
from medview.ml.spec import COLOUR_CHANNELS


def grey_channels(volume: Volume, count: int) -> tuple[Volume, ...]:
    """Return a volume as ``count`` (1 or 3) grey ones that share its memory where they can.

    Colours with one channel wanted become their luminance, unless their three parts are equal; grey with three wanted
    stands three times.
    """
    return colour_parts(volume) if count == len(COLOUR_CHANNELS) else (brightness(volume),)
