"""Installed models, which fit the open series, and Run."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QMenu, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.dialogs.model_run import ModelRunDialog
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import clear_layout, icon_button, row_of, text_button, words
from medview.gui.parts.model_card import ModelCard
from medview.gui.parts.theme_tokens import GRID_PX
from medview.ml.spec import Task
from medview.workspace.finder import Entry
from medview.workspace.jobs import Job, JobStatus
from medview.workspace.model_inputs import ModelInputs
from medview.workspace.operations.model_inputs import asks_first, estimate_short, estimate_text, inputs_for
from medview.workspace.operations.predict import offers, run_on, take_prompt_tool
from medview.workspace.pace import known_estimate
from medview.workspace.run_rules import run_on_open, runs_on_open
from medview.workspace.workspace import Workspace

_ALIVE = (JobStatus.QUEUED, JobStatus.RUNNING)
_TICK_MS = 200


class ModelsPanel(QWidget):
    """Cards of the installed packs, those that fit the active case first; the others say why not."""

    add_zip_wanted = Signal()
    add_folder_wanted = Signal()
    add_address_wanted = Signal()
    rules_wanted = Signal()
    """The person wants to see which models run by themselves."""
    queue_wanted = Signal()
    """The person wants to run models on several series."""
    remove_wanted = Signal(str)
    """``id@version`` of a pack to remove."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.cards: dict[str, ModelCard] = {}
        self._jobs: dict[tuple[str, str], Job] = {}
        self._cards = QVBoxLayout()
        self._cards.setSpacing(GRID_PX * 2)
        self.add = text_button(_("Add a model..."), _("Install a model pack"), icon_name="mdi6.plus")
        self.add.setObjectName("add model")
        menu = QMenu(self.add)
        menu.addAction(_("From a zip file..."), self.add_zip_wanted.emit)
        menu.addAction(_("From a folder..."), self.add_folder_wanted.emit)
        menu.addAction(_("From a web address..."), self.add_address_wanted.emit)
        self.add.setMenu(menu)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        layout.setSpacing(GRID_PX * 2)
        layout.addLayout(self._cards)
        self.several = text_button(
            _("Run on several series..."), _("Put models on many series into the queue"), icon_name="mdi6.playlist-play"
        )
        self.several.setObjectName("run on several")
        self.several.clicked.connect(self.queue_wanted)
        self.by_itself = QCheckBox(_("Run by themselves on open"))
        self.by_itself.setToolTip(_("Models with a rule run quietly on what is opened; what they find waits as proposals"))
        self.by_itself.setObjectName("run on open")
        self.by_itself.toggled.connect(self._on_by_itself)
        self.rules = icon_button("mdi6.cog-outline", _("Say which models run by themselves, and on what"))
        self.rules.setObjectName("run rules")
        self.rules.clicked.connect(self.rules_wanted)
        layout.addLayout(row_of(self.by_itself, self.rules))
        layout.addWidget(self.several)
        layout.addWidget(self.add)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._show_jobs)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self.refresh)
        heard.add(workspace.models_changed, self.refresh)
        heard.add(workspace.settings_changed, self._show_by_itself)
        self._show_by_itself()
        heard.add(workspace.efforts.changed, self._show_efforts)
        heard.add(workspace.settings_changed, self._show_estimates)
        self.refresh()

    def refresh(self) -> None:
        """Ask again which packs there are and whether they fit."""
        clear_layout(self._cards)
        self.cards = {}
        for offer in offers(self._workspace):
            card = ModelCard(offer, self._workspace.trainings.title_of(offer.pack))
            card.run_wanted.connect(self._run)
            card.cancel_wanted.connect(self._cancel)
            card.remove_wanted.connect(self.remove_wanted)
            self.cards[card.key] = card
            self._cards.addWidget(card)
        if not self.cards:
            self._cards.addWidget(words(_("No models are installed. Add one below."), "quiet"))
        for damaged in self._workspace.services.registry.damaged:
            self._cards.addWidget(words(in_language(damaged.reason), "warning"))
        self._show_efforts()
        self._show_estimates()
        self._show_jobs()

    def entries(self) -> list[Entry]:
        """Return every model as something to find by words; those that do not fit say why not."""
        return [
            Entry(
                _("Run {name}").format(name=card.offer.pack.spec.name),
                partial(self._run, key),
                detail=card.offer.pack.spec.version,
                why_not="" if card.offer.fit.ok else in_language(card.offer.fit.reason),
                also=_("model"),
            )
            for key, card in self.cards.items()
        ]

    def _show_efforts(self) -> None:
        found = {(one.model_id, one.model_version): one for one in self._workspace.efforts.models}
        for card in self.cards.values():
            spec = card.offer.pack.spec
            card.show_effort(found.get((spec.id, spec.version)))

    def _show_estimates(self) -> None:
        case = self._workspace.active
        for card in self.cards.values():
            pack = card.offer.pack
            # What waits for clicks has no run that takes a time.
            runs = card.offer.fit.ok and pack.available and pack.spec.task is not Task.INTERACTIVE
            if case is None or not runs:
                continue
            inputs = inputs_for(self._workspace, pack, case)
            found = known_estimate(self._workspace.settings, inputs)
            if found is not None:
                card.show_estimate(estimate_short(found), estimate_text(found))
            elif not pack.bundled:
                card.show_estimate(_("not run here yet"), _("Run shows time and memory before the model starts"))

    def _on_by_itself(self, on: bool) -> None:
        if on != self._workspace.settings.run_on_open:
            run_on_open(self._workspace, on=on)
            if on and not runs_on_open(self._workspace):
                # A switch without a rule does nothing; which models it is for is asked at once.
                self.rules_wanted.emit()

    def _show_by_itself(self) -> None:
        self.by_itself.setChecked(self._workspace.settings.run_on_open)

    def _run(self, key: str) -> None:
        case = self._workspace.active
        if case is None:
            return
        pack = self.cards[key].offer.pack
        if pack.spec.task is Task.INTERACTIVE:
            take_prompt_tool(self._workspace, pack)
            return
        inputs = inputs_for(self._workspace, pack, case)
        if not asks_first(self._workspace, inputs):
            self._start(key, inputs)
            return
        dialog = ModelRunDialog(self._workspace, inputs, self.window())
        dialog.run_wanted.connect(partial(self._start, key))
        dialog.open()

    def _start(self, key: str, inputs: ModelInputs) -> None:
        case = self._workspace.active
        job = run_on(self._workspace, inputs)
        if job is not None and case is not None:
            # Also where it opens the series of the result first: that is the case it was asked on.
            for shown in {case.key, inputs.chosen[inputs.reference]}:
                self._jobs[shown, key] = job
            self._tick.start()
        self._show_jobs()

    def _cancel(self, key: str) -> None:
        job = self._job(key)
        if job is not None:
            job.cancel()
        self._show_jobs()

    def _job(self, key: str) -> Job | None:
        case = self._workspace.active
        return self._jobs.get((case.key, key)) if case is not None else None

    def _show_jobs(self) -> None:
        self._jobs = {key: job for key, job in self._jobs.items() if job.status in _ALIVE}
        if not self._jobs:
            self._tick.stop()
        for key, card in self.cards.items():
            card.show_job(self._job(key))
