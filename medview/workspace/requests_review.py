"""Frozen descriptions of what is read and written for reviews and for the consensus of a case."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from medview.analysis.agreement.consensus import Method, consensus
from medview.analysis.agreement.label_maps import LabelMaps
from medview.analysis.agreement.readings import Reading
from medview.core.annotations import BoxAnnotation
from medview.core.case_labels import CaseLabels
from medview.core.changes import Command
from medview.core.errors import StoreError
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prediction import PredictedMask, Prediction
from medview.core.reading_status import Role
from medview.core.segmentation import SegmentRole
from medview.core.source import Source, SourceKind
from medview.core.volume import Volume
from medview.edit.copied import copied
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.store.reading_state import ReadingState
from medview.store.readings import ReadingRow
from medview.store.recover import LoadedCase
from medview.store.review_book import Pin
from medview.workspace.jobs import Lane
from medview.workspace.keeping import StoredCase, Tie, tie_pixels
from medview.workspace.reviewing import CaseReview


@dataclass(frozen=True, slots=True)
class LookAtReview:
    """Request: the readings of an open case and what was said of them."""

    project: Project
    case_key: str
    reading_id: int
    title: str = field(default=_("Reading what was said of the case"))
    lane: Lane = field(default=Lane.WRITE)

    def run(self, _context: JobContext) -> CaseReview:
        """Read, what was drawn this moment too."""
        self.project.journal.flush()
        return case_review(self.project, self.case_key, self.reading_id)


def case_review(project: Project, case_key: str, reading_id: int) -> CaseReview:
    """Return the readings of the case of a reading, and what was said of them."""
    rows = project.review.beside(reading_id)
    if not rows:
        raise StoreError("The project holds no such case.", detail=f"reading {reading_id}")
    states = [row.state for row in rows]
    mine = [one for one in states if one.role is Role.READER and one.reader == project.reader]
    own = min(mine, key=lambda one: one.copy).reading_id if mine else 0
    kept = [one for one in states if one.worked_on or one.reading_id == own or one.role is not Role.READER]
    comments = project.review.comments(rows[0].case_id)
    rule = project.worklist.reading_rule()
    gone_on, reviewed = project.review.gone_on(rows[0].case_id), project.review.reviewed()
    return CaseReview(case_key, rows[0].case_id, own, tuple(kept), tuple(comments), rule, gone_on, reviewed)


def _check_not_blinded(project: Project, known: int, wanted: int) -> None:
    """Raise StoreError where the labels of a reading are not to be seen yet; the window may know less than the project."""
    project.journal.flush()
    why = case_review(project, "", known).why_hidden(wanted)
    if why:
        raise StoreError(why)


@dataclass(frozen=True, slots=True, eq=False)
class OnVolume:
    """The pictures that labels are to be shown on.

    Attributes
    ----------
    known : int
        Number of the reading that was compared with these pictures when they were opened.
    damaged : collection of int
        Slices k that could not be read.
    """

    volume: Volume
    known: int
    damaged: Collection[int]

    def tie(self, project: Project, row: ReadingRow) -> Tie:
        """Make sure that a reading was made on these voxels."""
        if not row.pixels_sha256:
            return Tie()
        same = [one.pixels_sha256 for one in project.review.beside(row.reading_id) if one.reading_id == self.known]
        if row.pixels_sha256 in same:
            return Tie()
        return tie_pixels(project, StoredCase(row.reading_id, pixels=row.pixels_sha256), self.volume, self.damaged)


@dataclass(frozen=True, slots=True, eq=False)
class FetchedReading:
    """The labels of a reading, and whether they belong to the pictures at hand.

    Attributes
    ----------
    proposed : tuple of Prediction
        What is to stand beside them, waiting for a person.
    gone_on : tuple of str
        Of a consensus: who went on since it was last worked on.
    """

    row: ReadingRow
    loaded: LoadedCase
    tie: Tie
    proposed: tuple[Prediction, ...] = ()
    gone_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FetchReading:
    """Request: the labels of a reading, to go on with or to look at."""

    project: Project
    reading_id: int
    pictures: OnVolume
    beside: bool
    title: str = field(default=_("Reading the labels"))
    lane: Lane = field(default=Lane.READ)

    def run(self, _context: JobContext) -> FetchedReading:
        """Load."""
        _check_not_blinded(self.project, self.pictures.known, self.reading_id)
        row = next(one for one in self.project.review.beside(self.reading_id) if one.reading_id == self.reading_id)
        loaded = self.project.load_reading(self.reading_id, beside=self.beside)
        if self.beside:
            self.project.review.looked_at(self.reading_id)
        return FetchedReading(row, loaded, self.pictures.tie(self.project, row))


@dataclass(frozen=True, slots=True, eq=False)
class BeginReview:
    """Request: a reviewer's own reading that begins with the labels of another, in one command."""

    project: Project
    of: int
    pictures: OnVolume
    title: str = field(default=_("Beginning a review"))
    lane: Lane = field(default=Lane.READ)

    def run(self, _context: JobContext) -> FetchedReading:
        """Begin, or go on with what was begun before."""
        project = self.project
        _check_not_blinded(project, self.pictures.known, self.of)
        row, fresh = project.review.begin_review(self.of)
        if fresh:
            reviewed = next(one for one in project.review.beside(self.of) if one.reading_id == self.of)
            # What the reviewer changes is marked as corrected, so that each segment tells who drew it.
            drawn_by = Source(SourceKind.READER, reviewed.reader, job_id=f"reading-{self.of}")
            changes = tuple(copied(project.load_reading(self.of, beside=True).labels, drawn_by))
            if changes:
                command = Command(f"Labels of {reviewed.reader}", changes, "review")
                project.journal.append(row.reading_id, Entry(EntryKind.DO, command))
        return FetchedReading(row, project.load_reading(row.reading_id), self.pictures.tie(project, row))


