"""What became of what a model proposed, once a person had accepted it: how much was corrected, and how long that took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from medview.core.source import Source


@dataclass(frozen=True, slots=True)
class Agreement:
    """The mask a model proposed beside the one a person left.

    Attributes
    ----------
    dice : float
        Twice the common part over the sum of both, 0 to 1; 1 where both are empty.
    added, removed : int
        Voxels the person added to what was proposed, and took away from it.
    voxel_ml : float
        Volume of a voxel; 0 where the grid has no millimetres along all axes.
    """

    dice: float
    proposed: int
    final: int
    added: int
    removed: int
    voxel_ml: float

    @classmethod
    def of(cls, proposed: int, final: int, common: int, voxel_ml: float) -> Agreement:
        """Return the agreement of two masks with so many voxels, and so many that both hold."""
        both = proposed + final
        return cls(2.0 * common / both if both else 1.0, proposed, final, final - common, proposed - common, voxel_ml)

    @property
    def final_ml(self) -> float:
        """Volume the person left."""
        return self.final * self.voxel_ml

    @property
    def added_ml(self) -> float:
        """Volume the person added."""
        return self.added * self.voxel_ml

    @property
    def removed_ml(self) -> float:
        """Volume the person took away."""
        return self.removed * self.voxel_ml


@dataclass(frozen=True, slots=True)
class Effort:
    """One accepted segment: which class of which run of a model it was, and what was done to it since.

    Attributes
    ----------
    source : Source
        Model, version, checksum of its weights and the run.
    value, label : int, str
        Of the class in the proposed mask.
    active_s : float
        Seconds somebody worked on the case while the segment was not done; pauses are not counted.
    agreement : Agreement or None
        As it was measured last; None before that.
    """

    segment_id: str
    source: Source
    value: int
    label: str
    active_s: float = 0.0
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True)
class ModelEffort:
    """What correcting one version of a model came to, over cases that are done.

    Attributes
    ----------
    segments, measured : int
        How many of its segments were accepted, and of how many it is known what became of them.
    dice : float or None
        Mean over the measured segments.
    added_ml, removed_ml : float
        Sum over the measured segments.
    minutes_per_case : float
        Mean over whoever corrected one; it took as long as the one of its segments that took longest.
    proposed, corrected : int
        Voxels of the measured segments as they were proposed, and how many of them and beside them were changed.
    first_utc : str
        When it first ran on a case in which something of it was accepted, ISO 8601; empty where that is not known.
    """

    model_id: str
    model_version: str
    model_sha256: str
    cases: int
    segments: int
    measured: int
    dice: float | None
    added_ml: float
    removed_ml: float
    minutes_per_case: float
    proposed: int = 0
    corrected: int = 0
    first_utc: str = ""

    @property
    def corrected_part(self) -> float | None:
        """Corrected voxels per proposed voxel; None where nothing was measured or proposed."""
        return self.corrected / self.proposed if self.proposed else None

    def document(self) -> dict[str, object]:
        """Return it ready for JSON."""
        return {
            "model_id": self.model_id,
            "model_version": self.model_version,
            "model_sha256": self.model_sha256,
            "cases": self.cases,
            "segments": self.segments,
            "measured_segments": self.measured,
            "mean_dice": None if self.dice is None else round(self.dice, 4),
            "added_ml": round(self.added_ml, 3),
            "removed_ml": round(self.removed_ml, 3),
            "minutes_per_case": round(self.minutes_per_case, 2),
            "proposed_voxels": self.proposed,
            "corrected_voxels": self.corrected,
            "corrected_per_proposed": None if self.corrected_part is None else round(self.corrected_part, 4),
            "first_utc": self.first_utc,
        }


def model_efforts(cases: Iterable[Sequence[Mapping[str, Effort]]]) -> list[ModelEffort]:
    """Return what each version of each model took, by its name and version.

    Parameters
    ----------
    cases : iterable of sequence of mapping
        Of each case that is done: the efforts of each of its readings by segment id.
    """
    found: dict[tuple[str, str, str], list[list[list[Effort]]]] = {}
    for readings in cases:
        of_case: dict[tuple[str, str, str], list[list[Effort]]] = {}
        for efforts in readings:
            here: dict[tuple[str, str, str], list[Effort]] = {}
            for one in efforts.values():
                source = one.source
                here.setdefault((source.model_id, source.model_version, source.model_sha256), []).append(one)
            for key, of_reading in here.items():
                of_case.setdefault(key, []).append(of_reading)
        for key, of_readings in of_case.items():
            found.setdefault(key, []).append(of_readings)
    return [_model(key, found[key]) for key in sorted(found)]


def versions_in_order(models: Iterable[ModelEffort]) -> dict[str, tuple[ModelEffort, ...]]:
    """Return the versions of each model by its id, in the order in which they came into use."""
    found: dict[str, list[ModelEffort]] = {}
    for one in models:
        found.setdefault(one.model_id, []).append(one)
    return {
        model_id: tuple(sorted(versions, key=lambda one: (one.first_utc, one.model_version)))
        for model_id, versions in found.items()
    }


def _model(key: tuple[str, str, str], cases: Sequence[Sequence[Sequence[Effort]]]) -> ModelEffort:
    readings = [reading for case in cases for reading in case]
    measured = [one.agreement for reading in readings for one in reading if one.agreement is not None]
    return ModelEffort(
        *key,
        cases=len(cases),
        segments=sum(len(reading) for reading in readings),
        measured=len(measured),
        dice=fmean(one.dice for one in measured) if measured else None,
        added_ml=sum(one.added_ml for one in measured),
        removed_ml=sum(one.removed_ml for one in measured),
        minutes_per_case=fmean(max(one.active_s for one in reading) for reading in readings) / 60.0,
        proposed=sum(one.proposed for one in measured),
        corrected=sum(one.added + one.removed for one in measured),
        first_utc=min((when for reading in readings for one in reading if (when := one.source.created_utc)), default=""),
    )
