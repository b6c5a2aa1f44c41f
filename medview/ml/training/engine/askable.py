"""Whether the model that is to be trained may be asked about its own images, before a step is made."""

from __future__ import annotations

from collections.abc import Sequence

from medview.core.errors import ModelError
from medview.ml.examples import Example
from medview.ml.registry import fits
from medview.ml.spec import ModelSpec


def check_askable(spec: ModelSpec, validation: Sequence[Example]) -> None:
    """Refuse a description by which no validation example could be judged; examples are read until one could.

    Raises
    ------
    ModelError
    MedViewError
        What reading the examples raises.
    """
    reason = ""
    for example in validation:
        found = [
            fits(spec, one.modality, one.geometry, one.unit, one.colour, channel)
            for channel, one in enumerate(example.volumes())
        ]
        misfits = [fit.reason for fit in found if not fit.ok]
        if not misfits:
            return
        reason = reason or misfits[0]
    if reason:
        raise ModelError(
            f"What would be trained could be asked about none of the {len(validation)} validation cases, so nothing is "
            f"trained; begin from another model, or take another recipe. {reason}"
        )
