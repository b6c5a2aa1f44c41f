"""Which options a recipe may have, and what they say as numbers; the reader knows only that they are literals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medview.core.errors import ModelError
from medview.ml.spec import Literal, Task

_WITH_PARENT = {"tune", "tune_rate", "new_rate", "head_rate", "encoder_rate", "backbone_rate", "rank", "frozen"}
_OF_ALL = frozenset({"precision", "full_weights", *_WITH_PARENT})

OPTIONS: Mapping[Task, frozenset[str]] = {
    Task.SEGMENTATION: _OF_ALL | {"foreground", "room"},
    Task.DETECTION: _OF_ALL | {"foreground", "side"},
    Task.CLASSIFICATION: _OF_ALL | {"weights", "balance", "smoothing", "sure", "side"},
    Task.INTERACTIVE: _OF_ALL | {"grown", "tile"},
}
"""By name, as docs/training.md and the page of each task tell them: a misspelled one would be passed over in silence."""


def number_in(options: Mapping[str, Literal], name: str, usual: float) -> float:
    """Return an option that is a number; ``usual`` where it is left out or null.

    Raises
    ------
    ModelError
        When it is something else.
    """
    value = options.get(name)
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ModelError(f"The recipe says {value!r} for {name}, which has to be a number; see docs/training.md.")
    return float(value)


def count_in(options: Mapping[str, Literal], name: str, usual: int) -> int:
    """Return an option that is a whole number; ``usual`` where it is left out or null.

    Raises
    ------
    ModelError
        When it is something else.
    """
    value = number_in(options, name, usual)
    if value != int(value):
        raise ModelError(f"The recipe says {value!r} for {name}, which has to be a whole number; see docs/training.md.")
    return int(value)


def counts_in(options: Mapping[str, Literal], name: str, usual: Sequence[int]) -> list[int]:
    """Return an option that is a list of whole numbers; ``usual`` where it is left out or null.

    Raises
    ------
    ModelError
        When it is something else.
    """
    value = options.get(name)
    if value is None:
        return list(usual)
    if not isinstance(value, list):
        raise ModelError(f"The recipe says {value!r} for {name}, which has to be a list of numbers; see docs/training.md.")
    return [count_in({name: one}, name, 0) for one in value]
