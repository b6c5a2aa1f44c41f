"""From a project to a training and back: both models are judged on the same cases, and only a better one takes over."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from medview.core.errors import DeviceError, ModelError, ReadError, WriteError
from medview.core.job import Inline
from medview.io.datasets.neutral_read import read_neutral
from medview.ml.outputs import SegmentationOutput
from medview.ml.packs import ModelPack, load_pack
from medview.ml.runs.events import read_events
from medview.ml.runs.folder import RunFolder
from medview.ml.spec import Task
from medview.store.project import Project
from medview.workspace.evaluation import evaluate
from medview.workspace.model_line import ModelLines, Verdict
from medview.workspace.training import gate_run, line_of_run
from medview.workspace.training import judged as judged_module
from medview.workspace.training.child import train_run
from medview.workspace.training.examples import examples_of
from medview.workspace.training.freeze import GuardedError
from medview.workspace.training.gate_run import GateRun, Rival, renamed
from medview.workspace.training.judgements import Judgements
from medview.workspace.training.line_of_run import take_home, take_run, waiting_runs
from tests.ml.small_packs import document
from tests.workspace.training.lines import VALIDATION, frozen_run, made_pack, project_of, trained

LINE = "segmentation"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelPack]:
    """One that finds what the labels say, and others that are further and further from it."""
    room = tmp_path_factory.mktemp("packs")
    noises = {"exact": 0.0, "good": 0.0015, "poor": 0.003, "bad": 0.01}
    return {name: made_pack(room / name, noise, id=name) for name, noise in noises.items()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, packs: dict[str, ModelPack]) -> Path:
    return project_of(tmp_path_factory.mktemp("made"), packs["exact"])


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "hippo.medview"))


def gate_of(run: RunFolder) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run.gate.read_text())
    return found


def current_of(project: Path) -> int:
    with Project.open(project, read_only=True) as opened:
        current = ModelLines(opened).current(LINE)
    return 0 if current is None else current.version


def test_worse_is_refused_equal_is_kept_better_is_promoted_and_the_project_knows_why(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = []
    for number, name in enumerate(("poor", "bad", "poor", "good"), start=1):
        run = frozen_run(project, tmp_path / f"run-{number}")
        # The same weights in another training are another pack.
        pack = made_pack(
            tmp_path / f"pack-{number}", {"poor": 0.003, "bad": 0.01, "good": 0.0015}[name], id=f"{name}{number}"
        )
        result = trained(run, pack, monkeypatch)
        gate = gate_of(run)
        assert result["gate"] == {"verdict": gate["verdict"], "sentence": gate["sentence"]}
        verdicts.append(gate["verdict"])
        page = run.report_page.read_text()
        assert ("The current model is kept" in page) == (gate["verdict"] == "kept")
        assert [event["verdict"] for event in read_events(run.events) if event["kind"] == "gate"] == [gate["verdict"]]
        assert json.loads(run.taken.read_text())["version"] == number
    assert verdicts == ["first", "kept", "kept", "promoted"]
    with Project.open(project) as opened:
        lines = ModelLines(opened)
        assert [one.verdict.value for one in lines.versions(LINE)] == verdicts
        assert [one.parent for one in lines.versions(LINE)] == [None, 1, 1, 1]
        assert lines.versions(LINE)[1].reason.startswith("v2 is not better than v1: kept v1. ")
        assert lines.versions(LINE)[2].reason.startswith("v3 is not better than v1: kept v1. Dice ")
        promoted = lines.versions(LINE)[3]
        assert promoted.reason.startswith("v4 is better than v1: Dice ")
        assert promoted.gate is not None
        assert promoted.gate["patients"] == VALIDATION
        assert len(promoted.gate["by_case"]) == VALIDATION
        assert current_of(project) == 4
        assert lines.roll_back(LINE).version == 1
        assert opened.verify().problems == ()
    # The next one is compared with what was gone back to.
    run = frozen_run(project, tmp_path / "run-5")
    assert trained(run, packs["exact"], monkeypatch)["gate"]["sentence"].startswith("v5 is better than v1: ")


def test_what_was_judged_before_is_not_run_again(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    known = evaluate.evaluate_pack

    def counted(pack: ModelPack, *given: Any, **more: Any) -> Any:
        judged.append(pack.spec.id)
        return known(pack, *given, **more)

    monkeypatch.setattr("medview.workspace.training.gate_run.evaluate_pack", counted)
    trained(frozen_run(project, tmp_path / "a"), packs["good"], monkeypatch)
    trained(frozen_run(project, tmp_path / "b"), packs["bad"], monkeypatch)
    assert judged == [], "it was judged when it was trained"
    shutil.rmtree(project / "models" / "judged")
    run = frozen_run(project, tmp_path / "c")
    trained(run, packs["poor"], monkeypatch)
    assert judged == ["good"]
    stages = [event["name"] for event in read_events(run.events) if event["kind"] == "stage"]
    assert stages == ["judge", "evaluate"], "before the steps are planned: its time is part of the training's"
    # A validation case that is new is the only one it runs on.
    cases: list[int] = []
    monkeypatch.setattr(evaluate._Run, "take", _noting(cases, evaluate._Run.take))
    file = next((project / "models" / "judged").glob(f"{packs['good'].digest[:12]}*"), None)
    assert file is None, "names are of the pack as it was carded"
    with Project.open(project) as opened:
        current = ModelLines(opened).current(LINE)
        assert current is not None
        file = project / "models" / "judged" / f"{current.digest[:12]}.json"
        told = json.loads(file.read_text())
        told["cases"].pop(next(iter(told["cases"])))
        file.write_text(json.dumps(told))
    trained(frozen_run(project, tmp_path / "d"), made_pack(tmp_path / "other", 0.004, id="other"), monkeypatch)
    assert cases == [1] * (1 + VALIDATION)


def _noting(cases: list[int], take: Any) -> Any:
    def taken(*given: Any) -> None:
        cases.append(1)
        take(*given)

    return taken


def test_a_project_that_is_open_elsewhere_takes_the_model_up_later(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = frozen_run(project, project / "runs" / "segmentation-1")
    with Project.open(project) as opened:
        trained(run, packs["good"], monkeypatch)
        assert not run.taken.exists()
        notes = [event["text"] for event in read_events(run.events) if event["kind"] == "note"]
        assert f"medview project models {project} --take {run.path}" in notes[-1]
        lines = ModelLines(opened)
        assert waiting_runs(lines, project) == (run.path,)
        taken = take_run(lines, opened, run.path)
        assert (taken.version, taken.verdict, taken.run) == (1, Verdict.FIRST, "segmentation-1")
        assert waiting_runs(lines, project) == ()
        assert take_run(lines, opened, run.path) == taken, "again changes nothing"
        told = run.taken.read_text()
        run.taken.unlink()
        assert waiting_runs(lines, project) == (), "it is a version, though it was ended before it could be written down"
        assert take_run(lines, opened, run.path) == taken
        assert run.taken.read_text() == told
        assert lines.versions(LINE) == (taken,)
        run.taken.unlink()
        run.line.unlink()
        assert waiting_runs(lines, project) == (), "an experiment waits for nobody"
    assert take_home(run.path) == ""


def test_where_another_version_came_to_count_meanwhile_both_are_compared_anew(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(frozen_run(project, tmp_path / "a"), packs["bad"], monkeypatch)
    early, late = frozen_run(project, tmp_path / "b"), frozen_run(project, tmp_path / "c")
    with Project.open(project) as opened:
        for run, name in ((early, "exact"), (late, "good")):
            trained(run, packs[name], monkeypatch)
        assert [gate_of(run)["verdict"] for run in (early, late)] == ["promoted", "promoted"]
        lines = ModelLines(opened)
        first, second = (take_run(lines, opened, run.path, Inline()) for run in (early, late))
    assert (first.version, first.verdict) == (2, Verdict.PROMOTED)
    assert (second.version, second.verdict, second.parent) == (3, Verdict.KEPT, 2)
    assert second.reason.startswith("v3 is not better than v2: kept v2.")
    assert gate_of(late)["sentence"] == second.reason


def test_what_a_person_chooses_while_both_are_compared_is_what_the_new_one_has_to_be_better_than(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bad", "good"):
        trained(frozen_run(project, tmp_path / name), packs[name], monkeypatch)
    run = frozen_run(project, tmp_path / "c")
    with Project.open(project) as opened:
        trained(run, packs["exact"], monkeypatch)
        assert gate_of(run)["current"]["title"] == "v2"
        lines, compared = ModelLines(opened), []

        def gone_back(*given: Any) -> Any:
            compared.append(given[-1].version)
            if len(compared) == 1:
                lines.roll_back(LINE)
            return taken_known(*given)

        taken_known = line_of_run._taken
        monkeypatch.setattr(line_of_run, "_taken", gone_back)
        taken = take_run(lines, opened, run.path)
        assert compared == [2, 1]
        assert (taken.version, taken.parent, taken.verdict) == (3, 1, Verdict.PROMOTED)
        assert taken.reason.startswith("v3 is better than v1: ")
        assert [one.version for one in lines.history(LINE)] == [1, 2, 1, 3]


def test_trainings_are_taken_where_the_pack_that_counted_is_gone_and_it_comes_back_with_its_own(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = frozen_run(project, tmp_path / "a")
    trained(first, packs["good"], monkeypatch)
    with Project.open(project) as opened:
        version = ModelLines(opened).current(LINE)
    assert version is not None
    assert version.folder is not None
    shutil.rmtree(version.folder)
    run = frozen_run(project, tmp_path / "b")
    trained(run, packs["poor"], monkeypatch)
    assert json.loads(run.taken.read_text())["version"] == 2
    with Project.open(project) as opened:
        lines = ModelLines(opened)
        current = lines.current(LINE)
        assert current is not None
        assert (current.version, current.verdict) == (2, Verdict.FIRST)
        assert current.reason == "v2 could be compared with none: the pack of v1, which counted until now, is gone."
        assert take_run(lines, opened, first.path) == version
        assert opened.verify().problems == ()
        assert current_of(project) == 2


def test_a_training_whose_folder_takes_no_more_files_is_taken_all_the_same(
    project: Path, packs: dict[str, ModelPack], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = frozen_run(project, project / "runs" / "segmentation-1")
    with Project.open(project) as opened:
        trained(run, packs["good"], monkeypatch)
        lines = ModelLines(opened)

        def refused(*_given: object) -> None:
            raise WriteError("gate.json was not written.")

        with monkeypatch.context() as patched:
            patched.setattr(RunFolder, "write_json", refused)
            assert take_run(lines, opened, run.path).version == 1
        assert not run.taken.exists()
        assert waiting_runs(lines, project) == ()


def test_weights_that_have_learnt_from_a_held_out_case_do_not_begin_a_training_and_it_counts_for_nobody(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(frozen_run(project, tmp_path / "a"), packs["poor"], monkeypatch)
    with Project.open(project) as opened:
        # The leak: a case that v1 was trained on becomes a validation case.
        moved = next(case for case in opened.cases() if case.split == "train")
        opened.worklist.set_split([moved.case_id], "validation")
        current = ModelLines(opened).current(LINE)
        (parent,) = ModelLines(opened).packs()
    assert current is not None
    assert current.learnt is not None
    assert (len(current.learnt["pixels"]), len(current.learnt["patients"])) == (5, 5)
    with pytest.raises(GuardedError, match=r"v1, which this training begins with, has learnt from 1 held-out case") as said:
        frozen_run(project, tmp_path / "b", parent)
    assert said.value.blocked
    # Left out of validation when that is wanted.
    run = frozen_run(project, tmp_path / "c", parent, without_leaks=True)
    assert len(run.settings().left_out) == 1
    # From the beginning it may be trained, but nobody is compared on it.
    run = frozen_run(project, tmp_path / "d")
    trained(run, packs["exact"], monkeypatch)
    gate = gate_of(run)
    assert (gate["cases"], len(gate["left_out"]["seen"])) == (VALIDATION, 1)
    assert "1 held-out case did not count, since v1" in gate["sentence"]
    assert gate["verdict"] == "promoted"


def test_a_class_that_somebody_renamed_is_compared_and_the_verdict_tells_both_names(
    tmp_path: Path, packs: dict[str, ModelPack], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(tmp_path / "p", packs["exact"])
    old = made_pack(tmp_path / "old", 0.01, names=("Lungs", "Spot"), id="old")
    with Project.open(project) as opened:
        ModelLines(opened).add(LINE, old, Verdict.FIRST, reason="From elsewhere.")
        (parent,) = ModelLines(opened).packs()
    run = frozen_run(project, tmp_path / "run", parent, tune="head", renames={"Spot": "Nodule"})
    said = trained(run, packs["exact"], monkeypatch)["gate"]["sentence"]
    told = [{"from": "Spot", "to": "Nodule"}]
    assert gate_of(run)["classes"] == {"kept": ["Lungs", "Nodule"], "added": [], "gone": [], "renamed": told}
    assert said.startswith("v2 is better than v1: ")
    assert said.endswith("What was called Spot is called Nodule now.")


def test_a_class_is_renamed_whatever_the_case_of_its_name(packs: dict[str, ModelPack], tmp_path: Path) -> None:
    old = made_pack(tmp_path / "old", names=("Lungs", "Spot on lung"), id="old")
    output = renamed(old, {"spot  ON lung": "Nodule"}).spec.output
    assert isinstance(output, SegmentationOutput)
    assert [one.name for one in output.labels] == ["Lungs", "Nodule"]
    assert renamed(old, {}) is old


def test_models_are_compared_where_the_training_was_told_to_run(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    judge_pack = evaluate.evaluate_pack

    def judged(pack: ModelPack, examples: Any, split: str, context: Any, settings: Any = None) -> Any:
        asked.append("default" if settings is None else settings.device)
        return judge_pack(pack, examples, split, context, settings)

    monkeypatch.setattr(gate_run, "evaluate_pack", judged)
    monkeypatch.setattr(judged_module, "evaluate_pack", judged)
    trained(frozen_run(project, tmp_path / "a"), packs["bad"], monkeypatch)
    trained(frozen_run(project, tmp_path / "b"), packs["exact"], monkeypatch)
    assert asked
    assert set(asked) == {"cpu"}


def test_a_computer_that_could_not_run_the_model_that_counts_is_no_reason_to_leave_cases_out(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(frozen_run(project, tmp_path / "a"), packs["bad"], monkeypatch)
    run = frozen_run(project, tmp_path / "b")
    judge_pack, tries = evaluate.evaluate_pack, []

    def judged(pack: ModelPack, examples: Any, split: str, context: Any, settings: Any = None) -> Any:
        tries.append(len(examples.examples))
        if len(tries) == 1:
            raise DeviceError("There is not enough memory on the graphics card.")
        return judge_pack(pack, examples, split, context, settings)

    # Of one case nothing is known any more, as of one that came since.
    told = json.loads((run.judged / "current.json").read_text())
    (run.judged / "current.json").write_text(json.dumps({**told, "cases": dict(list(told["cases"].items())[1:])}))
    monkeypatch.setattr(gate_run, "evaluate_pack", judged)
    trained(run, packs["exact"], monkeypatch)
    assert gate_of(run)["left_out"]["current_failed"] == []
    assert gate_of(run)["cases"] == VALIDATION
    assert len(tries) >= 2


def test_a_class_that_its_code_makes_the_same_is_told_as_renamed(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path
) -> None:
    code = {"scheme": "SCT", "value": "27925004", "meaning": "Nodule"}
    output = document("segmentation")["output"]
    lungs, spot = output["labels"]
    named = [{**lungs, "name": "lungs", "code": None}, {**spot, "name": "Spot", "code": code}]
    old = made_pack(tmp_path / "old", 0.01, id="old", output={**output, "labels": named})
    run = frozen_run(project, tmp_path / "run", old)
    dataset = read_neutral(run.dataset, check=False)
    examples = examples_of(dataset, Task.SEGMENTATION)
    coded = replace(examples, classes=(examples.classes[0], replace(examples.classes[1], code=code)))
    gate = GateRun(run, dataset, coded, {}, Rival(old, "v1", 1)).decide_again(packs["exact"], Inline())
    renamed = [{"from": "Spot", "to": "Nodule"}]
    assert gate["classes"] == {"kept": ["Lungs", "Nodule"], "added": [], "gone": [], "renamed": renamed}


def test_what_a_version_has_learnt_from_is_passed_on_to_those_that_begin_with_it(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(frozen_run(project, tmp_path / "a"), packs["poor"], monkeypatch)
    with Project.open(project) as opened:
        (parent,) = ModelLines(opened).packs()
        moved = next(case for case in opened.cases() if case.split == "train")
        opened.worklist.set_split([moved.case_id], "test")
    with pytest.raises(GuardedError, match=r"has learnt from 1 held-out case: case_\d+ \(test\)"):
        frozen_run(project, tmp_path / "b", parent)
    run = frozen_run(project, tmp_path / "b", parent, without_leaks=True)
    trained(run, packs["exact"], monkeypatch)
    with Project.open(project) as opened:
        first, second = ModelLines(opened).versions(LINE)
    assert first.learnt is not None
    assert second.learnt is not None
    assert set(second.learnt["pixels"]) == set(first.learnt["pixels"])


def test_a_class_that_was_added_takes_the_new_model_in(
    tmp_path: Path, packs: dict[str, ModelPack], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(tmp_path / "p", packs["exact"])
    old = made_pack(tmp_path / "old", names=("Lungs", "Vessel"), id="old")
    with Project.open(project) as opened:
        ModelLines(opened).add(LINE, old, Verdict.FIRST, reason="From elsewhere.")
    run = frozen_run(project, tmp_path / "run")
    said = trained(run, packs["exact"], monkeypatch)["gate"]["sentence"]
    gate = gate_of(run)
    assert gate["classes"] == {"kept": ["Lungs"], "added": ["Nodule"], "gone": ["Vessel"], "renamed": []}
    assert said.startswith("v2 finds Nodule (Dice 1.000) as well and is no worse than v1 in what both find: ")
    assert said.endswith("It no longer finds Vessel.")
    assert current_of(project) == 2


def test_a_training_of_a_dataset_folder_is_compared_with_what_it_began_with(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = frozen_run(project, tmp_path / "a").dataset
    run = frozen_run(source, tmp_path / "b", packs["good"])
    result = trained(run, packs["bad"], monkeypatch)
    assert result["gate"]["verdict"] == "kept"
    assert result["gate"]["sentence"].startswith(
        "The new model is not better than Organs (example): kept Organs (example)."
    )
    assert "gate" not in trained(frozen_run(source, tmp_path / "c"), packs["bad"], monkeypatch)
    with Project.open(project) as opened, pytest.raises(ModelError, match=r"b was not trained on hippo\.medview"):
        take_run(ModelLines(opened), opened, run.path)


def test_what_is_not_finished_is_not_taken(project: Path, tmp_path: Path) -> None:
    run = frozen_run(project, tmp_path / "a")
    with Project.open(project) as opened, pytest.raises(ReadError, match=r"not finished yet; go on with it"):
        take_run(ModelLines(opened), opened, run.path)


def test_a_model_that_counts_and_cannot_run_here_is_kept_and_said(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flat = made_pack(
        tmp_path / "ct",
        id="ct",
        input={**json.loads((packs["good"].folder / "model.json").read_text())["input"], "channels": ["a", "b"]},
        network={"name": "unet3d", "kwargs": {"in_channels": 2, "classes": 3, "channels": [4, 6]}},
    )
    with Project.open(project) as opened:
        ModelLines(opened).add(LINE, flat, Verdict.FIRST, reason="From elsewhere.")
    run = frozen_run(project, tmp_path / "a")
    said = trained(run, packs["exact"], monkeypatch)["gate"]["sentence"]
    assert said.startswith("v2 could not be compared with v1, which was kept: ")
    assert current_of(project) == 1


def test_what_failed_at_the_beginning_is_tried_again_and_what_cannot_be_kept_refuses_no_model(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(frozen_run(project, tmp_path / "a"), packs["bad"], monkeypatch)
    run = frozen_run(project, tmp_path / "b")
    judge_known, tries = GateRun._judge, []

    def judged(*given: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise ModelError("There is not enough memory on the graphics card.")
        return judge_known(*given)

    def full(*_given: object) -> None:
        raise WriteError("current.json was not written: the disk is full.")

    monkeypatch.setattr(GateRun, "_judge", judged)
    monkeypatch.setattr(Judgements, "write", full)
    said = trained(run, packs["exact"], monkeypatch)["gate"]["sentence"]
    assert said.startswith("v2 is better than v1: ")
    assert len(tries) == 2


def test_a_real_training_is_judged_beside_the_version_it_began_with(project: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        with Project.open(project, read_only=True) as opened:
            parent = next(iter(ModelLines(opened).packs()), None)
        run = frozen_run(project, tmp_path / f"run-{number}", parent)
        assert not run.current.exists(), "what it begins with is there once"
        result = train_run(run.path, Inline(), lambda: False)
        assert json.loads(run.taken.read_text())["version"] == number
        assert result["gate"]["sentence"].startswith(f"v{number} ")
    gate = gate_of(run)
    assert gate["current"]["title"] == "v1"
    assert gate["patients"] == VALIDATION
    stages = [event["name"] for event in read_events(run.events) if event["kind"] == "stage"]
    assert stages[0] == "judge"
    assert stages[-1] == "evaluate"


def test_a_pack_carries_what_it_has_learnt_from_to_where_nobody_knows_it(
    project: Path, packs: dict[str, ModelPack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = frozen_run(project, tmp_path / "a")
    trained(run, packs["poor"], monkeypatch)
    elsewhere = load_pack(run.pack)
    said = (run.pack / "training_cases.json").read_text()
    with Project.open(project) as opened:
        version = ModelLines(opened).current(LINE)
        assert version is not None
        assert version.learnt is not None
        assert not any(pixels[:20] in said for pixels in version.learnt["pixels"]), "nothing that stands elsewhere"
        moved = next(case for case in opened.cases() if case.split == "train")
        opened.worklist.set_split([moved.case_id], "validation")
    source = frozen_run(project, tmp_path / "b").dataset
    with pytest.raises(GuardedError, match="has learnt from 1 held-out case"):
        frozen_run(source, tmp_path / "c", elsewhere)
    run = frozen_run(source, tmp_path / "c", elsewhere, without_leaks=True)
    trained(run, packs["exact"], monkeypatch)
    # What it began with is passed on.
    assert set(json.loads(said)["cases"]) <= set(json.loads((run.pack / "training_cases.json").read_text())["cases"])
