"""Everything that can be said of how far the readers of some cases go together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from medview.analysis.agreement.bootstrap import LEVEL, RESAMPLES, SEED
from medview.analysis.agreement.reader_answers import CaseAnswers, QuestionAgreement, question_agreement
from medview.analysis.agreement.reader_boxes import BoxRow, BoxSummary, box_rows, box_summary
from medview.analysis.agreement.reader_lesions import LesionLink, lesion_links
from medview.analysis.agreement.reader_rows import CaseReadings, ReaderRow, case_rows
from medview.analysis.agreement.reader_summary import SummaryRow, reader_summary
from medview.analysis.agreement.segments import Conventions
from medview.core.form import Level, Question
from medview.core.job import JobContext, JobPart

ReaderPair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """Readers over cases. Where one of a pair is the truth or the reference, it is the first.

    Attributes
    ----------
    cases, patients : tuple of str
        In which two readers or more were compared, each once.
    rows, box_rows : tuple
        One for each case, segment or label of boxes, and pair.
    segments, boxes : tuple
        The same over all cases, with intervals by patient.
    answers : tuple of QuestionAgreement
        To forms, over all cases.
    lesions : tuple of LesionLink
        Whose lesion is whose, of those that anybody answered about.
    """

    conventions: Conventions
    cases: tuple[str, ...]
    patients: tuple[str, ...]
    rows: tuple[ReaderRow, ...]
    box_rows: tuple[BoxRow, ...]
    segments: tuple[SummaryRow, ...]
    boxes: tuple[BoxSummary, ...]
    answers: tuple[QuestionAgreement, ...]
    lesions: tuple[LesionLink, ...] = ()

    def document(self) -> dict[str, object]:
        """Return it ready for JSON."""
        interval = {"level": LEVEL, "resamples": RESAMPLES, "seed": SEED, "by": "patient"}
        return {
            "cases": len(self.cases),
            "patients": len(self.patients),
            "conventions": {**asdict(self.conventions), "interval": interval},
            "segments": [line.document() for line in self.segments],
            "boxes": [line.document() for line in self.boxes],
            "answers": [answer.document() for answer in self.answers],
            "rows": [row.document() for row in self.rows],
            "box_rows": [row.document() for row in self.box_rows],
        }


def agreement_report(
    cases: Iterable[CaseReadings],
    count: int,
    context: JobContext,
    pairs: Sequence[ReaderPair] | None = None,
    conventions: Conventions = Conventions(),
    answers: Sequence[CaseAnswers] = (),
    questions: Sequence[Question] = (),
    readers: Sequence[str] = (),
) -> AgreementReport:
    """Compare readers over cases; belongs into a worker.

    Parameters
    ----------
    cases : iterable of CaseReadings
        Asked for one after the other, so that one at a time need be in memory.
    count : int
        How many there are, for the progress.
    pairs : sequence, optional
        Who is compared with whom; each reader of a case with each after it when not given.
    answers, questions, readers : sequences
        What was answered to which questions, and whose answers are compared.
    """
    rows: list[ReaderRow] = []
    boxes: list[BoxRow] = []
    links: list[LesionLink] = []
    given = {one.case: one for one in answers}
    of_lesions = any(question.level is Level.LESION for question in questions)
    names: dict[str, None] = {}
    patients: dict[str, None] = {}
    for number, case in enumerate(cases):
        context.raise_if_cancelled()
        part = JobPart(context, number / max(count, 1), (number + 1) / max(count, 1))
        names[case.case], patients[case.patient] = None, None
        rows += case_rows(case, pairs, conventions, part)
        boxes += box_rows(case, pairs, conventions.overlap)
        if of_lesions and (told := given.get(case.case)) is not None:
            links += lesion_links(case, told.answers, pairs, conventions, context)
    context.raise_if_cancelled()
    asked = tuple(found for question in questions for found in question_agreement(question, answers, readers, links))
    return AgreementReport(
        conventions,
        tuple(names),
        tuple(patients),
        tuple(rows),
        tuple(boxes),
        reader_summary(rows, first_is_reference=pairs is not None),
        box_summary(boxes),
        tuple(found for found in asked if found.things),
        tuple(links),
    )