@dataclass(frozen=True, slots=True, eq=False)
class BeginConsensus:
    """Request: the consensus of a case, and what each reader labelled as a prediction."""

    project: Project
    case_id: int
    pictures: OnVolume
    title: str = field(default=_("Opening the consensus"))
    lane: Lane = field(default=Lane.READ)

    def run(self, context: JobContext) -> FetchedReading:
        """Begin, or go on with what was begun before."""
        project = self.project
        _check_not_blinded(project, self.pictures.known, 0)
        overtaken = project.review.gone_on(self.case_id)
        row = project.review.begin_consensus(self.case_id)
        gone_on = tuple(overtaken.get(row.reading_id, ()))
        proposed = []
        for name, reading_id, labels in readers_of(project, self.case_id, row, self.pictures):
            context.raise_if_cancelled()
            project.review.looked_at(reading_id)
            job_id = f"reading-{reading_id}-{labels.revision}"
            proposed.append(as_prediction(name, job_id, labels, self.pictures.volume.series_uid))
        loaded = project.load_reading(row.reading_id)
        return FetchedReading(row, loaded, self.pictures.tie(project, row), tuple(proposed), gone_on)


@dataclass(frozen=True, slots=True, eq=False)
class FetchReaders:
    """Request: the labels of all readers of a case, to be looked at side by side."""

    project: Project
    case_id: int
    pictures: OnVolume
    title: str = field(default=_("Reading the labels of all readers"))
    lane: Lane = field(default=Lane.READ)

    def run(self, _context: JobContext) -> tuple[tuple[str, int, CaseLabels], ...]:
        """Load; name, number of the reading and labels of each."""
        _check_not_blinded(self.project, self.pictures.known, 0)
        row = next(one for one in self.project.review.readings(self.case_id) if one.reading_id == self.pictures.known)
        found = tuple(readers_of(self.project, self.case_id, row, self.pictures, reviews=False))
        for _name, reading_id, _labels in found:
            self.project.review.looked_at(reading_id)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class MakeConsensus:
    """Request: what several readers come to by a rule."""

    project: Project
    case_id: int
    consensus_id: int
    method: Method
    pictures: OnVolume
    title: str = field(default=_("Working out what the readers agree on"))
    lane: Lane = field(default=Lane.COMPUTE)

    def run(self, context: JobContext) -> Prediction:
        """Work it out.

        Raises
        ------
        StoreError
            When fewer than two readers labelled the case.
        """
        row = next(one for one in self.project.review.beside(self.consensus_id) if one.reading_id == self.consensus_id)
        states = {one.reading_id: one.state for one in self.project.review.readings(self.case_id)}
        found = _one_vote_each(readers_of(self.project, self.case_id, row, self.pictures, reviews=False), states)
        if len(found) < 2:
            raise StoreError("Only one reader labelled this case, so there is nothing to agree on.")
        names = ", ".join(name for name, _number, _labels in found)
        result = consensus([Reading.of(name, labels) for name, _number, labels in found], self.method, context)
        title = _TITLES[self.method]
        by = f"{self.method.value}: {names}"
        source = Source(SourceKind.READER, by, job_id=f"{self.method.value}-{self.consensus_id}")
        return Prediction(
            "segmentation",
            title,
            source,
            found[0][2].segmentation.geometry,
            self.pictures.volume.series_uid,
            result.masks[0] if result.masks else None,
            further=result.masks[1:],
            warnings=tuple(
                _("Nobody has drawn {name} yet, or only on slices that are not done.").format(name=name)
                for name in result.undecided
            ),
        )


