"""Carries out what is asked about the readings of a case: another's labels on the pictures, a review, a consensus."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from medview.analysis.agreement.consensus import Method
from medview.core.case_labels import CaseLabels
from medview.core.errors import MedViewError
from medview.core.language import _, in_language
from medview.core.prediction import Prediction, Proposal
from medview.core.reading_status import Role
from medview.store.project import Project
from medview.store.review_book import Pin
from medview.workspace.events import LabelsChanged, Severity
from medview.workspace.history import History
from medview.workspace.jobs import Outcome, Request
from medview.workspace.keeping import StoredCase, keep
from medview.workspace.layout import grid
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.labels import propose
from medview.workspace.requests_review import (
    BeginConsensus,
    BeginReview,
    FetchedReading,
    FetchReaders,
    FetchReading,
    LookAtReview,
    MakeConsensus,
    OnVolume,
    SayOfReading,
)
from medview.workspace.reviewing import CaseReview
from medview.workspace.view_state import CaseView
from medview.workspace.workspace import Workspace

_MOST_BESIDE, _ONE_ROW = 5, 3


class ReviewHands:
    """See ``workspace.reviewing.Hands``."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._serial = 0

    def load(self, case: OpenCase) -> None:
        """Read the readings of a case."""
        project = self._workspace.services.project
        if project is None or case.reading_id is None:
            return
        self._serial += 1
        serial = self._serial

        def done(value: object) -> None:
            # An older answer must not take the place of a newer one.
            if isinstance(value, CaseReview) and serial == self._serial and self._is_told_of(case):
                self._workspace.reviewing.show(value)

        request = LookAtReview(project, case.key, case.reading_id)
        self._workspace.runner.submit(request, Outcome(done, failed=self._workspace.report))

    def look_at(self, case: OpenCase, reading_id: int) -> None:
        """Show the labels of a reading, to be looked at."""
        project = self._ready(case)
        if project is not None:
            request = FetchReading(project, reading_id, _pictures(case), beside=True)
            self._fetch(case, request, partial(self._put, only_look=True))

    def go_back(self, case: OpenCase) -> None:
        """Show one's own labels again."""
        project, state = self._ready(case), self._workspace.reviewing.state
        if project is not None and state is not None:
            request = FetchReading(project, state.own, _pictures(case), beside=False)
            self._fetch(case, request, partial(self._put, only_look=False))

    def edit(self, case: OpenCase, reading_id: int) -> None:
        """Go on, as a reviewer, from the labels of a reading."""
        project = self._ready(case)
        if project is not None:
            request = BeginReview(project, reading_id, _pictures(case))
            self._fetch(case, request, partial(self._put, only_look=False))

    def adjudicate(self, case: OpenCase) -> None:
        """Open the consensus with what each reader labelled beside it."""
        project, state = self._ready(case), self._workspace.reviewing.state
        if project is not None and state is not None:
            request = BeginConsensus(project, state.case_id, _pictures(case))
            self._fetch(case, request, partial(self._put, only_look=False))

    def propose(self, case: OpenCase, method: str) -> None:
        """Put up what several readers come to by a rule."""
        project, state = self._ready(case), self._workspace.reviewing.state
        if project is None or state is None or case.reading_id is None:
            return
        consensus_id = case.reading_id
        request = MakeConsensus(project, state.case_id, consensus_id, Method(method), _pictures(case))

        def done(value: object) -> None:
            if isinstance(value, Prediction) and self._is_open(case) and case.reading_id == consensus_id:
                self._put_up(case, value)

        self._workspace.runner.submit(request, Outcome(done, failed=self._workspace.report))

    def side_by_side(self, case: OpenCase) -> None:
        """Show the labels of all readers in panes of their own."""
        project, state = self._ready(case), self._workspace.reviewing.state
        if project is None or state is None:
            return

        def done(value: object) -> None:
            if isinstance(value, tuple) and self._is_open(case):
                self._stand_beside(case, value)

        request = FetchReaders(project, state.case_id, _pictures(case))
        self._workspace.runner.submit(request, Outcome(done, failed=self._workspace.report))

    def _stand_beside(self, case: OpenCase, readers: tuple[tuple[str, int, CaseLabels], ...]) -> None:
        workspace = self._workspace
        # Those that are shown by the case itself need no second pane.
        others = [one for one in readers if one[1] != case.reading_id][:_MOST_BESIDE]
        if not others:
            workspace.say(_("Nobody else has labelled this case."))
            return
        beside = [_beside(case, *one) for one in others]
        for one in beside:
            if one.key in workspace.cases:
                workspace.close_case(one.key)
            workspace.add_case(one)
        bench = workspace.bench
        bench.maximised, bench.detached = "", ()
        keys = [case.key, *(one.key for one in beside)]
        rows = 1 if len(keys) <= _ONE_ROW else 2
        bench.layout = grid(rows, -(-len(keys) // rows)).holding(keys)
        workspace.choose(bench.layout.slices[0].pane_id)
        bench.pointed = bench.chosen
        bench.links = replace(bench.links, offset=False)
        bench.links = replace(bench.links, scroll=True)
        workspace.say(_("The readers stand side by side and scroll together; outlines are the labels of the others."))

    def say(self, case: OpenCase, what: str, reading_id: int, text: str) -> None:
        """Approve, send back or comment on a reading; what is said is pinned to the crosshair."""
        project = self._workspace.services.project
        if project is None:
            return
        x, y, z = (float(n) for n in case.volume.geometry.point_lps_mm(case.view.crosshair_kji))
        pin = Pin((x, y, z), case.view.crosshair_kji) if text.strip() else None
        told = {
            "approve": _("Approved. The reader sees it in the list of cases."),
            "approve_edit": _("Approved as you corrected them: your edit counts for the reader's labels from now on."),
            "approve_consensus": _("The consensus is approved."),
            "send_back": _("Sent back, with your comment pinned to this place."),
        }.get(what, _("Your comment is pinned to this place."))

        def done(_value: object) -> None:
            self._workspace.say(told)
            self._workspace.worklist.reload()
            self._workspace.reviewing.refresh()

        request = SayOfReading(project, what, reading_id, text, pin)
        self._workspace.runner.submit(request, Outcome(done, failed=self._workspace.report))

    def _ready(self, case: OpenCase) -> Project | None:
        """Return the project where labels can be exchanged now, or say why not."""
        if not case.ready or case.in_gesture or case.pouring is not None:
            self._workspace.say(_("Wait until the series is read and nothing is being drawn."), Severity.WARNING)
            return None
        return self._workspace.services.project

    def _fetch(self, case: OpenCase, request: Request, put: Callable[[OpenCase, FetchedReading], None]) -> None:
        before, revision = case.reading_id, case.labels.revision

        def done(value: object) -> None:
            if not isinstance(value, FetchedReading) or not self._is_open(case):
                return
            if case.in_gesture or case.pouring is not None or (case.reading_id, case.labels.revision) != (before, revision):
                self._workspace.say(_("You drew meanwhile, so your labels stay; ask again."), Severity.WARNING)
                return
            put(case, value)

        def failed(error: MedViewError) -> None:
            self._workspace.report(error)
            self._workspace.reviewing.refresh()

        self._workspace.runner.submit(request, Outcome(done, failed=failed))

    def _put(self, case: OpenCase, fetched: FetchedReading, *, only_look: bool) -> None:
        """Put the labels of a reading on an open case, in place of those that are there; they are in the project."""
        project = self._workspace.services.project
        if fetched.tie.other_pixels:
            self._workspace.say(fetched.tie.other_pixels, Severity.ERROR)
            return
        workspace, loaded = self._workspace, fetched.loaded
        workspace.differences.close()
        case.figures.forget()
        workspace.forms.pieces.forget(case.key)
        case.labels = loaded.labels
        case.history = History(loaded.undo, loaded.redo)
        case.losses = tuple(loaded.losses)
        segments = case.labels.segmentation.segments
        case.view.active_segment_id = segments[0].segment_id if segments else ""
        case.read_only = ""
        keep(case, project, StoredCase(fetched.row.reading_id, loaded, fetched.row.pixels_sha256))
        if only_look:
            case.record = None
            case.read_only = case.read_only or _("These are the labels of {reader}, only to be looked at.").format(
                reader=fetched.row.reader or _("nobody known")
            )
        case.read_only = case.read_only or fetched.tie.unsure
        for signal in (case.load_changed, case.history_changed):
            signal.emit()
        case.labels_changed.emit(LabelsChanged(case.key, ()))
        for loss in loaded.losses[:1]:
            workspace.say(in_language(loss), Severity.WARNING)
        for prediction in fetched.proposed:
            self._put_up(case, prediction)
        workspace.say(_told(fetched, only_look=only_look))

    def _put_up(self, case: OpenCase, prediction: Prediction) -> None:
        if prediction.mask is None and not prediction.boxes:
            self._workspace.say(_("{name} drew nothing.").format(name=prediction.model_name))
            return
        if any(one.prediction.source == prediction.source for one in case.labels.proposals.values()):
            # As it was put up before; what was decided of it since stays decided.
            return
        propose(case, Proposal(uuid.uuid4().hex, prediction, case.labels.revision))
        for warning in prediction.warnings[:1]:
            self._workspace.say(in_language(warning), Severity.WARNING)

    def _is_open(self, case: OpenCase) -> bool:
        return self._workspace.cases.get(case.key) is case

    def _is_told_of(self, case: OpenCase) -> bool:
        """Whether a case, or a reader's pane beside it, is the active one."""
        active = self._workspace.active
        return active is not None and (active is case or (bool(active.reader) and self._is_open(case)))


def _beside(case: OpenCase, name: str, reading_id: int, labels: CaseLabels) -> OpenCase:
    """Return a case of the same pictures with the labels of a reader, to be looked at."""
    titled = " · ".join(part for part in (name, case.series.description) if part)
    segments = labels.segmentation.segments
    view = CaseView(case.view.crosshair_kji, case.view.window)
    view.active_segment_id = segments[0].segment_id if segments else ""
    return OpenCase(
        series=replace(case.series, description=titled),
        entry=case.entry,
        volume=case.anchor.volume,
        load=case.anchor.load,
        labels=labels,
        view=view,
        read_only=_("These are the labels of {reader}, only to be looked at.").format(reader=name),
        reading_id=reading_id,
        reader=name,
    )


def _pictures(case: OpenCase) -> OnVolume:
    return OnVolume(case.anchor.volume, case.reading_id or 0, tuple(case.anchor.load.damaged))


def _told(fetched: FetchedReading, *, only_look: bool) -> str:
    row = fetched.row
    if row.state.role is Role.CONSENSUS and fetched.gone_on:
        told = _("Labels were changed after this consensus was last worked on: {names}. Look at what is proposed again.")
        return told.format(names=", ".join(fetched.gone_on))
    if row.state.role is Role.CONSENSUS:
        return _("The consensus: take over what is right from the readers' labels, which are listed as proposals.")
    if only_look:
        return _("Labels of {reader}, only to be looked at.").format(reader=row.reader)
    if row.state.role is Role.REVIEW:
        return _("Your review begins with the reader's labels; theirs stay as they are.")
    return _("Your own labels.")
