"""The scripted loop behind ``docs/accuracy.md``: what its annotator repairs, who is held out, what is said to differ."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage, stats

from medview.analysis.agreement.bootstrap import weighted_interval
from medview.core.effort_rate import GUESS
from medview.core.reading_status import ReadingStatus
from medview.core.segmentation import SegmentStatus
from medview.io.datasets.splits import make_splits
from medview.io.nifti import read_nifti
from medview.ml.packs import ModelPack
from medview.ml.recipes.reader import recipe_document
from medview.store.project import Project
from medview.workspace.evaluation.comparison import _row
from medview.workspace.evaluation.judging import Headline
from tests.accuracy.loop.annotator import Annotator
from tests.accuracy.loop.asked import asked_of
from tests.accuracy.loop.bench import LoopBench
from tests.accuracy.loop.corrections import changed_voxels, corrected
from tests.accuracy.loop.learning import Dices, Lesson, default_recipe, means
from tests.accuracy.loop.page import counting, section
from tests.accuracy.loop.paired import paired
from tests.accuracy.loop.patients import Patients
from tests.accuracy.loop.rows import ROWS
from tests.accuracy.loop.scene import Scene
from tests.accuracy.loop.sizes import Sizes
from tests.accuracy.trainings.page import page_of
from tests.helpers.loop_data import PHANTOMS, write_phantoms
from tests.ml.small_packs import small_pack


def _disc(row: float, column: float, radius: float, shape: tuple[int, int] = (24, 26)) -> np.ndarray:
    rows, columns = np.indices(shape)
    return (((rows - row) ** 2 + (columns - column) ** 2) < radius**2).astype(np.uint8)


def test_what_is_wrong_by_more_than_a_voxel_is_repaired_whole_and_an_edge_that_is_off_by_one_stays() -> None:
    truth = _disc(12, 13, 6)
    grown = ndimage.binary_dilation(truth).astype(np.uint8)
    assert np.array_equal(corrected(grown, truth), grown)
    bulge = np.maximum(truth, _disc(12, 20, 4))
    assert np.array_equal(corrected(bulge, truth), truth)


def test_pieces_that_are_missing_are_drawn_and_pieces_that_are_not_true_erased_however_small() -> None:
    truth = _disc(6, 6, 4)
    truth[18, 20] = 2
    found = _disc(6, 6, 4)
    found[18, 3] = 1
    assert np.array_equal(corrected(found, truth), truth)
    # Beside the truth, and within a voxel of it, and yet nothing of it is true.
    beside = np.zeros_like(truth)
    beside[17, 20] = 2
    assert np.array_equal(corrected(beside, truth), truth)


def test_what_is_called_by_another_name_is_wrong() -> None:
    truth = _disc(12, 13, 6)
    assert np.array_equal(corrected(truth * 2, truth), truth)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_left_is_within_a_voxel_of_the_truth_and_looking_again_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def map_of(offset: float) -> np.ndarray:
        first = _disc(8 + rng.uniform(-offset, offset), 9 + rng.uniform(-offset, offset), 5)
        second = _disc(15 + rng.uniform(-offset, offset), 16 + rng.uniform(-offset, offset), 4)
        return np.where(second, 2, first).astype(np.uint8)

    truth, found = map_of(0), map_of(4)
    found[rng.random(found.shape) < 0.05] = 1
    left = corrected(found, truth)
    for number in (1, 2):
        near = ndimage.binary_dilation(truth == number)
        assert not ((left == number) & ~near).any()
    core = ndimage.binary_erosion(truth > 0)
    assert ((left > 0) | ~core).all()
    changed = left != found
    assert np.array_equal(left[changed], truth[changed])
    assert np.array_equal(corrected(left, truth), left)


def test_a_voxel_that_goes_from_one_class_to_another_was_taken_away_and_added() -> None:
    before, after = np.array([[0, 1, 1, 2]], dtype=np.uint8), np.array([[0, 1, 2, 0]], dtype=np.uint8)
    assert changed_voxels(before, after, 2) == 3


def test_patients_are_held_out_as_a_project_splits_its_own_and_nobody_is_drawn_twice() -> None:
    names = [f"p{n:03d}" for n in range(60)]
    found = Patients.of(reversed(names))
    splits = make_splits({name: name for name in names}, {})
    assert set(found.val) == {name for name in names if splits[name] == "val"}
    assert set(found.train) == {name for name in names if splits[name] == "train"}
    order = found.order(1)
    assert sorted(order) == sorted(found.train)
    assert order != found.order(2)
    assert order == found.order(1)


def _dices(values: list[float | None], other: float = 0.5) -> Dices:
    return {f"p{n}": {"a": value, "b": other} for n, value in enumerate(values)}


def test_a_difference_is_that_of_medview_evaluate_against_and_by_hand_and_near_to_that_of_scipy() -> None:
    rng = np.random.default_rng(4)
    before, after = rng.uniform(0.7, 0.9, 20), rng.uniform(0.72, 0.92, 20)
    found = paired([_dices(list(before))], [_dices(list(after))], "a")
    assert found.value == pytest.approx(float((after - before).mean()))
    assert found.low is not None
    assert found.high is not None

    def headline(values: np.ndarray) -> Headline:
        def mean(weights: np.ndarray) -> float:
            return float(np.average(values, weights=weights))

        return Headline("dice.a", "Dice", weighted_interval(mean, patients), mean)

    patients = sorted(f"p{n}" for n in range(20))
    order = [int(name[1:]) for name in patients]
    said = _row(headline(before[order]), headline(after[order]), patients)
    assert (said["low"], said["high"]) == pytest.approx((found.low, found.high))
    judge = stats.bootstrap(
        (after - before,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert found.low == pytest.approx(judge.low, abs=0.005)
    assert found.high == pytest.approx(judge.high, abs=0.005)


def test_the_same_patients_with_three_seeds_are_no_more_patients() -> None:
    rng = np.random.default_rng(5)
    before, after = _dices(list(rng.uniform(0.7, 0.9, 12))), _dices(list(rng.uniform(0.7, 0.9, 12)))
    once, thrice = paired([before], [after]), paired([before] * 3, [after] * 3)
    assert thrice.patients == once.patients == 12
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))


def test_a_patient_without_a_figure_counts_on_neither_side() -> None:
    found = paired([_dices([0.5, None, 0.7])], [_dices([0.6, 0.9, None])], "a")
    assert found.value == pytest.approx(0.1)
    assert found.patients == 1
    assert means(_dices([0.5, None, 0.7])) == pytest.approx({"a": 0.6, "b": 0.5, "all": 0.55})


def test_a_lesson_is_the_default_recipe_but_for_its_steps_and_what_going_on_asks_for() -> None:
    base = recipe_document(default_recipe())
    plain, tuned = (Lesson("l", 90, parent=parent).recipe(base) for parent in (None, Path("pack")))
    assert {key for key in base if base[key] != plain[key]} == {"steps", "check_every"}
    assert plain["check_every"] == 45
    assert {key for key in base if base[key] != tuned[key]} == {"steps", "check_every", "options", "schedule"}
    mad = Lesson("l", 9, parent=Path("pack"), rate=1.0).recipe(base)
    assert mad["optimiser"]["rate"] == 1.0
    assert "tune_rate" not in mad["options"]


def test_a_share_makes_trainings_shorter_and_another_folder_and_leaves_the_patients(tmp_path: Path) -> None:
    write_phantoms(tmp_path, 3)
    bench = LoopBench(tmp_path / "work", tmp_path, volumes=PHANTOMS)
    short = replace(bench, share=0.1)
    assert (short.sizes.parent, short.sizes.parent_steps) == (bench.sizes.parent, bench.sizes.parent_steps // 10)
    assert short.sizes.few_minutes == 1.0
    for row in ROWS.values():
        assert short.folder(row, 0) != bench.folder(row, 0) != bench.folder(row, 1)
    other = replace(bench, whole_sizes=replace(bench.sizes, worse_steps=5))
    assert other.folder(ROWS["worse"], 0) != bench.folder(ROWS["worse"], 0)
    assert other.folder(ROWS["ladder"], 0) == bench.folder(ROWS["ladder"], 0)


def _trained(dice: float, verdict: str | None = None) -> dict[str, Any]:
    dices = {f"p{n}": {"Anterior": dice + n / 100, "Posterior": dice - n / 100} for n in range(4)}
    told = {"verdict": verdict, "sentence": "v2 is not better than v1: kept v1."}
    return {"steps": 9, "seconds": 5.0, "dices": dices, "dice": means(dices), **told}


def _played(name: str, seed: int, found: dict[str, Any]) -> dict[str, Any]:
    machine = {"processor": "P", "cores": 2, "torch": "2"}
    return {
        "row": name,
        "seed": seed,
        "found": found,
        "sizes": Sizes().document(),
        "made_utc": "2020-01-01T00:00:00",
        "machine": machine,
    }


def test_the_page_says_what_was_not_run_what_is_reached_and_what_is_missed() -> None:
    nothing = section({})
    assert nothing.count("Not run.") == len(ROWS)
    assert "| a run that is made worse is refused by the gate with every seed | – | not run |" in nothing
    few = {"parent": _trained(0.85), "5": {"scratch": _trained(0.7), "tuned": _trained(0.8)}}
    few["10"] = {"scratch": _trained(0.82), "tuned": _trained(0.81)}
    added = {"before": _trained(0.8), "after": _trained(0.78)}
    worse = {"parent": _trained(0.8), "worse": _trained(0.2, "kept")}
    results = {
        "few-minutes": [_played("few-minutes", seed, few) for seed in (0, 1, 2)],
        "few-steps": [_played("few-steps", 0, few)],
        "added-class": [_played("added-class", seed, added) for seed in (0, 1, 2)],
        "worse": [_played("worse", seed, worse) for seed in (0, 1, 2)],
    }
    reached = {one.asked: one.reached for one in asked_of(results)}
    assert list(reached.values()) == [True, False, None, None, False, True]
    told = page_of({}, results)
    assert "+0.100 (+0.100 to +0.100) | better |" in told
    assert "Seed 0; not run: seed 1, 2." in told
    assert "+0.100 (+0.100 to +0.100); not run: seed 1, 2 | not all seeds |" in told
    assert "Seeds 0, 1, 2. `worse`" in told
    assert told.count("Not run.") == len(ROWS) - 4
    assert "v2 is not better than v1: kept v1." in told


def test_the_model_that_counts_is_the_last_one_that_was_promoted() -> None:
    rounds = [{"verdict": "first"}, {"verdict": "kept"}, {"verdict": "promoted"}, {"verdict": "kept"}]
    assert [rounds.index(one) for one in counting(rounds)] == [0, 0, 2, 2]


def test_rounds_are_told_with_what_the_first_model_would_have_taken() -> None:
    case = {"changed": 120, "minutes": 2.5, "truth": 3000}
    one = {**_trained(0.9, "promoted"), "cases": 45, "effort": [case], "first": [{"changed": 200}], "counts": "v2"}
    told = section({"rounds": [_played("rounds", 0, {"rounds": [_trained(0.85, "first"), one]})]})
    assert "| 1 | 45 | 0.900 | 0.900 | 120 | 200 | 2.50 | 1 promoted |" in told


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A seed of a loop on phantoms, with a project: one class is known of one case and of two that are held out."""
    place = tmp_path_factory.mktemp("loop")
    write_phantoms(place, 20)
    folders = (place / "own", place / "shared")
    recipe = recipe_document(default_recipe())
    scene = Scene("try", 0, *folders, place, PHANTOMS, Sizes(held_out=2), recipe, lambda _line: None)
    _project(scene)
    return scene


