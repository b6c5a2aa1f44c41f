"""Where the volume of a queued task is at hand already, and whether a model may run on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from medview.core.errors import ModelError
from medview.core.study import Series, Verdict, VolumeEntry
from medview.io.reader_pool import Pool
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.workspace.input_preparation import Preparation
from medview.workspace.model_inputs import ModelInputs, given_of
from medview.workspace.open_case import OpenCase, case_key
from medview.workspace.queue import SeriesPlace
from medview.workspace.requests_queue import ReadVolume, damage
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A volume that is at hand: scanned, and perhaps read."""

    series: Series
    entry: VolumeEntry
    read: ReadVolume | None = None


def known_volume(workspace: Workspace, place: SeriesPlace, running: ReadVolume | None) -> Known | None:
    """Return where a volume is at hand: open, read for the model that runs now, or only scanned.

    Parameters
    ----------
    running : ReadVolume, optional
        What the model that runs now was given; not used again where it was of an open series.
    """
    case = open_case(workspace, place)
    if case is not None:
        return Known(case.series, case.entry, of_open(case))
    if running is not None and running.stored is not None and place.is_of(running.series, running.entry):
        shared = set(running.entry.paths) == set(place.paths)
        if shared:
            return Known(running.series, running.entry, running)
    found = place.entry_in(workspace.series)
    return Known(*found) if found is not None else None


def open_case(workspace: Workspace, place: SeriesPlace) -> OpenCase | None:
    """Return the open case of a volume, or None; of two alike, the one with its files."""
    cases = [case for case in workspace.cases.values() if place.is_of(case.series, case.entry)]
    own = [case for case in cases if set(case.entry.paths) == set(place.paths)]
    return next(iter(own or cases), None)


def arriving(workspace: Workspace, place: SeriesPlace) -> bool:
    """Whether the task has to wait: a person has just opened the series, which is read once, or its labels are held."""
    case = open_case(workspace, place)
    return case is not None and (not case.ready or case.held)


def of_open(case: OpenCase) -> ReadVolume:
    """Return the volume of an open case as a model gets it; there is a problem where the result could not be kept."""
    count = len(case.anchor.load.damaged)
    problem = damage(count) if count else case.read_only
    return ReadVolume(case.series, case.entry, case.anchor.volume, problem=problem)


def request_for(
    pack: ModelPack, read: ReadVolume, others: Iterable[tuple[Series, VolumeEntry]], pool: Pool, device: str
) -> PredictRequest | Preparation:
    """Return the request for a model on a series that was read, with nobody there to ask which series is which channel.

    Parameters
    ----------
    others : iterable of Series and VolumeEntry
        Of the same study, for models of several channels.

    Raises
    ------
    ModelError
        When a channel is missing, it is unclear which series is which, or the series is not the model's first channel: the
        result comes with that one, once.
    """
    key, name = case_key(read.series, read.entry), pack.spec.name
    own = given_of(key, read.series, read.entry, read.volume)
    several = pack.spec.input.several
    beside = [given_of(case_key(series, entry), series, entry) for series, entry in others] if several else []
    given = {one.key: one for one in (*beside, own) if one is not None}
    inputs = ModelInputs.proposed(pack, tuple(given.values()), pool, key)
    if several and not inputs.problem:
        if inputs.ambiguous:
            unclear = inputs.name(inputs.ambiguous[0])
            raise ModelError(f"It is not clear which series is {unclear} for {name}; open the study and run it there.")
        if inputs.chosen[0] != key:
            raise ModelError(f"{name} brings its result with the series that is {inputs.name(0)}, which is another one.")
    return inputs.request(device)


def of_study(series: Iterable[Series], study_uid: str) -> list[tuple[Series, VolumeEntry]]:
    """Return the volumes of a study among series that were scanned."""
    found = [(one, one.best) for one in series if one.study_uid == study_uid]
    return [(one, best) for one, best in found if best is not None and best.verdict is Verdict.VOLUME]
