"""Readers are compared in the open project: whom, in which figures, and the cases behind each line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.analysis.agreement.reader_summary import SummaryRow
from medview.core.reading_rule import ReadingRule
from medview.core.reading_status import ReadingStatus
from medview.store.project import Project
from medview.workspace.agreeing import Agreeing
from medview.workspace.agreement_figures import COLUMNS, FIGURES, Kind
from medview.workspace.agreement_plots import by_case, confusion, differences
from medview.workspace.agreement_view import Line, cases_of, lines_of
from medview.workspace.project_agreement import ProjectAgreement
from medview.workspace.workspace import Workspace
from tests.workspace.compared import compared_project
from tests.workspace.queued import StepRunner, queue_workspace

DICE, HD95 = FIGURES[0], FIGURES[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compared_project(tmp_path_factory.mktemp("compared"), 4, ("Ada", "Grace", "Lin"))


@pytest.fixture
def project(place: Path) -> Iterator[Project]:
    with Project.open(place, reader="Ada") as opened:
        yield opened


@pytest.fixture
def runner() -> StepRunner:
    return StepRunner()


@pytest.fixture
def workspace(tmp_path: Path, project: Project, runner: StepRunner) -> Workspace:
    made = queue_workspace(tmp_path, runner, project)
    made.worklist.load()
    runner.finish()
    return made


@pytest.fixture
def agreeing(workspace: Workspace) -> Agreeing:
    return workspace.worklist.agreeing


def compare(agreeing: Agreeing, runner: StepRunner, title: str) -> ProjectAgreement:
    agreeing.choose(next(one for one in agreeing.comparisons if one.title == title))
    agreeing.compare()
    runner.finish()
    assert agreeing.found is not None, agreeing.problem
    return agreeing.found


def line(found: ProjectAgreement, kind: Kind, *starts: str) -> Line:
    return next(one for one in lines_of(found, kind) if one.cells[: len(starts)] == starts)


def test_all_readers_the_consensus_and_any_two_can_be_chosen(agreeing: Agreeing) -> None:
    assert [one.title for one in agreeing.comparisons] == [
        "All pairs of readers",
        "Consensus with each reader",
        "Consensus / Ada",
        "Consensus / Grace",
        "Consensus / Lin",
        "Ada / Grace",
        "Ada / Lin",
        "Grace / Lin",
    ]


def test_the_table_holds_the_figures_and_their_intervals(agreeing: Agreeing, runner: StepRunner) -> None:
    found = compare(agreeing, runner, "Ada / Grace")
    (row,) = [one for one in found.report.segments if one.segment == "Liver"]
    liver = line(found, Kind.SEGMENTS, "Liver")
    assert len(liver.cells) == len(COLUMNS[Kind.SEGMENTS])
    dice = row.figure("dice")
    assert liver.cells[:3] == ("Liver", "Ada / Grace", "4")
    assert liver.cells[3] == f"{dice.value:.3g} ({dice.low:.3g} to {dice.high:.3g})"
    assert "lesions in both" in liver.tip


def test_the_dots_are_the_cases_and_their_mean_is_the_line(agreeing: Agreeing, runner: StepRunner) -> None:
    found = compare(agreeing, runner, "Ada / Grace")
    liver = line(found, Kind.SEGMENTS, "Liver")
    dots = by_case(found, liver, DICE)
    assert dots is not None
    assert [dot.case for dot in dots.dots] == ["case-0001", "case-0002", "case-0003", "case-0004"]
    assert np.mean([dot.y for dot in dots.dots]) == pytest.approx(dots.lines[0][0])
    assert dots.band is not None
    assert dots.band[0] < dots.lines[0][0] < dots.band[1]
    assert dots.span_y == (0.0, 1.0)


def test_volumes_stand_as_bland_and_altman_have_them(agreeing: Agreeing, runner: StepRunner) -> None:
    found = compare(agreeing, runner, "Ada / Grace")
    liver = line(found, Kind.SEGMENTS, "Liver")
    dots = differences(found, liver)
    assert dots is not None
    apart = np.array([dot.y for dot in dots.dots])
    mean, sd = apart.mean(), apart.std(ddof=1)
    assert [value for value, _words in dots.lines] == pytest.approx([mean, mean - 1.96 * sd, mean + 1.96 * sd], abs=1e-4)
    volumes = [(row.agreement.masks.first_ml, row.agreement.masks.second_ml) for row in found.report.rows
               if row.agreement.name == "Liver" and row.agreement.masks is not None]  # fmt: skip
    assert [dot.x for dot in dots.dots] == pytest.approx(np.mean(volumes, axis=1))  # type: ignore[arg-type]
    assert dots.y_title == "Second less first (mL)"


def test_cases_that_go_least_together_come_first(agreeing: Agreeing, runner: StepRunner) -> None:
    found = compare(agreeing, runner, "Ada / Grace")
    liver = line(found, Kind.SEGMENTS, "Liver")
    dots = by_case(found, liver, DICE)
    assert dots is not None
    worst = min(dots.dots, key=lambda dot: dot.y)
    assert cases_of(found, liver, DICE)[0].case == worst.case
    far = by_case(found, liver, HD95)
    assert far is not None
    assert cases_of(found, liver, HD95)[0].words.startswith(f"{max(dot.y for dot in far.dots):.3g} mm")


def test_choices_stand_in_a_confusion_table_and_numbers_as_differences(agreeing: Agreeing, runner: StepRunner) -> None:
    found = compare(agreeing, runner, "Ada / Grace")
    severity, score = line(found, Kind.ANSWERS, "Severity"), line(found, Kind.ANSWERS, "Score (%)")
    table = confusion(severity)
    assert table is not None
    assert table.categories == ("None", "Mild", "Severe")
    assert sum(map(sum, table.counts)) == 4
    agreed = sum(table.counts[n][n] for n in range(3))
    assert sum(one.badness == 0.0 for one in cases_of(found, severity, DICE)) == agreed
    assert differences(found, severity) is None
    assert confusion(score) is None
    dots = differences(found, score)
    assert dots is not None
    assert np.mean([dot.y for dot in dots.dots]) == pytest.approx(dots.lines[0][0])
    assert len(cases_of(found, score, DICE)) == 4


def test_all_pairs_say_nothing_that_hangs_on_the_order_of_readers(agreeing: Agreeing, runner: StepRunner) -> None:
    found = compare(agreeing, runner, "All pairs of readers")
    everybody = line(found, Kind.SEGMENTS, "Liver", "All pairs")
    titles = [column.title for column in COLUMNS[Kind.SEGMENTS]]
    cells = dict(zip(titles, everybody.cells, strict=True))
    directed = ("Volume difference (mL)", "Lesion sensitivity", "Lesion precision")
    assert [cells[title] for title in directed] == ["\u2013"] * 3
    assert "\u2013" not in (cells["Dice"], cells["Lesion F1"], cells["Volumes, ICC"])
    assert "only in the" not in everybody.tip
    assert differences(found, everybody) is None
    assert differences(found, line(found, Kind.SEGMENTS, "Liver", "Ada / Grace")) is not None


def test_the_consensus_is_the_reference_for_each_reader(agreeing: Agreeing, runner: StepRunner) -> None:
    found = compare(agreeing, runner, "Consensus with each reader")
    subjects = [one.subject for one in lines_of(found, Kind.SEGMENTS)]
    pairs = [
        (one.first_reader, one.second_reader) for one in subjects if isinstance(one, SummaryRow) and one.segment == "Liver"
    ]
    assert pairs == [("consensus", "Ada"), ("consensus", "Grace"), ("consensus", "Lin"), ("", "")]
    assert len(found.report.cases) == 2, "only every other case has a consensus"
    everybody = line(found, Kind.SEGMENTS, "Liver", "All pairs")
    assert len(cases_of(found, everybody, DICE)) == 6
    assert "Consensus / Grace" in "".join(one.words for one in cases_of(found, everybody, DICE))
    assert lines_of(found, Kind.ANSWERS) == (), "it answered nothing"


def test_other_conventions_put_what_was_compared_aside(agreeing: Agreeing, runner: StepRunner) -> None:
    before = compare(agreeing, runner, "Ada / Grace")
    agreeing.use(replace(agreeing.conventions, tolerance_mm=4.0))
    assert agreeing.found is None
    after = compare(agreeing, runner, "Ada / Grace")
    assert after.report.segments[0].figure("surface_dice").value > before.report.segments[0].figure("surface_dice").value  # type: ignore[operator]


def test_what_is_cancelled_or_chosen_away_is_not_shown(agreeing: Agreeing, runner: StepRunner) -> None:
    agreeing.compare()
    assert agreeing.job is not None
    agreeing.cancel()
    assert agreeing.problem == "Cancelled. Nothing was compared."
    agreeing.compare()
    agreeing.choose(agreeing.comparisons[1])
    runner.finish()
    assert agreeing.found is None


def test_the_tables_are_written_into_a_new_folder(
    agreeing: Agreeing, runner: StepRunner, workspace: Workspace, tmp_path: Path
) -> None:
    told: list[str] = []
    workspace.message.connect(lambda message: told.append(message.text))
    found = compare(agreeing, runner, "Ada / Grace")
    for _ in range(2):
        agreeing.export(tmp_path)
        runner.finish()
    assert (tmp_path / "Readers-agreement-2" / "agreement.json").exists()
    with (tmp_path / "Readers-agreement" / "segments.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["dice"]) == pytest.approx(found.report.segments[0].figure("dice").value)
    assert told[-1].startswith("Wrote segments.csv")


def test_a_blinded_reader_learns_nothing_of_cases_still_at_work(
    agreeing: Agreeing, runner: StepRunner, project: Project
) -> None:
    own = project.cases()[1].of("Ada")
    assert own is not None
    project.set_status(own.reading_id, ReadingStatus.IN_WORK)
    found = compare(agreeing, runner, "Ada / Grace")
    assert "case-0002" not in found.report.cases
    assert found.warnings[0] == "1 case is left out: your own labels of it are not done, and readers are blinded."
    project.worklist.keep_reading_rule(ReadingRule(blinded=False))
    agreeing.choose(agreeing.comparisons[0])
    assert "case-0002" in compare(agreeing, runner, "Ada / Grace").report.cases
    project.worklist.keep_reading_rule(ReadingRule())
    project.set_status(own.reading_id, ReadingStatus.DONE)


def test_a_project_of_one_reader_says_that_there_is_nothing_to_compare(tmp_path: Path) -> None:
    with Project.open(compared_project(tmp_path, 1, ("Ada",)), reader="Ada") as project:
        runner = StepRunner()
        workspace = queue_workspace(tmp_path, runner, project)
        workspace.worklist.load()
        runner.finish()
        workspace.worklist.agreeing.compare()
        runner.finish()
        assert "nothing to compare" in workspace.worklist.agreeing.problem
        assert workspace.worklist.agreeing.job is None