def _one_vote_each(
    found: Sequence[tuple[str, int, CaseLabels]], states: Mapping[int, ReadingState]
) -> list[tuple[str, int, CaseLabels]]:
    """Return the labels of a case that vote: a copy that a merge kept beside is the same reader once more."""
    voting: dict[str, int] = {}
    for name, reading_id, _labels in sorted(found, key=lambda one: states[one[1]].copy):
        voting.setdefault(states[reading_id].reader or name, reading_id)
    return [one for one in found if one[1] in voting.values()]


_TITLES = {
    Method.MAJORITY: _("Majority of the readers"),
    Method.MAJORITY_OR_HALF: _("Half of the readers or more"),
    Method.STAPLE: _("STAPLE of the readers"),
}


def readers_of(
    project: Project, case_id: int, row: ReadingRow, pictures: OnVolume, *, reviews: bool = True
) -> Sequence[tuple[str, int, CaseLabels]]:
    """Return name, number and labels of the readers of a case who drew anything on the voxels at hand.

    What a reviewer made of a reader's labels stands beside them under the reviewer's name; it has no vote of its own.
    """
    found: list[tuple[str, int, CaseLabels]] = []
    for one in project.review.readings(case_id):
        wanted = one.state.role is Role.READER or (reviews and one.state.role is Role.REVIEW)
        if not wanted or not one.state.worked_on or not one.geometry.same_grid(row.geometry):
            continue
        if pictures.tie(project, one).other_pixels:
            continue
        name = one.reader or _("Reading {n}").format(n=one.reading_id)
        name = _("{name}, review").format(name=name) if one.state.role is Role.REVIEW else name
        name = f"{name} ({one.state.copy + 1})" if one.state.copy else name
        found.append((name, one.reading_id, project.load_reading(one.reading_id, beside=True).labels))
    return found


def as_prediction(name: str, job_id: str, labels: CaseLabels, series_uid: str) -> Prediction:
    """Return what a reader labelled as something that waits for a person; belongs into a worker."""
    maps = LabelMaps()
    segmentation = labels.segmentation
    for segment in segmentation.segments:
        box = segmentation.box(segment)
        if segment.role is SegmentRole.STRUCTURE and box is not None:
            held = segmentation.layers[segment.layer_id].voxels[box.slices] == segment.value
            maps.add(segment.name, segment.code, segment.colour, box, held)
    masks: tuple[PredictedMask, ...] = maps.masks()
    return Prediction(
        "segmentation",
        name,
        Source(SourceKind.READER, name, job_id=job_id),
        segmentation.geometry,
        series_uid,
        masks[0] if masks else None,
        tuple(one for one in labels.annotations.values() if isinstance(one, BoxAnnotation)),
        further=masks[1:],
    )


@dataclass(frozen=True, slots=True)
class SayOfReading:
    """Request: approve a reading, send it back or comment on it."""

    project: Project
    what: str
    reading_id: int
    text: str
    pin: Pin | None
    title: str = field(default=_("Saving the review"))
    lane: Lane = field(default=Lane.WRITE)

    def run(self, _context: JobContext) -> None:
        """Write, after what was drawn this moment: a change that is kept later than an approval would end it."""
        self.project.journal.flush()
        review = self.project.review
        if self.what in ("approve", "approve_edit", "approve_consensus"):
            review.approve(self.reading_id, self.text)
        elif self.what == "send_back":
            review.send_back(self.reading_id, self.text, self.pin)
        else:
            review.comment(self.reading_id, self.text, self.pin)
