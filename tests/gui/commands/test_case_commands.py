"""Done and flagged are said of what is worked on: one's own labels, or the consensus while that is open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.core.box import Box
from medview.core.job import Inline
from medview.core.reading_status import ReadingStatus, Role
from medview.gui.commands.case_commands import toggle
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.actions import action
from medview.workspace.case_words import case_detail
from medview.workspace.export_selection import ExportRun, Include, select_cases
from tests.workspace.queued import write_small_ct
from tests.workspace.test_reviewing import ADA_BOX, GRACE_BOX, Desk


@pytest.fixture
def eve(tmp_path: Path) -> Iterator[Desk]:
    """Eve, over a project in which Ada and Grace have each drawn a liver and said that they are done."""
    write_small_ct(tmp_path / "images", "s1")
    for reader, box in (("Ada", ADA_BOX), ("Grace", GRACE_BOX)):
        desk = Desk(tmp_path, reader)
        desk.draw("Liver", box)
        desk.done()
        desk.close()
    desk = Desk(tmp_path, "Eve")
    desk.workspace.worklist.load()
    yield desk
    desk.close()


def test_what_is_said_of_a_case_is_said_of_the_consensus_while_that_is_open(eve: Desk) -> None:
    eve.workspace.reviewing.adjudicate()
    eve.draw("Liver", GRACE_BOX)
    toggle(eve.workspace, ReadingStatus.DONE)
    assert eve.heard[-1].endswith(", Consensus: Done.")
    assert _said(eve.project) == {"Ada": "done", "Grace": "done", "Eve": "to do", "consensus": "done"}
    assert case_detail(eve.workspace.worklist.rows[0], eve.workspace.worklist.who).endswith("Consensus: Done")
    run = ExportRun("seg", "consensus", include=Include.DONE)
    assert len(select_cases(run, eve.project, Inline(), InlinePool()).chosen) == 1
    toggle(eve.workspace, ReadingStatus.DONE)
    assert _said(eve.project)["consensus"] == "in work"
    assert action("review.approve").enabled(eve.workspace)
    action("review.approve").run(eve.workspace)
    assert eve.heard[-1] == "The consensus is approved."
    assert _said(eve.project)["consensus"] == "approved"
    # One's own labels again: it is them that are spoken of.
    action("review.own").run(eve.workspace)
    toggle(eve.workspace, ReadingStatus.FLAGGED)
    assert _said(eve.project) == {"Ada": "done", "Grace": "done", "Eve": "flagged", "consensus": "approved"}


def test_labels_of_others_are_seen_as_soon_as_ones_own_are_done(eve: Desk) -> None:
    eve.draw("Spleen", Box((0, 0, 0), (2, 2, 2)))
    eve.workspace.reviewing.refresh()
    eve.workspace.reviewing.look_at(eve.reading_of("Ada"))
    assert eve.held("Liver") == 0
    toggle(eve.workspace, ReadingStatus.DONE)
    eve.workspace.reviewing.look_at(eve.reading_of("Ada"))
    assert eve.held("Liver") == ADA_BOX.size
    # What others labelled is only looked at: what is said of the case is said of one's own.
    toggle(eve.workspace, ReadingStatus.DONE)
    assert _said(eve.project) == {"Ada": "done", "Grace": "done", "Eve": "in work"}


def _said(project: Project) -> dict[str, str]:
    """How far each reading of the one case is, by reader."""
    assert project.journal.flush()
    (row,) = project.cases()
    return {"consensus" if one.role is Role.CONSENSUS else one.reader: one.status.value for one in row.readings}
