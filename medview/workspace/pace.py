"""How long models take on this computer: learnt from runs, kept between starts, asked before the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from medview.core.errors import ModelError
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prediction import Prediction
from medview.ml.estimate import RunEstimate, work_voxels
from medview.ml.free_memory import free_memory_bytes
from medview.ml.packs import ModelPack
from medview.ml.runners.quiet_import import import_torch
from medview.workspace.jobs import Lane
from medview.workspace.model_inputs import ModelInputs
from medview.workspace.settings import Settings

MOST_KEPT = 64
"""Packs whose pace is kept; that of the one run longest ago goes first."""

_WEIGHT = 0.5
"""Of the newest run beside all earlier ones."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of a pack on one device of this computer.

    Attributes
    ----------
    seconds_per_voxel : float
        Of the model's grid.
    memory_bytes, memory_voxels : float
        What a series of so many voxels of the model's grid was planned to take; 0 where that was not asked.
    runs : int
        Whole runs behind it; 0 where one tile was timed.
    """

    seconds_per_voxel: float
    memory_bytes: float = 0.0
    memory_voxels: float = 0.0
    runs: int = 0

    @classmethod
    def of(cls, document: Any) -> Pace | None:
        """Return what was kept; None where it is no pace."""
        try:
            pace = cls(
                float(document["seconds_per_voxel"]),
                float(document["memory_bytes"]),
                float(document["memory_voxels"]),
                int(document["runs"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        return pace if 0.0 < pace.seconds_per_voxel < 1.0 else None


def run_before(settings: Settings, pack: ModelPack) -> bool:
    """Whether the pack was run on this computer."""
    return any((pace := pace_of(settings, pack, device)) is not None and pace.runs for device in ("cpu", "cuda"))


def pace_of(settings: Settings, pack: ModelPack, device: str) -> Pace | None:
    """Return what is known of a pack on a device."""
    return Pace.of(settings.model_paces.get(_key(pack, device)))


def known_estimate(settings: Settings, inputs: ModelInputs) -> RunEstimate | None:
    """Return time and memory of a run on the chosen series from what is known already; None where nothing is."""
    base = inputs.of(inputs.reference)
    if base is None:
        return None
    voxels = work_voxels(inputs.pack.spec, base.candidate.geometry)
    for device in ("cuda", "cpu"):
        pace = pace_of(settings, inputs.pack, device)
        if pace is None:
            continue
        # The network's own memory does not grow with the series; the values it is given do.
        channels = len(inputs.chosen)
        grown = 4.0 * channels * (voxels - pace.memory_voxels) if pace.memory_bytes else 0.0
        memory = max(0.0, pace.memory_bytes + grown)
        free = free_memory_bytes() if device == "cpu" and memory else 0
        return RunEstimate(pace.seconds_per_voxel * voxels, int(memory), free, device, pace.runs > 0)
    return None


def with_run(settings: Settings, pack: ModelPack, prediction: Prediction) -> Settings:
    """Return the settings after a run, without the time its series took to be read."""
    seconds = sum(prediction.seconds.get(stage, 0.0) for stage in ("prepare", "infer", "finish"))
    voxels = work_voxels(pack.spec, prediction.geometry)
    device = "cuda" if prediction.device.startswith("cuda") else "cpu"
    if seconds <= 0.0 or voxels <= 0.0:
        return settings
    now, before = seconds / voxels, pace_of(settings, pack, device)
    if before is None:
        return _kept(settings, pack, device, Pace(now, runs=1))
    mixed = now if before.runs == 0 else _WEIGHT * now + (1.0 - _WEIGHT) * before.seconds_per_voxel
    return _kept(settings, pack, device, replace(before, seconds_per_voxel=mixed, runs=before.runs + 1))


def with_estimate(settings: Settings, pack: ModelPack, geometry: Geometry, found: RunEstimate) -> Settings:
    """Return the settings after a tile was timed; what whole runs told stays."""
    voxels = work_voxels(pack.spec, geometry)
    if found.problem or found.seconds <= 0.0 or voxels <= 0.0:
        return settings
    before = pace_of(settings, pack, found.device)
    told = before is not None and before.runs > 0
    pace = before if before is not None and told else Pace(found.seconds / voxels)
    pace = replace(pace, memory_bytes=float(found.memory_bytes), memory_voxels=voxels)
    return _kept(settings, pack, found.device, pace)


@dataclass(frozen=True, slots=True, eq=False)
class EstimateRun:
    """Request: what a run would take on a grid like this; a worker times one tile."""

    pack: ModelPack
    geometry: Geometry
    lane: Lane = Lane.MODEL

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Estimating {name}").format(name=self.pack.spec.name)

    def run(self, context: JobContext) -> RunEstimate:
        """Work in a worker; torch is imported here, not in the window. What cannot run is an answer, not a failure."""
        # Costs seconds that only runs of models need.
        from importlib import import_module

        import_torch()
        try:
            found: RunEstimate = import_module("medview.ml.runners.trial").estimate(self.pack, self.geometry, context)
        except ModelError as error:
            return RunEstimate(0.0, problem=error.sentence)
        return found


def _kept(settings: Settings, pack: ModelPack, device: str, pace: Pace) -> Settings:
    document: Mapping[str, float] = {
        "seconds_per_voxel": pace.seconds_per_voxel,
        "memory_bytes": pace.memory_bytes,
        "memory_voxels": pace.memory_voxels,
        "runs": pace.runs,
    }
    key = _key(pack, device)
    others = [(one, found) for one, found in settings.model_paces.items() if one != key]
    return replace(settings, model_paces=dict([*others[-MOST_KEPT + 1 :], (key, dict(document))]))


def _key(pack: ModelPack, device: str) -> str:
    return f"{pack.digest[:32]} {device}"
