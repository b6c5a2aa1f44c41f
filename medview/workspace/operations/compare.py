"""An earlier study of the same patient beside the one that is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from medview.core.language import _
from medview.core.plane import Plane, SlicePlane
from medview.core.study import Series, Verdict, VolumeEntry
from medview.workspace.layout import grid
from medview.workspace.links import same_place
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.open import open_series
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Prior:
    """The series of an earlier study that shows most nearly what the present one shows."""

    series: Series
    entry: VolumeEntry


def find_prior(workspace: Workspace, case: OpenCase) -> Prior | None:
    """Return what to compare a case with: of the newest earlier study that has a series of its modality, the most alike.

    Studies of the same patient, by Patient ID, or by name where there is none. One without a date counts as the earliest.
    """
    mine = case.series
    candidates = [
        Prior(series, entry)
        for series in workspace.series
        if series.study_uid != mine.study_uid
        and _same_patient(series, mine)
        and series.modality == mine.modality
        and series.study_date <= (mine.study_date or "99999999")
        and (entry := series.best) is not None
        and entry.verdict is not Verdict.REFUSED
    ]
    return max(candidates, key=lambda prior: (prior.series.study_date, _likeness(prior, case)), default=None)


def compare_with_prior(workspace: Workspace) -> None:
    """Hang the prior to the right of the active case and let both scroll together."""
    case = workspace.active
    if case is None:
        return
    prior = find_prior(workspace, case)
    if prior is None:
        workspace.say(_("No earlier study of this patient with a series of this kind is listed; open its folder first."))
        return
    bench = workspace.bench
    planes = (workspace.plane_in(bench.pointed),) * 2
    layout = grid(1, 2).holding([case.key])
    for cell, plane in zip(layout.slices, planes, strict=True):
        layout = layout.with_cell(
            replace(cell, plane=None if plane is case.acquired_plane else plane, case_key=cell.case_key)
        )
    bench.maximised, bench.detached = "", ()
    bench.layout = layout
    left, right = (cell.pane_id for cell in layout.slices)
    bench.pointed = bench.chosen = left

    def tie() -> None:
        other = workspace.case_in(right)
        if other is None or workspace.case_in(left) is not case:
            return
        workspace.choose(left)
        _begin_alike(case, other)
        together = same_place(case, other)
        # Switched off first: the way each has gone counts from here.
        bench.links = replace(bench.links, offset=False)
        bench.links = replace(bench.links, scroll=True, offset=not together)
        how = _("by their place in the patient") if together else _("from where they stand now")
        workspace.say(_("The earlier study is on the right; both scroll together {how}.").format(how=how))

    if open_series(workspace, prior.series, prior.entry, pane_id=right, shown=lambda _case: tie()) is None:
        tie()


def _begin_alike(case: OpenCase, other: OpenCase) -> None:
    """Look at the same place where the other series has it by its millimetres, else leave it in its middle."""
    geometry = other.volume.geometry
    index = geometry.index_kji(case.volume.geometry.point_lps_mm(case.view.at_kji))
    if geometry.contains(index):
        other.view.look_at(index, geometry.shape_kji)
    if other.volume.unit == case.volume.unit and not other.volume.colour:
        other.view.window = case.view.window


def _same_patient(one: Series, other: Series) -> bool:
    if one.patient_id and other.patient_id:
        return one.patient_id == other.patient_id
    return one.patient_name != "" and one.patient_name == other.patient_name


def _likeness(prior: Prior, case: OpenCase) -> float:
    """Return how alike two series are, by plane, body part, description and thickness of slices."""
    mine, theirs = case.series, prior.series
    score = SequenceMatcher(None, theirs.description.casefold(), mine.description.casefold()).ratio()
    score += theirs.body_part.casefold() == mine.body_part.casefold()
    geometry = prior.entry.geometry
    if geometry is not None:
        acquired = next(plane for plane in Plane if SlicePlane.of(plane, geometry).normal_axis == 0)
        score += 2.0 * (acquired is case.acquired_plane)
        own = case.volume.geometry.spacing_kji_mm[0]
        thick = geometry.spacing_kji_mm[0]
        score += min(own, thick) / max(own, thick)
    return score
