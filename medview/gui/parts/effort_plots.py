"""What correcting the versions of one model came to, one after the other: corrected voxels and minutes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QWidget

from medview.core.effort import ModelEffort
from medview.core.language import _, plural
from medview.gui.parts.theme_tokens import GRID_PX
from medview.gui.parts.version_plot import VersionDot, VersionPlot

_LONGEST_NAME = 9
"""Longer versions are counted: 1, 2, 3."""


class EffortPlots(QWidget):
    """Two plots beside each other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.corrected = VersionPlot(
            _("Corrected per proposed voxel"),
            _("Voxels people added or took away, per voxel the model proposed; measured segments of all cases together"),
        )
        self.minutes = VersionPlot(
            _("Minutes per case"), _("Work on a case since it was accepted until it was done, pauses left out; the mean")
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID_PX * 2)
        row.addWidget(self.corrected, 1)
        row.addWidget(self.minutes, 1)

    def show_versions(self, versions: Sequence[ModelEffort]) -> None:
        """Show the versions of one model, in this order."""
        short = all(len(one.model_version) <= _LONGEST_NAME for one in versions)
        names = [one.model_version if short else str(number) for number, one in enumerate(versions, start=1)]
        title = _("Version") if short else _("Version, in order of use")
        parts = [(n, one, one.corrected_part) for n, one in enumerate(versions)]
        self.corrected.show_versions(
            names, [VersionDot(n, part, _words(one)) for n, one, part in parts if part is not None], title
        )
        taken = [VersionDot(n, one.minutes_per_case, _words(one)) for n, one in enumerate(versions) if one.measured]
        self.minutes.show_versions(names, taken, title)


def _words(one: ModelEffort) -> str:
    cases = plural("{n} case", "{n} cases", one.cases).format(n=one.cases)
    part = "\u2013" if one.corrected_part is None else f"{one.corrected_part:.3f}"
    text = _("Version {version}, {cases}: {part} corrected per proposed voxel, {minutes:.1f} min per case")
    return text.format(version=one.model_version, cases=cases, part=part, minutes=one.minutes_per_case)
