"""Which layout a series is hung in: rules shipped as data, and those a person keeps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from medview.core.axes import Axes
from medview.core.geometry import Calibration
from medview.core.plane import Plane
from medview.core.resources import resource_path
from medview.core.study import Verdict
from medview.workspace.layout import Layout, layout_of
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace

PLANES_OF_PATIENT = "patient"
PLANES_OF_GRID = "grid"


@dataclass(frozen=True, slots=True)
class HangingRule:
    """What to do with a series that fits.

    Attributes
    ----------
    modality : tuple of str
        Fits these; empty fits all.
    verdict : str
        Fits this verdict; empty fits all.
    most_slices : int
        Fits series of no more slices; 0 fits all.
    layout : str
        Id of a layout, ``RxC`` for a free grid.
    panes : tuple of str
        Planes of its panes in order (``axial``, ``coronal``, ``sagittal``); empty text is the acquired one.
    planes : str
        ``grid`` lays planes along the slices, ``patient`` along the patient.
    prior : bool
        Hang an earlier study of the patient beside it.
    """

    layout: str
    modality: tuple[str, ...] = ()
    verdict: str = ""
    most_slices: int = 0
    panes: tuple[str, ...] = ()
    planes: str = PLANES_OF_GRID
    prior: bool = False

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> HangingRule:
        """Read a rule. Raises ValueError, TypeError or KeyError on any other shape."""
        panes = tuple(str(name) for name in document.get("panes", ()))
        rule = cls(
            str(document["layout"]),
            tuple(str(name) for name in document.get("modality", ())),
            str(document.get("verdict", "")),
            int(document.get("most_slices", 0)),
            panes,
            str(document.get("planes", PLANES_OF_GRID)),
            bool(document.get("prior", False)),
        )
        layout_of(rule.layout)
        for name in panes:
            if name:
                Plane(name)
        if rule.verdict:
            Verdict(rule.verdict)
        if rule.planes not in (PLANES_OF_GRID, PLANES_OF_PATIENT):
            raise ValueError(f"planes of {rule.planes!r}")
        return rule

    def document(self) -> dict[str, Any]:
        """Return the rule as it is written."""
        whole = {
            "modality": list(self.modality),
            "verdict": self.verdict,
            "most_slices": self.most_slices,
            "layout": self.layout,
            "panes": list(self.panes),
            "planes": self.planes,
            "prior": self.prior,
        }
        return {name: value for name, value in whole.items() if value or name == "layout"}

    def fits(self, case: OpenCase) -> bool:
        """Whether the rule is for a series like this."""
        return (
            (not self.modality or case.series.modality in self.modality)
            and self.verdict in ("", case.entry.verdict.value)
            and (self.most_slices == 0 or case.entry.shape_kji[0] <= self.most_slices)
        )

    def made(self) -> Layout:
        """Return the layout with its panes turned to their planes."""
        layout = layout_of(self.layout)
        for cell, name in zip(layout.slices, self.panes, strict=False):
            layout = layout.with_cell(replace(cell, plane=Plane(name) if name else None))
        return layout


@cache
def shipped_rules() -> tuple[HangingRule, ...]:
    """Return the rules that come with the program, the first that fits counts."""
    text = (resource_path("hanging") / "rules.json").read_text(encoding="utf-8")
    return tuple(HangingRule.of(document) for document in json.loads(text))


def own_rules(workspace: Workspace) -> tuple[HangingRule, ...]:
    """Return the person's own rules; those of another shape are left out."""
    own = []
    for document in workspace.settings.hanging:
        try:
            own.append(HangingRule.of(document))
        except (KeyError, TypeError, ValueError):
            continue
    return tuple(own)


def rules(workspace: Workspace) -> tuple[HangingRule, ...]:
    """Return the person's own rules and then the shipped ones."""
    return (*own_rules(workspace), *shipped_rules())


def use_rules(workspace: Workspace, own: Iterable[HangingRule]) -> None:
    """Replace the person's own rules."""
    workspace.settings = replace(workspace.settings, hanging=tuple(rule.document() for rule in own))
    workspace.settings_changed.emit()


def rule_for(workspace: Workspace, case: OpenCase) -> HangingRule:
    """Return the first rule that fits a series."""
    return next((rule for rule in rules(workspace) if rule.fits(case)), shipped_rules()[-1])


def hang(workspace: Workspace, case: OpenCase) -> HangingRule | None:
    """Divide the centre for a series that was just opened; None where it is left as it is.

    It is left where panes hold series of their own, and within one study from one series to the next of its kind: what a
    person chose there stays.
    """
    bench = workspace.bench
    kind = (case.series.study_uid, case.series.modality, case.entry.verdict.value, case.entry.shape_kji[0] == 1)
    if bench.hung == kind or not bench.layout.follows:
        return None
    rule = rule_for(workspace, case)
    bench.hung = kind
    layout = rule.made()
    if layout.layout_id != bench.layout.layout_id or rule.panes:
        bench.maximised, bench.detached = "", ()
        bench.layout = layout
        bench.pointed = bench.chosen = layout.slices[0].pane_id
    if rule.planes == PLANES_OF_PATIENT and case.volume.geometry.calibration is Calibration.VOLUME:
        case.view.axes = Axes()
    return rule


def keep(workspace: Workspace) -> None:
    """Make the present layout that of series like the active one, from now on."""
    case, layout = workspace.active, workspace.bench.layout
    if case is None:
        return
    rule = HangingRule(
        layout.spelt,
        (case.series.modality,),
        case.entry.verdict.value,
        panes=tuple(cell.plane.value if cell.plane is not None else "" for cell in layout.slices),
        planes=PLANES_OF_PATIENT if case.view.axes == Axes() else PLANES_OF_GRID,
    )
    others = [one for one in own_rules(workspace) if (one.modality, one.verdict) != (rule.modality, rule.verdict)]
    use_rules(workspace, [rule, *others])


def forget(workspace: Workspace) -> None:
    """Go back to the shipped rules."""
    use_rules(workspace, ())
