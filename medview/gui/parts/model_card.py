"""One model pack: what it needs, what it gives, whether it fits, Run."""

from __future__ import annotations

import time

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from medview.core.effort import ModelEffort
from medview.core.language import _, in_language, plural
from medview.gui.parts.controls import chip, icon_button, set_role, text_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.theme_tokens import GRID_PX
from medview.ml.outputs import ClassificationOutput, InteractiveOutput, SegmentationOutput
from medview.ml.spec import ModelSpec
from medview.workspace.durations import duration
from medview.workspace.jobs import Job, JobStatus
from medview.workspace.operations.predict import Offer


class ModelCard(QFrame):
    """Announces Run, Cancel and Remove; shows how far a run is.

    Parameters
    ----------
    title : str
        What the pack is called beside others, with its version.
    """

    run_wanted = Signal(str)
    cancel_wanted = Signal(str)
    remove_wanted = Signal(str)

    def __init__(self, offer: Offer, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "raised")
        self.offer = offer
        spec = offer.pack.spec
        self.key = spec.key
        heading_words = ElidedLabel(spec.name)
        about = _("Needs {needs_text}. Gives {gives_text}.").format(
            needs_text=needs_text(spec), gives_text=gives_text(spec)
        )
        heading_words.set_hint(f"{spec.id} {spec.version}, {spec.licence}\n{about}")
        heading = QHBoxLayout()
        heading.setSpacing(GRID_PX)
        heading.addWidget(heading_words, 1)
        if title != spec.name:
            # The name of a version that was learnt here says which it is.
            heading.addWidget(chip(spec.version, _("Version")))
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 2, GRID_PX * 2, GRID_PX * 2, GRID_PX * 2)
        column.setSpacing(GRID_PX)
        column.addLayout(heading)
        ok = offer.fit.ok and offer.pack.available
        if ok or not offer.fit.reason:
            # One that does not fit says why instead; what it needs stands in the tip.
            column.addWidget(words(about, "quiet"))
        self.effort = words("", "quiet")
        self.effort.setToolTip(_("In this project; all figures are in Correction effort, in the Segments menu"))
        self.effort.hide()
        column.addWidget(self.effort)
        if spec.notice and ok:
            column.addWidget(words(spec.notice, "warning"))
        reason = offer.fit.reason if offer.pack.available else offer.pack.reason
        if reason:
            column.addWidget(words(in_language(reason), "warning" if ok else "quiet"))
        self.run = text_button(_("Run"), _("Run {name} on the open series").format(name=spec.name), role="primary")
        self.run.setObjectName(f"run {spec.id}")
        self.run.setEnabled(ok)
        self.run.clicked.connect(self._on_run)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.state = words("", "quiet")
        self.state.setWordWrap(False)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX * 2)
        row.addWidget(self.bar, 1)
        row.addWidget(self.state)
        row.addStretch(0)
        if not offer.pack.bundled:
            remove = icon_button("mdi6.trash-can-outline", _("Remove {name} from this computer").format(name=spec.name))
            remove.clicked.connect(lambda: self.remove_wanted.emit(self.key))
            row.addWidget(remove)
        row.addWidget(self.run)
        if not ok:
            self.run.hide()
        column.addLayout(row)
        self._busy = False
        self._estimate = ("", "")
        self.show_job(None)

    def show_effort(self, effort: ModelEffort | None) -> None:
        """Say what correcting this version took so far; nothing where nothing of it was accepted."""
        self.effort.setVisible(effort is not None)
        if effort is None:
            return
        cases = plural("{n} case", "{n} cases", effort.cases).format(n=effort.cases)
        dice = "\u2013" if effort.dice is None else f"{effort.dice:.3f}"
        text = _("Accepted in {cases}: mean Dice after correction {dice}, {minutes:.1f} min per case.")
        self.effort.setText(text.format(cases=cases, dice=dice, minutes=effort.minutes_per_case))

    def show_estimate(self, text: str, tip: str) -> None:
        """Say what a run takes, beside Run; while one is under way its progress stands there."""
        self._estimate = (text, tip)
        if not self._busy:
            self.show_job(None)

    def show_job(self, job: Job | None) -> None:
        """Show a queued or running job of this model, or that there is none."""
        self._busy = job is not None
        self.bar.setVisible(job is not None)
        self.run.setText(_("Cancel") if job is not None else _("Run"))
        set_role(self.run, "" if job is not None else "primary")
        self.state.setVisible(job is not None or bool(self._estimate[0]))
        if job is None:
            self.state.setText(self._estimate[0])
            self.state.setToolTip(self._estimate[1])
            return
        self.run.setVisible(True)
        self.bar.setValue(round(job.fraction * 1000))
        left = job.remaining_seconds(time.monotonic())
        waiting = _("waiting") if job.status is JobStatus.QUEUED else in_language(job.text)
        self.state.setText(_("{duration} left").format(duration=duration(left)) if left is not None else waiting)
        self.state.setToolTip(in_language(job.text))

    def _on_run(self) -> None:
        (self.cancel_wanted if self._busy else self.run_wanted).emit(self.key)


_KINDS = {
    "point": lambda: _("points"),
    "box": lambda: _("boxes"),
    "scribble": lambda: _("scribbles"),
    "lasso": lambda: _("lassos"),
}


def needs_text(spec: ModelSpec) -> str:
    """Return what a model wants to see: ``CT in HU, 3-D``."""
    if spec.input.several:
        return _("{channels}, {n}-D").format(
            channels=_listed([channel.name for channel in spec.input.channels]), n=spec.input.dimensions
        )
    kinds = _(" or ").join(spec.input.modality) or _("any modality")
    unit = _(" in {unit}").format(unit=spec.input.unit) if spec.input.unit else ""
    if spec.input.colour:
        return _("{kinds}, in colour, {n}-D").format(kinds=kinds, n=spec.input.dimensions)
    return f"{kinds}{unit}, {spec.input.dimensions}-D"


def gives_text(spec: ModelSpec) -> str:
    """Return what a model gives: its segment names, box kinds or classes."""
    output = spec.output
    if isinstance(output, SegmentationOutput):
        names = [label.name for label in output.labels]
        return _("masks of {listed}").format(listed=_listed(names))
    if isinstance(output, ClassificationOutput):
        return _("scores for {listed}").format(listed=_listed(list(output.classes)))
    if isinstance(output, InteractiveOutput):
        return _("one object from {listed}").format(
            listed=_listed(list(dict.fromkeys(_KINDS[p.kind]() for p in output.prompts)))
        )
    return _("boxes around {listed}").format(listed=_listed([kind.name for kind in output.classes]))


def _listed(names: list[str], most: int = 6) -> str:
    shown = names[:most]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (_(" and {rest} more").format(rest=rest) if rest else "")
