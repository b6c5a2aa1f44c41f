"""What a model that is still running has found so far; it is shown, and can be neither accepted nor kept."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.prediction import PredictedMask


@dataclass(frozen=True, slots=True, eq=False)
class Unfinished:
    """A mask that goes on growing, before what the pack does to finished ones.

    Attributes
    ----------
    run_id : str
        Of the job that works on it.
    title : str
        Name of the model.
    """

    run_id: str
    title: str
    mask: PredictedMask
