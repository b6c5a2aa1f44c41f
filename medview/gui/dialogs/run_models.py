"""Which models are to run on which series, before they go to the queue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from medview.core.language import _, in_language, plural
from medview.core.study import Series, Verdict, VolumeEntry
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.ml.packs import ModelPack
from medview.workspace.queue import SeriesPlace, tasks_of
from medview.workspace.queue_fit import fit_of
from medview.workspace.workspace import Workspace

Volumes = Sequence[tuple[Series, VolumeEntry]]

_EXPLAINED = _(
    "The models run one after the other while you go on working. What they find waits as proposals with each series, also "
    "when MedView is closed meanwhile."
)


class RunModelsDialog(QDialog):
    """A choice of series, and models with how many of those they are for."""

    def __init__(self, workspace: Workspace, chosen: Volumes = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Run models on several series"))
        self._workspace = workspace
        self.scope = QComboBox()
        self.scope.setToolTip(_("The series the models are to run on"))
        for title, volumes in scopes(workspace, chosen):
            self.scope.addItem(title.format(n=len(volumes)), list(volumes))
        self.scope.currentIndexChanged.connect(lambda _index: self._refresh())
        self._packs = [pack for pack in workspace.services.registry.list() if pack.available]
        self.boxes: dict[str, QCheckBox] = {}
        self._lines = {pack.spec.key: words("", "quiet") for pack in self._packs}
        self.add = text_button("", _("Put these tasks behind those that wait"), role="primary")
        self.add.setObjectName("queue add")
        self.add.clicked.connect(self._add)
        cancel = text_button(_("Cancel"), _("Change nothing"))
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.add)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        layout.addWidget(words(_EXPLAINED, "quiet"))
        layout.addWidget(self.scope)
        layout.addWidget(self._list(), 1)
        layout.addLayout(row)
        self.resize(520, 480)
        self._refresh()

    @property
    def volumes(self) -> Volumes:
        """The series that are chosen."""
        return list(self.scope.currentData() or ())

    def _list(self) -> QScrollArea:
        inside = QFrame()
        column = QVBoxLayout(inside)
        column.setSpacing(GRID_PX)
        for pack in self._packs:
            box = QCheckBox(self._workspace.trainings.title_of(pack))
            box.setToolTip(pack.spec.summary or pack.spec.name)
            box.setObjectName(f"queue {pack.spec.id}")
            box.toggled.connect(lambda _on: self._count())
            self.boxes[pack.spec.key] = box
            column.addWidget(box, 0, Qt.AlignmentFlag.AlignLeft)
            line = self._lines[pack.spec.key]
            line.setContentsMargins(GRID_PX * 6, 0, 0, GRID_PX)
            column.addWidget(line)
        if not self._packs:
            column.addWidget(words(_("No models are installed."), "quiet"))
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return area

    def _refresh(self) -> None:
        volumes = self.volumes
        for pack in self._packs:
            fits = [fit_of(pack, series.modality, entry) for series, entry in volumes]
            count = sum(fit.ok for fit in fits)
            reason = next((in_language(fit.reason) for fit in fits if not fit.ok), "")
            text = _("For {count} of {n} series.").format(count=count, n=len(volumes))
            self._lines[pack.spec.key].setText(f"{text} {reason}" if count < len(volumes) else text)
            box = self.boxes[pack.spec.key]
            box.setEnabled(count > 0)
            box.setChecked(box.isChecked() and count > 0)
        self._count()

    def _wanted(self) -> list[tuple[ModelPack, Series, VolumeEntry]]:
        chosen = [pack for pack in self._packs if self.boxes[pack.spec.key].isChecked()]
        return [
            (pack, series, entry)
            for series, entry in self.volumes
            for pack in chosen
            if fit_of(pack, series.modality, entry).ok
        ]

    def _count(self) -> None:
        count = len(self._wanted())
        self.add.setEnabled(count > 0)
        text = plural("Add {n} task to the queue", "Add {n} tasks to the queue", count).format(n=count)
        self.add.setText(text if count else _("Add to the queue"))

    def _add(self) -> None:
        tasks = [
            task
            for pack, series, entry in self._wanted()
            for task in tasks_of([pack.spec.key], [SeriesPlace.of(series, entry)])
        ]
        self.accept()
        count = self._workspace.queue.add(tasks)
        if count < len(tasks):
            self._workspace.say(_("The others are in the queue already."))


def scopes(workspace: Workspace, chosen: Volumes) -> list[tuple[str, Volumes]]:
    """Return the choices of series, the likeliest first, each with its title; without those that cannot be opened."""
    listed = usable((series, series.best) for series in workspace.series)
    case = workspace.active
    found: list[tuple[str, Volumes]] = [(_("The {n} chosen series"), usable(chosen))]
    if case is not None:
        study = [one for one in listed if one[0].study_uid == case.series.study_uid]
        found += [(_("The open series"), usable([(case.series, case.entry)])), (_("The {n} series of this study"), study)]
    found.append((_("All {n} series that are listed"), listed))
    return [(title, volumes) for title, volumes in found if volumes]


def usable(volumes: Iterable[tuple[Series, VolumeEntry | None]]) -> Volumes:
    """Return those that a model can look at: of stacks and single pictures, one that sees slices."""
    return [(series, entry) for series, entry in volumes if entry is not None and entry.verdict is not Verdict.REFUSED]
