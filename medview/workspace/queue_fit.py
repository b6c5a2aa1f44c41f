"""Whether a model may run on a series with nobody at the screen."""

from __future__ import annotations

from medview.core.study import VolumeEntry
from medview.ml.packs import ModelPack
from medview.ml.registry import Fit, fits
from medview.ml.spec import Task


def fit_of(pack: ModelPack, modality: str, entry: VolumeEntry) -> Fit:
    """Return whether a model may run on a volume, and can without somebody at the screen."""
    spec = pack.spec
    if spec.task is Task.INTERACTIVE:
        return Fit(False, f"{spec.name} waits for clicks on the picture, so it cannot run by itself.")
    if entry.geometry is None:
        return Fit(False, f"{spec.name} needs a volume; the place of these images in the patient is not known.")
    return fits(spec, modality, entry.geometry, entry.unit, entry.colour)