def _project(scene: Scene) -> Path:
    return scene.project(scene.folder / "p", scene.order[:1], scene.order[1:4], classes=PHANTOMS.classes[:1])


@pytest.fixture
def scene(made: Scene, tmp_path: Path) -> Scene:
    """The same for one test, whose project is its own."""
    shutil.copytree(made.folder, tmp_path / "own")
    return replace(made, folder=tmp_path / "own")


@pytest.fixture
def pack(tmp_path: Path) -> ModelPack:
    """A model that finds some of everything everywhere."""
    labels = [{"value": n, "name": name, "colour": [200, 40 * n, 40]} for n, name in enumerate(PHANTOMS.classes, start=1)]
    given: dict[str, Any] = {
        "channels": ["MR"],
        "modality": [],
        "dimensions": 3,
        "spacing_kji_mm": [2.0, 1.0, 1.0],
        "shape_kji": None,
        "orientation": "SPL",
        "intensity": [{"op": "zscore"}],
    }
    return small_pack(tmp_path / "pack", input=given, output={"labels": labels, "activation": "softmax"})


def _one_project(scene: Scene) -> tuple[Path, list[int]]:
    """Return the project, and the cases nobody has begun."""
    project = _project(scene)
    numbers = scene.numbers(project)
    return project, [numbers[name] for name in scene.order[1:4]]


