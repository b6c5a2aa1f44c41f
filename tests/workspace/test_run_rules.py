"""Models that run by themselves on what is opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from medview.core.study import Series
from medview.store.project import Project
from medview.workspace.jobs import InlineRunner
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations.open import open_series
from medview.workspace.run_rules import RunRule, run_on_open, run_rules, runs_on_open, use_run_rules
from medview.workspace.settings import load_settings, save_settings
from medview.workspace.workspace import Workspace
from tests.workspace.queued import add_small_model, queue_workspace, scanned, write_small_ct

RULE = RunRule("example-organs", words=("s1", "chest"), not_words=("scout",))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    add_small_model(tmp_path)
    with Project.create(tmp_path / "p.medview") as project:
        made = queue_workspace(tmp_path, InlineRunner(), project)
        use_run_rules(made, [RULE])
        yield made


def opened(workspace: Workspace, folder: Path) -> OpenCase:
    open_series(workspace, *scanned(folder))
    assert workspace.active is not None
    return workspace.active


@pytest.mark.parametrize(
    ("series", "fits"),
    [
        (Series("1", "2", description="Thorax S1 axial"), True),
        (Series("1", "2", body_part="CHEST"), True),
        (Series("1", "2", study_description="Chest low dose"), True),
        (Series("1", "2", description="Chest scout"), False),
        (Series("1", "2", description="Head"), False),
    ],
)
def test_a_rule_goes_by_words_in_body_part_and_descriptions(series: Series, fits: bool) -> None:
    assert RULE.fits(series) is fits
    assert RunRule("any").fits(series)


def test_rules_survive_the_settings_file_and_damaged_ones_are_left_out(workspace: Workspace, tmp_path: Path) -> None:
    run_on_open(workspace, on=True)
    workspace.settings = replace(workspace.settings, run_rules=(*workspace.settings.run_rules, {"words": 7}))
    save_settings(workspace.settings, tmp_path / "settings.json")
    workspace.settings = load_settings(tmp_path / "settings.json")
    assert run_rules(workspace) == (RULE,)
    assert runs_on_open(workspace)


def test_nothing_runs_by_itself_until_a_person_turns_it_on(workspace: Workspace, tmp_path: Path) -> None:
    case = opened(workspace, write_small_ct(tmp_path, "s1"))
    assert not runs_on_open(workspace)
    assert case.labels.proposals == {}
    assert workspace.queue.queue.tasks == ()


def test_a_series_the_rule_is_for_gets_its_proposal_quietly(workspace: Workspace, tmp_path: Path) -> None:
    run_on_open(workspace, on=True)
    heard: list[str] = []

    def hear(message: object) -> None:
        heard.append(str(message))

    workspace.message.connect(hear)
    case = opened(workspace, write_small_ct(tmp_path, "s1"))
    assert len(case.labels.proposals) == 1
    assert case.labels.segmentation.segments == []
    assert heard == []
    assert opened(workspace, write_small_ct(tmp_path, "s2")).labels.proposals == {}


def test_it_does_not_run_again_on_what_it_has_looked_at(workspace: Workspace, tmp_path: Path) -> None:
    run_on_open(workspace, on=True)
    folder = write_small_ct(tmp_path, "s1")
    case = opened(workspace, folder)
    (proposal_id,) = case.labels.proposals
    assert labels.reject(case, proposal_id)
    workspace.close_case(case.key)
    workspace.queue.clear_finished()
    again = opened(workspace, folder)
    assert again is not case
    assert again.labels.proposals == {}
    again.undo()
    assert len(again.labels.proposals) == 1


def test_a_rule_that_is_off_and_a_read_only_case_run_nothing(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_on_open(workspace, on=True)
    use_run_rules(workspace, [replace(RULE, on=False)])
    assert not runs_on_open(workspace)
    assert opened(workspace, write_small_ct(tmp_path, "s1")).labels.proposals == {}
    use_run_rules(workspace, [RULE])
    monkeypatch.setattr(workspace.services, "project_problem", "Only read.")
    monkeypatch.setattr(workspace.services, "project", None)
    folder = write_small_ct(tmp_path / "b", "s1")
    workspace.close_case(workspace.cases[next(iter(workspace.cases))].key)
    case = opened(workspace, folder)
    assert case.read_only
    assert case.labels.proposals == {}


def test_what_is_opened_goes_before_what_waits(workspace: Workspace, tmp_path: Path) -> None:
    run_on_open(workspace, on=True)
    workspace.queue.pause()
    from medview.workspace.queue import QueueTask
    from tests.workspace.queued import place_of

    workspace.queue.add([QueueTask("other@1", place_of(write_small_ct(tmp_path, "s9")))])
    opened(workspace, write_small_ct(tmp_path, "s1"))
    assert [task.place.description for task in workspace.queue.queue.tasks] == ["series s1", "series s9"]
