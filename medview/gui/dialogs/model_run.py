"""Before a model runs: which series it is given, what is to be said about them, and what it will take."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _, in_language
from medview.gui.parts.controls import hairline, set_role, text_button, words
from medview.gui.parts.identity import series_description
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX
from medview.ml.estimate import RunEstimate
from medview.workspace.jobs import Job, JobStatus
from medview.workspace.model_inputs import Given, ModelInputs
from medview.workspace.operations.model_inputs import estimate_run, estimate_text
from medview.workspace.pace import known_estimate
from medview.workspace.workspace import Workspace

_WIDTH_PX = 640


class ModelRunDialog(QDialog):
    """A line for each channel, Run, and Cancel. Announces what was chosen; nothing is kept when it is closed."""

    run_wanted = Signal(object)
    """ModelInputs."""

    def __init__(self, workspace: Workspace, inputs: ModelInputs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        spec = inputs.pack.spec
        self.setWindowTitle(_("Run {name}").format(name=spec.name))
        self.setMinimumWidth(_WIDTH_PX)
        self._workspace = workspace
        self.inputs = inputs
        self._job: Job | None = None
        self._about = ""
        """Key of the series the estimate is about."""
        self._closed = False
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        column.setSpacing(GRID_PX * 3)
        column.addWidget(words(self._explained(), "quiet"))
        self.combos: list[QComboBox] = []
        self.notes = [words("") for _channel in inputs.chosen]
        self.results = QButtonGroup(self)
        column.addLayout(self._rows())
        if spec.notice:
            column.addWidget(words(in_language(spec.notice), "warning"))
        column.addWidget(hairline())
        self.estimate = words("", "quiet")
        self.estimate.setObjectName("run estimate")
        cancel = text_button(_("Cancel"), _("Close without running (Esc)"))
        cancel.clicked.connect(self.reject)
        self.run = text_button(_("Run"), _("Run {name} on these series (Enter)").format(name=spec.name), role="primary")
        self.run.setObjectName("run chosen")
        self.run.setDefault(True)
        self.run.clicked.connect(self._on_run)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX * 2)
        row.addWidget(self.estimate, 1)
        row.addWidget(cancel)
        row.addWidget(self.run)
        column.addLayout(row)
        self._show()
        self.run.setFocus()
        self._want_estimate()

    def done(self, result: int) -> None:
        """Close; an estimate nobody waits for any more is given up."""
        self._closed = True
        self._give_up_estimate()
        super().done(result)

    def _explained(self) -> str:
        if self.inputs.several:
            return _("Which series is which was read from the headers; correct it where it is wrong.")
        if self.inputs.remarks:
            return _("This series is unlike those the model was trained on. The remarks stay with the result.")
        return _("This model was not run on this computer before.")

    def _rows(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID_PX * 3)
        grid.setVerticalSpacing(GRID_PX)
        grid.setColumnStretch(1, 1)
        if self.inputs.several:
            heading = words(_("Result on"), "quiet")
            heading.setWordWrap(False)
            grid.addWidget(heading, 0, 2)
        for n in range(len(self.inputs.chosen)):
            name = words(self.inputs.name(n))
            name.setWordWrap(False)
            combo = SteadyComboBox()
            combo.setObjectName(f"channel {self.inputs.name(n)}")
            combo.setToolTip(_("Series that is given to the model as {channel}").format(channel=self.inputs.name(n)))
            combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            combo.activated.connect(partial(self._on_channel, n))
            self.combos.append(combo)
            result = QRadioButton(self)
            result.setToolTip(_("The result lies on this series; the others are brought onto its grid"))
            result.setAccessibleName(_("Result on {channel}").format(channel=self.inputs.name(n)))
            self.results.addButton(result, n)
            grid.addWidget(name, 2 * n + 1, 0)
            grid.addWidget(combo, 2 * n + 1, 1)
            grid.addWidget(self.notes[n], 2 * n + 2, 1)
            result.setVisible(self.inputs.several)
            if self.inputs.several:
                grid.addWidget(result, 2 * n + 1, 2, Qt.AlignmentFlag.AlignHCenter)
        self.results.idClicked.connect(self._on_reference)
        return grid

    def _show(self) -> None:
        """Fill the lines from the choice as it is."""
        inputs = self.inputs
        for n, (combo, note) in enumerate(zip(self.combos, self.notes, strict=True)):
            blocker = QSignalBlocker(combo)
            combo.clear()
            combo.addItem(_("Choose a series..."), "")
            for one in inputs.options(n):
                combo.addItem(self._name(one), one.key)
            combo.setCurrentIndex(max(0, combo.findData(inputs.chosen[n])))
            combo.setEnabled(inputs.several)
            blocker.unblock()
            text, role = self._note(n)
            note.setText(text)
            note.setVisible(bool(text))
            set_role(note, role)
        self.results.button(inputs.reference).setChecked(True)
        self.run.setEnabled(not inputs.problem)

    def _note(self, n: int) -> tuple[str, str]:
        inputs = self.inputs
        if not inputs.chosen[n]:
            return _("No series says that it is {channel}; choose it.").format(channel=inputs.name(n)), "warning"
        if problem := inputs.problem_of(n):
            return in_language(problem), "error"
        lines = [in_language(sentence) for sentence in inputs.remarks_of(n)]
        if not inputs.sure(n):
            lines.insert(0, _("Other series are as likely; check that this is the right one."))
        return "\n".join(lines), "warning"

    def _name(self, one: Given) -> str:
        bench = self._workspace.bench
        described = series_description(bench.as_read(one.series), hidden=bench.identity_hidden)
        name = f"{one.candidate.modality} {described}".strip() or _("Series")
        k, j, i = one.candidate.geometry.shape_kji
        dk, dj, _di = one.candidate.geometry.spacing_kji_mm
        text = _("{name}, {columns} \u00d7 {rows} \u00d7 {slices}, {pixel:.2g} mm, slices {slice:.2g} mm")
        whole = text.format(name=name, columns=i, rows=j, slices=k, pixel=dj, slice=dk)
        return whole if one.key in self._workspace.cases else _("{name}, not open").format(name=whole)

    def _on_channel(self, n: int, _index: int) -> None:
        self.inputs = self.inputs.with_channel(n, str(self.combos[n].currentData()))
        self._show()
        self._want_estimate()

    def _on_reference(self, n: int) -> None:
        self.inputs = self.inputs.with_reference(n)
        self._show()
        self._want_estimate()

    def _want_estimate(self) -> None:
        """Say what the run takes; where nobody knows, have it found out. Of another grid nothing is said any longer."""
        about = "" if self.inputs.problem else self.inputs.chosen[self.inputs.reference]
        if about == self._about:
            return
        self._about = about
        self._give_up_estimate()
        self.estimate.setText("")
        known = known_estimate(self._workspace.settings, self.inputs) if about else None
        if known is not None:
            self._say_estimate(known)
        elif about:
            self.estimate.setText(_("Estimating time and memory..."))
            set_role(self.estimate, "quiet")
            job = estimate_run(self._workspace, self.inputs, partial(self._on_estimate, about))
            self._job = job if job is not None and job.status in (JobStatus.QUEUED, JobStatus.RUNNING) else None

    def _give_up_estimate(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _on_estimate(self, about: str, found: RunEstimate) -> None:
        if not self._closed and about == self._about:
            self._job = None
            self._say_estimate(found)

    def _say_estimate(self, found: RunEstimate) -> None:
        self.estimate.setText(estimate_text(found))
        set_role(self.estimate, "warning" if found.problem or found.too_large else "quiet")

    def _on_run(self) -> None:
        chosen = self.inputs
        self.accept()
        self.run_wanted.emit(chosen)