def _truth(scene: Scene, project: Path, case_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the true numbers of a case, and those it is labelled with in the project."""
    with Project.open(project, read_only=True) as opened:
        images = opened.worklist.images(case_id)
        row = next(one for one in opened.cases() if one.case_id == case_id)
        labels = opened.load_reading(row.readings[0].reading_id).labels.segmentation
    file = Path(images.sources.paths[0])
    truth = scene.truth(file, read_nifti(file))
    held = np.zeros_like(truth)
    for segment in labels.segments:
        held[labels.layer(segment.layer_id).voxels == segment.value] = 1 + PHANTOMS.classes.index(segment.name)
    return truth, held


def test_what_a_model_proposes_is_repaired_to_the_truth_and_medview_notes_how_much_that_was(
    scene: Scene, pack: ModelPack
) -> None:
    project, (case_id, *_others) = _one_project(scene)
    work = scene.annotate(project, {case_id: None}, pack.folder)[case_id]
    truth, held = _truth(scene, project, case_id)
    assert all(np.array_equal(corrected(now, true), now) for now, true in zip(held, truth, strict=True))
    assert work["left"] == np.count_nonzero(held != truth)
    assert work["left"] < 0.1 * work["truth"]
    assert work["changed"] > 0
    with Project.open(project, read_only=True) as opened:
        (row,) = [one for one in opened.cases() if one.case_id == case_id]
        (of_reading,) = opened.done_efforts()[row.case_id]
        efforts = of_reading.values()
        segments = opened.load_reading(row.readings[0].reading_id).labels.segmentation.segments
        efforts_told = opened.info()["correction_effort"]
    assert row.status is ReadingStatus.DONE
    assert {one.status for one in segments} == {SegmentStatus.DONE}
    # Corrected by a person: no mask of a model that nobody looked at.
    assert all(one.source == one.source.by_hand() for one in segments)
    measured = [one.agreement for one in efforts if one.agreement is not None]
    accepted = {one.label for one in efforts}
    assert accepted
    noted = sum(one.added + one.removed for one in measured)
    drawn = sum(np.count_nonzero(truth == n) for n, name in enumerate(PHANTOMS.classes, 1) if name not in accepted)
    assert work["changed"] == noted + drawn
    slices = int(((held > 0) | (truth > 0)).any(axis=(1, 2)).sum())
    assert slices > 0
    guessed = GUESS.per_segment_s * 2 + GUESS.per_voxel_s * work["changed"]
    # Noted in whole seconds; where one class gives way to another a hand draws once.
    assert work["minutes"] * 60 <= guessed + 1
    assert work["minutes"] * 60 > 0.5 * guessed
    assert efforts_told[0]["cases"] == 1


def test_who_is_broken_off_goes_on_and_nothing_is_proposed_or_done_twice(
    scene: Scene, pack: ModelPack, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, cases = _one_project(scene)
    whole = dict.fromkeys(cases[:2])
    written: list[int] = []
    repair = Annotator._write

    def stops(self: Annotator, case: Any, k: int, *rest: Any) -> None:
        written.append(k)
        if len(written) == 3:
            raise KeyboardInterrupt
        repair(self, case, k, *rest)

    monkeypatch.setattr(Annotator, "_write", stops)
    with pytest.raises(KeyboardInterrupt):
        scene.annotate(project, whole, pack.folder)
    monkeypatch.setattr(Annotator, "_write", repair)
    found = scene.annotate(project, whole, pack.folder)
    assert scene.annotate(project, whole, pack.folder) == found
    for case_id in whole:
        with Project.open(project, read_only=True) as opened:
            (row,) = [one for one in opened.cases() if one.case_id == case_id]
            names = [command.tool for command in opened.load_reading(row.readings[0].reading_id).undo]
        assert names.count("accept") == 1
        truth, held = _truth(scene, project, case_id)
        assert found[case_id]["left"] == np.count_nonzero(held != truth)


def test_of_some_slices_only_those_are_taken_over_repaired_and_marked_done(scene: Scene, pack: ModelPack) -> None:
    project, (case_id, *_others) = _one_project(scene)
    work = scene.annotate(project, {case_id: [(3, 4), (6, 6)]}, pack.folder)[case_id]
    truth, held = _truth(scene, project, case_id)
    looked = [3, 4, 6]
    assert not held[[k for k in range(len(held)) if k not in looked]].any()
    assert all(np.array_equal(corrected(held[k], truth[k]), held[k]) for k in looked)
    assert work["truth"] == np.count_nonzero(truth[looked])
    with Project.open(project, read_only=True) as opened:
        (row,) = [one for one in opened.cases() if one.case_id == case_id]
        assert opened.load_reading(row.readings[0].reading_id).labels.marks.done(0) == tuple(looked)


def test_a_case_that_was_done_is_opened_again_for_a_class_that_is_added(scene: Scene) -> None:
    project = _project(scene)
    case_id = scene.numbers(project)[scene.order[0]]
    _truth_now, before = _truth(scene, project, case_id)
    assert set(np.unique(before)) == {0, 1}
    for _twice in range(2):
        scene.annotate(project, {case_id: None}, None, again=True)
    truth, held = _truth(scene, project, case_id)
    assert np.array_equal(held, truth)
    assert np.array_equal(held == 1, before == 1)
