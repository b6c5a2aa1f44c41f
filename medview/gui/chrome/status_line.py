"""The bottom line: pointer, check, jobs, saved, device."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from medview.core.language import _, in_language, plural
from medview.core.study import Verdict
from medview.core.suv import SuvKind
from medview.gui.chrome.saved_dot import SavedDot
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.panes.pointed_at import PointedAt
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.computer import gpu_name
from medview.gui.parts.controls import set_role, text_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.job_strip import JobStrip
from medview.gui.parts.theme_tokens import GRID_PX, Tokens
from medview.workspace.check import notable
from medview.workspace.open_case import OpenCase
from medview.workspace.run_rules import runs_on_open
from medview.workspace.workspace import Workspace


class StatusLine(QFrame):
    """What is under the pointer, is the series sound, what is being done, is it saved, where do models run."""

    check_wanted = Signal()
    rules_wanted = Signal()
    """The person wants to see which models run by themselves."""

    def __init__(self, workspace: Workspace, threads: JobThreads, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bar")
        self.setFixedHeight(28)
        self._workspace = workspace
        self.pointer = ElidedLabel()
        self.pointer.setObjectName("pointer")
        self.check = text_button("", _("What is assumed or wrong about this series"), role="flat")
        self.check.setObjectName("check chip")
        self.check.clicked.connect(self.check_wanted)
        self.by_itself = text_button(
            _("Models run on open"),
            _("Models run by themselves on what is opened; click to see which, or to turn that off"),
            role="flat",
            icon_name="mdi6.robot-outline",
        )
        self.by_itself.setObjectName("models run on open")
        self.by_itself.clicked.connect(self.rules_wanted)
        self.jobs = JobStrip(threads, workspace.bench)
        self.saved = SavedDot(tokens)
        card = gpu_name()
        self.device = words("GPU" if card else "CPU", "quiet")
        where = (
            _("{card} is there; models use it where torch can").format(card=card)
            if card
            else _("Models run on the processor")
        )
        self.device.setToolTip(where)
        self.device.setWordWrap(False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, 0)
        layout.setSpacing(GRID_PX * 3)
        layout.addWidget(self.pointer, 1)
        layout.addWidget(self.check)
        layout.addWidget(self.by_itself)
        layout.addWidget(self.jobs)
        layout.addWidget(self.saved)
        layout.addWidget(self.device)
        for label in (self.pointer, self.device):
            label.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._refresh_check)
        heard.add(workspace.load_changed, self._refresh_check)
        heard.add(workspace.settings_changed, self._refresh_by_itself)
        self._refresh_check()
        self._refresh_by_itself()

    def _refresh_by_itself(self) -> None:
        self.by_itself.setVisible(runs_on_open(self._workspace))

    def show_pointed(self, pointed: PointedAt | None) -> None:
        """Show the voxel under the pointer."""
        self.pointer.setText(pointed_text(pointed) if pointed is not None else "")

    def _refresh_check(self) -> None:
        case = self._workspace.active
        self.check.setVisible(case is not None)
        if case is not None:
            text, role = check_summary(case)
            self.check.setText(text)
            set_role(self.check, role)
            self.check.setToolTip(
                "\n".join(in_language(r.text) for r in case.entry.reasons) or _("Nothing was assumed about this series.")
            )


def check_summary(case: OpenCase) -> tuple[str, str]:
    """Return the text of the check chip and its role in the theme."""
    if not case.load.complete:
        return case.load.sentence(), "flat"
    problems = len(case.load.damaged)
    if problems:
        return plural("{n} damaged slice", "{n} damaged slices", problems).format(n=problems), "flat-warning"
    if case.entry.verdict is not Verdict.VOLUME and case.entry.shape_kji[0] > 1:
        return _("Stack: no distances between slices"), "flat-warning"
    count = notable(case.entry)
    if count:
        return plural("{n} note", "{n} notes", count).format(n=count), "flat-warning"
    return _("Series is sound"), "flat"


def pointed_text(pointed: PointedAt) -> str:
    """Return position, voxel, value and segments in one line. Voxels are counted from 0 in the order i, j, k."""
    parts = []
    if pointed.point_lps_mm is not None:
        parts.append(
            " ".join(_side(n, pair) for n, pair in zip(pointed.point_lps_mm, ("LR", "PA", "HF"), strict=True)) + " mm"
        )
    k, j, i = pointed.voxel_kji
    parts.append(_("voxel {i}, {j}, {k}").format(i=i, j=j, k=k))
    if len(pointed.value) == 1:
        if pointed.suv is not None:
            uptake = _signed(pointed.suv, ".2f")
            parts.append(f"{SuvKind.BODY_WEIGHT.title} {uptake} {SuvKind.BODY_WEIGHT.unit}")
        parts.append(f"{_signed(pointed.value[0])} {pointed.unit}".rstrip())
    elif pointed.value:
        parts.append("RGB " + " ".join(f"{n:.0f}" for n in pointed.value))
    parts.extend(pointed.segments)
    if pointed.heat is not None:
        name, strength = pointed.heat
        parts.append(f"{in_language(name)} {strength:.2f}")
    return "   ".join(parts)


def _signed(value: float, form: str = ".5g") -> str:
    return format(value, form).replace("-", "\u2212")


def _side(number_mm: float, letters: str) -> str:
    return f"{letters[0] if number_mm >= 0 else letters[1]} {abs(number_mm):.1f}"
