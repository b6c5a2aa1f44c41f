"""Another project in the place of the one that is open: nothing of the one gets into the other, and who stays, stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from medview.core.errors import MedViewError
from medview.core.job import Inline
from medview.gui.commands import project_keeper
from medview.gui.commands.project_keeper import ProjectKeeper
from medview.gui.commands.project_switch import ProjectSwitch
from medview.gui.dialogs.give_up import Leaving
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.case_adding import AddCases, WantedPlace
from medview.workspace.jobs import InlineRunner, Job, JobStatus, Outcome, Request
from medview.workspace.operations.open import open_series
from medview.workspace.workspace import Workspace
from tests.workspace.queued import queue_workspace, write_small_ct


class BusyWindow(InlineRunner):
    """Workers do their work at once; while ``busy``, what they bring waits as it does when the window's thread is busy."""

    def __init__(self) -> None:
        super().__init__()
        self.busy = False
        self.waiting: list[Callable[[], None]] = []

    def submit(self, request: Request, outcome: Outcome) -> Job:
        if not self.busy:
            return super().submit(request, outcome)
        waiting = self.waiting

        class Context(Inline):
            def partial(self, value: object) -> None:
                waiting.append(lambda: outcome.partial(value))

        try:
            value = request.run(Context())
        except MedViewError as error:
            failed = error
            waiting.append(lambda: outcome.failed(failed))
        else:
            waiting.append(lambda: outcome.done(value))
        return Job(request.title, request.lane, JobStatus.RUNNING)

    def deliver(self) -> None:
        self.busy = False
        while self.waiting:
            self.waiting.pop(0)()


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Two projects, each with one case of its own."""
    found = []
    for name, series in (("a", "s0"), ("b", "s1")):
        write_small_ct(tmp_path / "images", series)
        found.append(tmp_path / f"{name}.medview")
        with Project.create(found[-1], name, reader="Ada") as project:
            AddCases(project, (WantedPlace(tmp_path / "images" / series),), InlinePool()).run(Inline())
    return found[0], found[1]


@pytest.fixture
def runner() -> BusyWindow:
    return BusyWindow()


@pytest.fixture
def workspace(tmp_path: Path, places: tuple[Path, Path], runner: BusyWindow) -> Iterator[Workspace]:
    workspace = queue_workspace(tmp_path, runner, Project.open(places[0], reader="Ada"))
    workspace.worklist.load()
    yield workspace
    if workspace.services.project is not None:
        workspace.services.project.close(discard=True)


@pytest.fixture
def switch(qtbot: QtBot, workspace: Workspace) -> Iterator[ProjectSwitch]:
    window = QWidget()
    qtbot.addWidget(window)
    keeper = ProjectKeeper(window, workspace)
    yield ProjectSwitch(keeper, workspace)
    keeper.stop()


def test_a_series_that_arrives_after_another_project_was_opened_is_let_go(
    workspace: Workspace, switch: ProjectSwitch, runner: BusyWindow, places: tuple[Path, Path]
) -> None:
    workspace.worklist.open(workspace.worklist.rows[0].case_id)
    case = workspace.active
    assert case is not None
    workspace.close_case(case.key)
    runner.busy = True
    open_series(workspace, case.series, case.entry)
    runner.busy = False
    switch.open(places[1])
    runner.deliver()
    assert workspace.cases == {}
    assert workspace.services.project is not None
    assert workspace.services.project.name == "b"
    # In the project that is open now the same series can be opened; it belongs to none of its cases.
    open_series(workspace, case.series, case.entry)
    assert case.key in workspace.cases


def test_who_stays_because_changes_cannot_be_written_keeps_what_is_open(
    workspace: Workspace, switch: ProjectSwitch, places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.worklist.open(workspace.worklist.rows[0].case_id)
    project = workspace.services.project
    assert project is not None
    asked: list[str] = []
    monkeypatch.setattr(project.journal, "flush", lambda *_given: False)
    monkeypatch.setattr(project_keeper, "ask_to_give_up", lambda _parent, text: asked.append(text) or Leaving.STAY)
    switch.open(places[1])
    assert len(asked) == 1
    assert workspace.services.project is project
    assert len(workspace.cases) == 1
    monkeypatch.setattr(project_keeper, "ask_to_give_up", lambda _parent, text: asked.append(text) or Leaving.LEAVE)
    switch.open(places[1])
    assert len(asked) == 2
    assert workspace.cases == {}
    assert workspace.services.project is not project
