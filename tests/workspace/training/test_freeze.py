"""A training is made of reviewed labels alone, whole or not at all, and needs the project no more."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import AmbiguousError, ModelError, ReadError, WriteError
from medview.core.job import Inline
from medview.io.datasets.neutral_read import read_neutral
from medview.io.reader_pool import InlinePool
from medview.ml.guards.finding import Severity
from medview.ml.packs import ModelPack, load_pack
from medview.ml.recipes.table import choose
from medview.ml.runs.folder import RunFolder
from medview.ml.spec import Task
from medview.ml.training.classification.task import ClassificationTask
from medview.store.project import Project
from medview.workspace.export_selection import Include
from medview.workspace.training.examples import examples_of
from medview.workspace.training.freeze import MARKED, MARKER, GuardedError, Wanted, _of_target, freeze
from tests.helpers.dataset_folders import MadeCase, write_dataset
from tests.helpers.parents import random_parent
from tests.workspace.exported import labelled


def pictures(folder: Path, count: int = 10, *, same: bool = False, status: str = "done") -> Path:
    cases = []
    for n in range(count):
        voxels = np.random.default_rng(0 if same else n).integers(0, 200, (1, 12, 12)).astype(np.uint8)
        label = {"label": ("a", "b")[n // 2 % 2], "probability": None, "source": "hand", "says": "present"}
        said = {"image_labels": [label], "status": status if n == 0 else "done"}
        split = ("train", "train", "train", "val", "test")[n % 5]
        cases.append(MadeCase(voxels, patient=f"P{n}", split=split, said=said))
    write_dataset(folder, cases)
    return folder


def wanted(source: Path, task: Task = Task.CLASSIFICATION, **more: object) -> Wanted:
    return replace(Wanted(source, task, choose(Task.CLASSIFICATION), confirmed=True), **more)  # type: ignore[arg-type]


def frozen(what: Wanted, folder: Path) -> tuple[RunFolder, list[str]]:
    said: list[str] = []

    def told(sentences: Sequence[str]) -> None:
        said.extend(sentences)

    return freeze(what, folder, Inline(), InlinePool(), told), said


def test_a_dataset_folder_is_frozen_with_its_hashes_and_outlives_its_source(tmp_path: Path) -> None:
    source = pictures(tmp_path / "Chest pictures")
    run, _ = frozen(wanted(source, seed=5, minutes=3.0), tmp_path / "run")
    shutil.rmtree(source)
    settings = run.settings()
    assert (settings.seed, settings.minutes, settings.model_id) == (5, 3.0, "chest-pictures-classification")
    dataset = read_neutral(run.dataset)
    assert settings.splits_sha256 == dataset.facts["splits_sha256"]
    assert len(settings.dataset_sha256) == 64
    assert not (run.path / MARKER).exists()


def test_cases_that_nobody_marked_done_are_left_out_and_said(tmp_path: Path) -> None:
    _, said = frozen(wanted(pictures(tmp_path / "d", status="in work")), tmp_path / "run")
    assert "1 case is left out: it is not done." in said


def test_of_a_dataset_folder_too_only_approved_cases_are_learnt_where_that_is_wanted(tmp_path: Path) -> None:
    first = read_neutral(pictures(tmp_path / "first"))
    cases = []
    for n, case in enumerate(first.cases):
        said = {"image_labels": case.said["image_labels"], "status": "done" if n == 1 else "approved"}
        cases.append(MadeCase(np.array(case.image().voxels), patient=case.patient, split=case.split, said=said))
    write_dataset(tmp_path / "d", cases)
    run, said_of = frozen(wanted(tmp_path / "d", include=Include.APPROVED), tmp_path / "run")
    assert run.settings().left_out == (first.cases[1].key,)
    assert "1 case is left out: it is not approved." in said_of
    with pytest.raises(ModelError, match="No case of first is approved"):
        frozen(wanted(tmp_path / "first", include=Include.APPROVED), tmp_path / "none")


def test_classifiers_of_one_project_that_learn_other_things_are_other_models(tmp_path: Path) -> None:
    source = pictures(tmp_path / "d")
    made = [frozen(wanted(source, target=name), tmp_path / name)[0].settings() for name in ("labels", "a", "b")]
    assert [one.model_id for one in made] == ["d-classification", "d-classification-a", "d-classification-b"]
    assert [one.model_name for one in made] == ["d: classification", "d: a", "d: b"]
    long = (
        "Is there an artefact of motion in the upper lobe?",
        "Is there an artefact of motion in the lower lobe?",
        "動き",
    )
    found = [_of_target(one) for one in long]
    assert len(set(found)) == 3
    assert all(re.fullmatch(r"(-[a-z0-9]+)+", one) and len(one) <= 26 for one in found)


def test_labels_from_elsewhere_are_taken_when_somebody_says_that_they_are_good(tmp_path: Path) -> None:
    run, said = frozen(wanted(pictures(tmp_path / "d", status="in work"), include=Include.ALL), tmp_path / "run")
    assert not any("not done" in sentence for sentence in said)
    assert run.settings().unfinished


def test_pictures_on_both_sides_of_the_split_stop_it_and_leave_nothing(tmp_path: Path) -> None:
    source = pictures(tmp_path / "d", same=True)
    with pytest.raises(ModelError):
        frozen(wanted(source), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_training_cases_that_are_in_validation_too_are_left_out_when_that_is_wanted(tmp_path: Path) -> None:
    first = read_neutral(pictures(tmp_path / "first", count=20))
    source, cases = tmp_path / "d", []
    for n, case in enumerate(first.cases):
        # The first training case shows what the first validation case shows, and is of its patient.
        shown = first.cases[3] if n == 0 else case
        said = {key: case.said[key] for key in ("image_labels", "status")}
        cases.append(MadeCase(np.array(shown.image().voxels), patient=shown.patient, split=case.split, said=said))
    write_dataset(source, cases)
    with pytest.raises(ModelError, match="case_0001"):
        frozen(wanted(source), tmp_path / "run")
    run, said_of = frozen(wanted(source, without_leaks=True), tmp_path / "run")
    assert run.settings().left_out == ("case_0001",)
    assert "1 case is left out: its picture or patient is in another split." in said_of
    # Whoever opens the training later reads it, too.
    told = json.loads(run.guards.read_text())["told"]
    assert set(told) == set(said_of)
    assert len(told) == len(set(told))


def test_a_recipe_that_trains_the_head_first_asks_for_weights_to_begin_with(tmp_path: Path) -> None:
    source, recipe = pictures(tmp_path / "d"), choose(Task.CLASSIFICATION, "classification-resnet18-frozen")
    with pytest.raises(ModelError, match="--parent, or weights"):
        frozen(wanted(source, recipe=recipe), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    given = replace(recipe, options={**recipe.options, "weights": "/models/resnet18.safetensors"})
    assert frozen(wanted(source, recipe=given), tmp_path / "run")[0].settings().recipe == given


def test_a_finding_has_to_be_confirmed(tmp_path: Path) -> None:
    source = pictures(tmp_path / "d", count=5)
    with pytest.raises(GuardedError, match="--yes") as refused:
        frozen(wanted(source, confirmed=False), tmp_path / "run")
    run, _ = frozen(wanted(source), tmp_path / "run")
    assert run.guards.is_file()
    # Whoever confirms by the sentence has read it; another one asks again.
    read = {one.sentence for one in refused.value.report.of(Severity.CONFIRM)}
    with pytest.raises(GuardedError):
        frozen(wanted(source, confirmed={"Something else."}), tmp_path / "other")
    frozen(wanted(source, confirmed=read), tmp_path / "other")


def test_what_a_killed_one_left_is_made_anew_and_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    source = pictures(tmp_path / "d")
    run = tmp_path / "run"
    (run / "dataset" / "images").mkdir(parents=True)
    (run / "dataset" / "images" / "half.npy").write_bytes(b"x")
    with pytest.raises(WriteError, match="not empty"):
        frozen(wanted(source), run)
    assert (run / "dataset" / "images" / "half.npy").exists()
    (run / MARKER).write_bytes(MARKED)
    made, _ = frozen(wanted(source), run)
    assert not (run / "dataset" / "images" / "half.npy").exists()
    with pytest.raises(WriteError, match="--run"):
        frozen(wanted(source), run)
    assert made.settings().seed == 0


def test_a_folder_of_somebody_else_is_never_cleared_whatever_it_holds(tmp_path: Path) -> None:
    source, run = pictures(tmp_path / "d"), tmp_path / "heart"
    (run / "unfinished").mkdir(parents=True)
    (run / "scan.nii.gz").write_bytes(b"x")
    for marked in (b"", b"mine", MARKED):
        if marked:
            (run / MARKER).write_bytes(marked)
        with pytest.raises(WriteError, match="not empty"):
            frozen(wanted(source), run)
        assert (run / "scan.nii.gz").read_bytes() == b"x"


def test_what_is_neither_project_nor_dataset_is_said(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(ReadError, match="neither a project nor a dataset"):
        frozen(wanted(tmp_path / "x"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_project_keeps_the_splits_its_training_made_and_is_not_needed_again(tmp_path: Path) -> None:
    made = labelled(tmp_path / "in", unsure=True)
    run, _ = frozen(wanted(made.project, Task.SEGMENTATION), tmp_path / "run")
    with Project.open(made.project, read_only=True) as project:
        splits = [row.split for row in project.cases()]
    assert all(splits)
    assert {case.split for case in read_neutral(run.dataset).cases} == {s.replace("validation", "val") for s in splits}


def test_an_experiment_goes_on_no_model_line(tmp_path: Path) -> None:
    made = labelled(tmp_path / "in", unsure=True)
    usual, _ = frozen(wanted(made.project, Task.SEGMENTATION), tmp_path / "run")
    apart, _ = frozen(wanted(made.project, Task.SEGMENTATION, apart=True), tmp_path / "apart")
    assert usual.read_json(usual.line) is not None
    assert apart.read_json(apart.line) is None


def parent_of(source: Path, folder: Path) -> ModelPack:
    """Return a model for the pictures of a dataset folder."""
    examples = examples_of(read_neutral(source), Task.CLASSIFICATION)
    recipe = replace(choose(Task.CLASSIFICATION), network_options={"width": 8})
    return random_parent(folder, ClassificationTask(), examples, recipe)


def test_a_recipe_is_frozen_as_its_parent_wants_it_and_the_parent_with_it(tmp_path: Path) -> None:
    source = pictures(tmp_path / "d")
    parent = parent_of(source, tmp_path / "parent")
    run, _ = frozen(wanted(source, parent=parent, tune="head", renames={"A": "b", "B": "a"}), tmp_path / "run")
    settings, usual = run.settings(), choose(Task.CLASSIFICATION)
    assert settings.recipe.optimiser.rate < usual.optimiser.rate
    assert (settings.recipe.options["tune"], settings.renames) == ("head", {"A": "b", "B": "a"})
    assert load_pack(run.parent).digest == parent.digest
    guards = run.read_json(run.guards)
    assert guards is not None
    assert any("renamed: b as a, a as b" in one["sentence"] for one in guards["findings"])


def test_a_recipe_that_speaks_against_its_parent_makes_no_folder(tmp_path: Path) -> None:
    source = pictures(tmp_path / "d")
    parent = parent_of(source, tmp_path / "parent")
    other = choose(Task.CLASSIFICATION, "classification-resnet18")
    with pytest.raises(ModelError, match=r"trains resnet18 and .* is small_cnn"):
        frozen(wanted(source, parent=parent, recipe=other, recipe_given=True), tmp_path / "run")
    with pytest.raises(AmbiguousError, match="name one with --parent"):
        frozen(wanted(source, renames={"a": "b"}), tmp_path / "run")
    with pytest.raises(AmbiguousError, match="has no class q"):
        frozen(wanted(source, parent=parent, renames={"q": "b"}), tmp_path / "run")
    assert not (tmp_path / "run").exists()
