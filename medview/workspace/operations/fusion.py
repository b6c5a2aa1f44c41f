"""One series over another: begin, register, change, end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from medview.core.errors import MedViewError
from medview.core.language import _, in_language
from medview.core.registration import Registration
from medview.core.study import Series, Verdict
from medview.workspace.events import Severity
from medview.workspace.fusion import (
    OPACITY_STEP,
    Footing,
    Fusion,
    in_one_frame,
    opening_colour_map,
    registration_between,
    same_patient,
    why_not,
    with_fusion,
    without_case,
)
from medview.workspace.jobs import Job, Outcome
from medview.workspace.open_case import OpenCase, case_key
from medview.workspace.requests_registration import RegisterVolumes
from medview.workspace.workspace import Workspace


def fusion_of(workspace: Workspace, base: OpenCase | None) -> Fusion | None:
    """Return the fusion over a case."""
    return None if base is None else workspace.bench.fusions.get(base.key)


def overlay_of(workspace: Workspace, base: OpenCase | None) -> OpenCase | None:
    """Return the case that lies over a case."""
    fusion = fusion_of(workspace, base)
    return None if fusion is None else workspace.cases.get(fusion.overlay_key)


def footing_of(workspace: Workspace, base: OpenCase) -> Footing:
    """Return on what grounds the overlay of a case is drawn; NONE as well where there is no overlay."""
    fusion, overlay = fusion_of(workspace, base), overlay_of(workspace, base)
    if fusion is None or overlay is None:
        return Footing.NONE
    return fusion.footing(base.volume.geometry, overlay.volume.geometry)


def open_candidates(workspace: Workspace, base: OpenCase) -> list[OpenCase]:
    """Return the other open series that may be laid over a case: of the same patient, grey, with millimetres."""
    return [
        case
        for case in workspace.cases.values()
        if case is not base and same_patient(case.series, base.series) and not why_not(case.volume)
    ]


def closed_candidates(workspace: Workspace, base: OpenCase) -> list[Series]:
    """Return series of the same patient that were found and are not open."""
    found = []
    for series in workspace.series:
        best = series.best
        if best is None or best.verdict is not Verdict.VOLUME or case_key(series, best) in workspace.cases:
            continue
        if same_patient(series, base.series) and series.patient_id == base.series.patient_id:
            found.append(series)
    return found


def fuse(workspace: Workspace, base: OpenCase, overlay: OpenCase) -> bool:
    """Lay one open case over another; where their frames differ, as they were registered before, else say so and wait."""
    problem = why_not(base.volume) or why_not(overlay.volume)
    if any(workspace.cases.get(case.key) is not case for case in (base, overlay)):
        return False
    if not problem and base is overlay:
        problem = _("A series cannot be laid over itself; choose another one.")
    if not problem and not same_patient(base.series, overlay.series):
        problem = _("These series are of two patients; choose series of one patient.")
    if problem:
        workspace.say(problem, Severity.WARNING)
        return False
    known = known_registration(workspace, base, overlay)
    _set(workspace, Fusion(base.key, overlay.key, colour_map=opening_colour_map(overlay.volume), registration=known))
    if known is not None:
        workspace.say(
            _("The two series lie as they were registered before. {note}").format(note=in_language(known.note)).rstrip(),
            Severity.WARNING,
        )
    elif not in_one_frame(base.volume.geometry, overlay.volume.geometry):
        stated = all(c.volume.geometry.frame_of_reference_uid for c in (base, overlay))
        why = _("have different frames of reference") if stated else _("state no common frame of reference")
        workspace.say(_("The two series {why}; register them to see one over the other.").format(why=why), Severity.WARNING)
    return True


def known_registration(workspace: Workspace, base: OpenCase, overlay: OpenCase) -> Registration | None:
    """Return the registration of one case to another that was found in this session, in either direction, or None."""
    fixed, moving = (base.key, base.volume.geometry), (overlay.key, overlay.volume.geometry)
    return registration_between(workspace.registrations, fixed, moving)


def fuse_series(workspace: Workspace, base: OpenCase, series: Series) -> Job | None:
    """Open a series that is not open yet, keep showing the base, and lay the new one over it."""

    def opened(overlay: OpenCase) -> None:
        if workspace.cases.get(base.key) is base:
            workspace.show(base.key)
            fuse(workspace, base, overlay)

    # Readers take a while to import; the window is on screen before anybody fuses.
    from medview.workspace.operations.open import open_series

    return open_series(workspace, series, then=opened)


def register(workspace: Workspace, base: OpenCase) -> Job | None:
    """Look in the background for the rigid registration of the overlay of a case to it."""
    fusion, overlay = fusion_of(workspace, base), overlay_of(workspace, base)
    if fusion is None or overlay is None or fusion.registering:
        return None
    if not (base.ready and overlay.ready):
        workspace.say(_("Not all slices have arrived; register when both series are read."), Severity.WARNING)
        return None

    def current() -> Fusion | None:
        now = workspace.bench.fusions.get(base.key)
        same = workspace.cases.get(base.key) is base and workspace.cases.get(overlay.key) is overlay
        return now if now is not None and same and now.overlay_key == overlay.key else None

    def done(value: object) -> None:
        if not isinstance(value, Registration):
            return
        workspace.registrations.pop((overlay.key, base.key), None)
        workspace.registrations[base.key, overlay.key] = value
        now = current()
        if now is not None:
            _set(workspace, replace(now, registration=value, registering=False, visible=True))
            workspace.say(
                _("Registered in {seconds:.0f} s. {note}").format(seconds=value.seconds, note=in_language(value.note)),
                Severity.WARNING,
            )

    def ended() -> None:
        now = current()
        if now is not None:
            _set(workspace, replace(now, registering=False))

    def failed(error: MedViewError) -> None:
        ended()
        workspace.report(error)

    _set(workspace, replace(fusion, registering=True))
    return workspace.runner.submit(
        RegisterVolumes(base.volume, overlay.volume), Outcome(done, failed=failed, cancelled=ended)
    )


def change(workspace: Workspace, base: OpenCase, how: Callable[[Fusion], Fusion]) -> None:
    """Put a changed fusion in the place of the one over a case; nothing where there is none."""
    fusion = fusion_of(workspace, base)
    if fusion is not None:
        _set(workspace, how(fusion))


def stronger(workspace: Workspace, base: OpenCase, steps: int) -> None:
    """Make the overlay of a case more opaque by steps of a tenth; negative ones make it fainter."""
    fusion = fusion_of(workspace, base)
    if fusion is not None:
        opacity = round(fusion.opacity + steps * OPACITY_STEP, 3)
        _set(workspace, replace(fusion, opacity=opacity, visible=True))


def toggle(workspace: Workspace, base: OpenCase) -> None:
    """Show or hide the overlay of a case; where there is none, lay the only other series that fits over it."""
    fusion = fusion_of(workspace, base)
    if fusion is not None:
        _set(workspace, replace(fusion, visible=not fusion.visible))
        return
    found = open_candidates(workspace, base)
    same_frame = [c for c in found if in_one_frame(base.volume.geometry, c.volume.geometry)]
    chosen = found if len(found) == 1 else same_frame
    if len(chosen) == 1:
        fuse(workspace, base, chosen[0])
    elif found:
        workspace.say(_("Several series can be laid over this one; choose one in the Fusion part."))
    else:
        workspace.say(_("Open another series of this patient to lay it over this one."))


def swap(workspace: Workspace, base: OpenCase) -> None:
    """Put the lower series over the upper one, and show that."""
    fusion, overlay = fusion_of(workspace, base), overlay_of(workspace, base)
    if fusion is None or overlay is None or fusion.registering:
        return
    back = fusion.registration.inverse() if fusion.registration is not None else None
    rest = without_case(workspace.bench.fusions, base.key)
    turned = Fusion(overlay.key, base.key, fusion.opacity, opening_colour_map(base.volume), back, fusion.visible)
    workspace.bench.fusions = with_fusion(rest, turned)
    workspace.show(overlay.key)


def end(workspace: Workspace, base: OpenCase) -> None:
    """Take the overlay of a case away; the workspace keeps how it was registered."""
    rest = {key: one for key, one in workspace.bench.fusions.items() if key != base.key}
    workspace.bench.fusions = rest


def _set(workspace: Workspace, fusion: Fusion) -> None:
    workspace.bench.fusions = with_fusion(workspace.bench.fusions, fusion)
