"""What is asked in the project that is open: the forms of its label set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from psygnal import Signal

from medview.core.errors import MedViewError, StoreError
from medview.core.form import Form, Forms, Level, Question, asked
from medview.core.label_set import LabelSet
from medview.core.language import _
from medview.io.label_sets import label_set_of_text, text_of_label_set
from medview.workspace.jobs import Outcome
from medview.workspace.lesions import PieceIndex
from medview.workspace.readers_answers import ReadersBook
from medview.workspace.requests_forms import ReadStudyAnswers, SaidOfStudy

if TYPE_CHECKING:
    from medview.store.project import Project
    from medview.workspace.open_case import OpenCase
    from medview.workspace.workspace import Workspace

_NONE = LabelSet("", ())


def project_label_set(project: Project) -> LabelSet:
    """Return the label set of a project; an empty one where it has none.

    Raises
    ------
    MedViewError
        When it is damaged.
    """
    text = project.label_set.text()
    return label_set_of_text(text) if text else _NONE


class FormBook:
    """Holds the label set of the project; without a project one for the session.

    Attributes
    ----------
    pieces : PieceIndex
        Which lesions answers belong to.
    readers : ReadersBook
        What readers answered, beside a consensus.
    at : tuple of str
        Key of the target and uid of the question that hands are at, or both empty.
    """

    changed = Signal()
    """Other questions are asked."""
    wanted = Signal(str, str)
    """Somebody wants to answer: key of a target and uid of a question, or both empty for the first of what is shown."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._of: Project | None = None
        self._label_set = _NONE
        self.pieces = PieceIndex()
        self.readers = ReadersBook(workspace)
        self.at = ("", "")
        self._said: dict[str, tuple[SaidOfStudy, ...]] = {}
        workspace.case_closing.connect(self._on_closing)

    @property
    def label_set(self) -> LabelSet:
        """The label set of the project, read when it is asked for the first time; empty where there is none."""
        project = self._workspace.services.project
        if project is not self._of:
            self._of = project
            self._said.clear()
            self._label_set = _NONE if project is None else self._read(project)
        return self._label_set

    @property
    def forms(self) -> Forms:
        """The forms of the project."""
        return self.label_set.forms

    def read_again(self) -> None:
        """Have the label set read anew: it may have come from a copy of the project."""
        self._of = None
        self._said.clear()
        self.changed.emit()

    def asked_of(self, case: OpenCase) -> Iterator[tuple[Form, Question]]:
        """Give every question that is asked of a case."""
        return asked(self.forms, case.volume.modality)

    def said_of(self, study_uid: str) -> tuple[SaidOfStudy, ...]:
        """Return what the reader answered about a study on series that may be closed now, as far as looked up."""
        return self._said.get(study_uid, ())

    def look_up(self, case: OpenCase) -> None:
        """Have what was said of the study of a case looked up, once; ``changed`` tells when there is some."""
        project, study_uid = self._workspace.services.project, case.volume.study_uid
        asks = any(question.level is Level.STUDY for _form, question in self.asked_of(case))
        if project is None or not study_uid or not asks or study_uid in self._said:
            return
        self._said[study_uid] = ()

        def done(value: object) -> None:
            if isinstance(value, tuple) and value and project is self._of:
                self._said[study_uid] = value
                self.changed.emit()

        self._workspace.runner.submit(ReadStudyAnswers(project, study_uid), Outcome(done, failed=self._workspace.report))

    def use(self, forms: Forms) -> None:
        """Ask these forms from now on.

        Raises
        ------
        MedViewError
            When the project cannot be written; what was asked before is asked on.
        """
        self._put(replace(self.label_set, forms=forms))

    def adopt(self, label_set: LabelSet) -> int:
        """Add the labels and forms of a set to those of the project, as ``LabelSet.joined``; return how many forms are new.

        Raises
        ------
        MedViewError
            When the project cannot be written.
        """
        before = self.label_set
        after = before.joined(label_set)
        self._put(after)
        return sum(form not in before.forms for form in after.forms)

    def _put(self, label_set: LabelSet) -> None:
        before, project = self.label_set, self._workspace.services.project
        if label_set == before:
            return
        after = replace(label_set, name=label_set.name or _("Forms"))
        if project is not None:
            if project.read_only:
                raise StoreError(project.read_only_reason)
            project.label_set.keep(text_of_label_set(after))
        self._label_set = after
        if after.forms != before.forms:
            self.changed.emit()

    def _read(self, project: Project) -> LabelSet:
        try:
            return project_label_set(project)
        except MedViewError as error:
            self._workspace.report(error)
            return _NONE

    def _on_closing(self, case: OpenCase) -> None:
        self.pieces.forget(case.key)
        # What was said on it is looked up when the next series of the study comes to the front.
        self._said.pop(case.volume.study_uid, None)
