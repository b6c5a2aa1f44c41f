"""How far the readers of a project go together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medview.analysis.agreement.reader_answers import CaseAnswers, QuestionAgreement
from medview.analysis.agreement.reader_rows import CaseReadings
from medview.analysis.agreement.readings import Reading
from medview.analysis.agreement.report import AgreementReport, ReaderPair, agreement_report
from medview.analysis.agreement.segments import Conventions
from medview.core.errors import MedViewError, StoreError
from medview.core.form import Question
from medview.core.job import JobContext
from medview.io.label_sets import label_set_of_text
from medview.store.cases import CaseRow
from medview.store.project import Project
from medview.store.reading_state import ReadingState, ReadingStatus, Role
from medview.workspace.reader_names import case_name, patient_of, readings_by_name

_FINISHED = (ReadingStatus.DONE, ReadingStatus.APPROVED)


@dataclass(frozen=True, slots=True)
class ProjectAgreement:
    """The report on a project, and what a person should know about it.

    Attributes
    ----------
    readers : tuple of str
        Who was compared, in the order in which they come in the project.
    warnings : tuple of str
        One sentence each.
    given : tuple of CaseAnswers
        What was answered, case by case.
    questions : tuple of Question
        That are asked in the project.
    """

    readers: tuple[str, ...]
    report: AgreementReport
    warnings: tuple[str, ...]
    given: tuple[CaseAnswers, ...] = ()
    questions: tuple[Question, ...] = ()

    def document(self) -> dict[str, object]:
        """Return it ready for JSON."""
        return {"readers": list(self.readers), **self.report.document(), "warnings": list(self.warnings)}


def project_agreement(
    path: Path,
    pairs: Sequence[ReaderPair] | None,
    context: JobContext,
    conventions: Conventions = Conventions(),
    left_out: Collection[int] = (),
) -> ProjectAgreement:
    """Compare the readers of a project over its cases, one case in memory at a time; belongs into a worker.

    Nothing is compared of a case that is excluded, and of a reading in which nothing was done yet.

    Parameters
    ----------
    pairs : sequence of tuple of str, optional
        Two readers each, of whom the first is the reference; ``consensus`` is one where cases have one, what a reviewer
        made is ``NAME, review``, and what became of a reader's labels in reviews ``NAME, corrected``. All pairs of readers,
        without consensus, reviews and copies that a merge kept beside, when not given.
    left_out : collection of int
        Numbers of cases that are not to be compared.

    Raises
    ------
    StoreError
        When the project holds nothing by one of a pair, or no case that two of them read.
    """
    with Project.open(path, read_only=True) as project:
        reviewed = project.review.reviewed()
        rows = [case for case in project.cases() if not case.excluded and case.case_id not in left_out]
        listed = [(case, readings_by_name(case, reviewed)) for case in rows]
        known = {name: state.role for _, named in listed for name, state in named.items()}
        for name in (name for pair in pairs or () for name in pair):
            if name not in known:
                there = ", ".join(known) or "nobody"
                raise StoreError(f"{path.name} holds no labels by {name}; there are labels by {there}.")
        # In one order for all cases: of a pair the first is the reference, whoever began first with a case.
        # A copy that a merge kept beside is the same person once more, and would make them look more agreed than they are.
        own = {name for _, named in listed for name, state in named.items() if not state.copy}
        every = [name for name, role in known.items() if role is Role.READER and name in own]
        beside = [name for name, role in known.items() if role is Role.READER and name not in own]
        names = every if pairs is None else list(dict.fromkeys(name for pair in pairs for name in pair))
        both = [(case, _wanted(named, names)) for case, named in listed]
        both = [(case, named) for case, named in both if _is_compared(named, pairs)]
        if not both:
            raise StoreError(f"No case of {path.name} was labelled by two readers yet, so there is nothing to compare.")
        readers = [name for name in names if any(name in named for _, named in both)]
        warnings = _warnings(both)
        if beside and pairs is None:
            warnings.append(f"Left out, since a merge kept them beside a reader's own labels: {', '.join(beside)}.")
        overtaken = project.review.gone_on()
        if passed := [case_name(case) for case, named in both if any(s.reading_id in overtaken for s in named.values())]:
            warnings.append(f"Readers went on after the consensus was last worked on: {', '.join(passed)}.")
        losses: list[str] = []
        answers = project.answers()
        given = [
            CaseAnswers(case_name(case), patient_of(case), {n: answers.get(s.reading_id, {}) for n, s in named.items()})
            for case, named in both
        ]
        questions = _questions(project)
        report = agreement_report(
            _loaded(project, both, losses),
            len(both),
            context,
            pairs,
            conventions,
            given,
            questions,
            readers,
        )
        if pairs is not None:
            report = replace(report, answers=tuple(_of_pairs(answer, pairs) for answer in report.answers))
    return ProjectAgreement(tuple(readers), report, (*warnings, *losses), tuple(given), tuple(questions))


def _is_compared(named: Collection[str], pairs: Sequence[ReaderPair] | None) -> bool:
    return len(named) > 1 if pairs is None else any(one in named and other in named for one, other in pairs)


def _of_pairs(answer: QuestionAgreement, pairs: Sequence[ReaderPair]) -> QuestionAgreement:
    """Return what was answered by the pairs that were asked for; of all readers together only where they are one pair."""
    kept = tuple(pair for pair in answer.pairs if (pair.first_reader, pair.second_reader) in pairs)
    if len(kept) == len(answer.pairs):
        return answer
    return replace(answer, pairs=kept, raters=None, correlation=None)


def _wanted(named: dict[str, ReadingState], names: Sequence[str]) -> dict[str, ReadingState]:
    return {name: named[name] for name in names if name in named}


def _warnings(cases: Sequence[tuple[CaseRow, dict[str, ReadingState]]]) -> list[str]:
    found: list[str] = []
    unfinished = sum(state.status not in _FINISHED for _, named in cases for state in named.values())
    if unfinished:
        found.append(f"{unfinished} of the readings compared are not marked as done.")
    unknown = sum(not case.patient for case, _ in cases)
    if unknown:
        found.append(f"Of {unknown} cases it is not known whose they are: each counts as a patient of its own.")
    return found


def _loaded(
    project: Project, cases: Sequence[tuple[CaseRow, dict[str, ReadingState]]], losses: list[str]
) -> Iterator[CaseReadings]:
    """Load the labels of one case after the other; what could not be brought back is added to ``losses``."""
    for case, named in cases:
        readings: list[Reading] = []
        for name, state in named.items():
            try:
                loaded = project.load_reading(state.reading_id)
            except MedViewError as error:
                losses.append(f"{case_name(case)}, {name}, is left out: {error.sentence}")
                continue
            losses += [f"{case_name(case)}, {name}: {loss}" for loss in loaded.losses]
            readings.append(Reading.of(name, loaded.labels))
        yield CaseReadings(case_name(case), patient_of(case), tuple(readings))


def _questions(project: Project) -> list[Question]:
    text = project.label_set.text()
    return [question for form in label_set_of_text(text).forms for question in form.questions] if text else []
