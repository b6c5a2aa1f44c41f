"""``medview project models``: what a project trained, which version counts, and back again; models named by line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from medview.cli import predict_project
from medview.store.project import Project
from medview.workspace.model_line import ModelLines
from tests.cli.conftest import Cli
from tests.workspace.training.lines import PATIENTS, frozen_run, made_pack, project_of, trained


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a good version that counts, and a refused one; a third training waits."""
    room = tmp_path_factory.mktemp("made")
    project = project_of(room, made_pack(room / "exact"))
    with pytest.MonkeyPatch.context() as patched:
        for n, noise in enumerate((0.0015, 0.01)):
            trained(frozen_run(project, room / f"run-{n}"), made_pack(room / str(n), noise, id=f"m{n}"), patched)
        late = frozen_run(project, project / "runs" / "segmentation-3")
        with Project.open(project):
            trained(late, made_pack(room / "late", id="late"), patched)
    return project


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "hippo.medview"))


def test_lines_are_listed_with_what_counts_and_why(cli: Cli, project: Path) -> None:
    done = cli("project", "models", project)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("segmentation: v1 counts since 20")
    assert lines[1].startswith("* v1  first  m0@1.0.0  v1 is the first")
    assert lines[2].startswith("  v2  kept  m1@1.0.0  v2 is not better than v1: kept v1. ")
    assert f"segmentation-3 is finished and not taken up: medview project models {project} --take" in done.err
    told = cli("project", "models", project, "--json").document
    (line,) = told["lines"]
    assert (line["line"], line["current"], len(line["versions"]), len(line["history"])) == ("segmentation", 1, 2, 1)
    assert line["versions"][1]["gate"]["verdict"] == "kept"
    assert "learnt" not in line["versions"][0], "which cases it has seen is nobody's business but the project's"
    assert told["waiting"] == [str(project / "runs" / "segmentation-3")]
    assert cli("project", "info", project, "--json").document["models"][0]["version"] == 1
    assert "models: segmentation v1" in cli("project", "info", project).out


def test_a_version_is_chosen_taken_up_and_gone_back_to(cli: Cli, project: Path) -> None:
    assert cli("project", "models", project, "--choose", 2).err == "Version 2 of segmentation counts from now on.\n"
    with Project.open(project, read_only=True) as opened:
        chosen = ModelLines(opened).versions("segmentation")[1]
    assert (chosen.verdict.value, bool(chosen.who)) == ("chosen", True)
    # What was compared with v1 is compared with v2, which counts now.
    taken = cli("project", "models", project, "--take", project / "runs" / "segmentation-3", "--quiet")
    assert taken.err.startswith("Version 3 of segmentation: v3 is better than v2: Dice 1.000 against 0.")
    assert cli("project", "models", project, "--roll-back").err == "Version 2 of segmentation counts again.\n"
    assert cli("project", "models", project, "--roll-back", 1).err == "Version 1 of segmentation counts again.\n"
    again = cli("project", "models", project, "--roll-back")
    assert (again.code, again.err.count("\n")) == (1, 1)
    assert "nothing to go back to" in again.err
    assert cli("project", "verify", project, "--quiet").code == 0


def test_what_cannot_be_meant_is_said(cli: Cli, project: Path, tmp_path: Path) -> None:
    for arguments, code, said in (
        (["--choose", 9], 1, "no version 9 of segmentation"),
        (["--choose", 1], 1, "counts already"),
        ([2], 2, "--roll-back 2 or --choose 2"),
        (["--choose", 1, "--roll-back"], 2, "one of them at a time"),
        (["--roll-back", "--line", "detection"], 2, "--line: segmentation"),
        (["--take", tmp_path], 1, "holds no training"),
    ):
        done = cli("project", "models", project, *arguments)
        assert (done.code, done.err.count("\n")) == (code, 1), done.err
        assert said in done.err
    with Project.open(project):
        done = cli("project", "models", project, "--choose", 2)
        assert done.code == 1
        assert cli("project", "models", project).code == 0, "it is read beside whoever writes it"
    empty = tmp_path / "empty.medview"
    Project.create(empty).close()
    assert cli("project", "models", empty).out == "No model was trained on this project yet.\n"


def test_a_model_of_the_project_is_named_by_its_line(
    cli: Cli, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def noted(run: object, *_given: object) -> dict[str, object]:
        ran.append(run.pack.spec.name + " " + run.pack.spec.id)  # type: ignore[attr-defined]
        return {"cases": [], "done": PATIENTS, "skipped": 0, "failed": 0}

    monkeypatch.setattr(predict_project, "predict_project", noted)
    for name in ("segmentation", "segmentation@2", "m0", "m1@1.0.0"):
        done = cli("predict", name, project, "-o", tmp_path / "out", "--json")
        assert done.code == 0, done.err
    assert ran == [f"Organs (example) v{n} m{n - 1}" for n in (1, 2, 1, 2)]
    done = cli("predict", "segmentation@7", project, "-o", tmp_path / "out")
    assert (done.code, "no model segmentation@7" in done.err) == (1, True)
    judged = cli("evaluate", "segmentation", project, "--against", "segmentation@2", "--json")
    assert judged.code == 0, judged.err
    assert json.loads(judged.out)["comparison"]["model"] == "m1"
