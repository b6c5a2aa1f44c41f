"""What augmentation makes is drawn with its seed, for masks and for boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medview.cli.main import run_command
from medview.core.errors import ModelError
from medview.core.job import Inline
from medview.io.datasets.neutral_read import read_neutral
from medview.ml.examples import ExampleSet, TrainingClass, TrueBox, Truth
from medview.ml.recipes.table import choose
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.spec import Task
from medview.workspace.training.augment_sheet import write_sheet
from medview.workspace.training.examples import examples_of
from tests.helpers.dataset_folders import MadeCase, segment, write_dataset
from tests.helpers.segmentation_training import example_of, phantom_case, phantom_set

RECIPE = choose(Task.SEGMENTATION)


def _pixels(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file))


def test_a_sheet_shows_examples_and_samples_with_outlines_in_the_colours_of_the_classes(tmp_path: Path) -> None:
    examples = phantom_set(4)
    assert write_sheet(examples, RECIPE, 3, tmp_path / "a.png", Inline()) == 3
    picture = _pixels(tmp_path / "a.png")
    for one in examples.classes:
        columns = np.flatnonzero((picture == one.colour).all(axis=2).any(axis=0))
        # Beside the example itself there are four samples.
        assert len(np.unique(columns * 5 // picture.shape[1])) == 5
    write_sheet(examples, RECIPE, 3, tmp_path / "again.png", Inline())
    write_sheet(examples, RECIPE, 9, tmp_path / "other.png", Inline())
    np.testing.assert_array_equal(picture, _pixels(tmp_path / "again.png"))
    assert not np.array_equal(picture, _pixels(tmp_path / "other.png"))


def test_boxes_are_drawn_where_they_went(tmp_path: Path) -> None:
    volume, _ = phantom_case(1, (1, 40, 40))
    truth = Truth(boxes=(TrueBox(1, (0, 10, 12), (1, 20, 30)),))
    classes = (TrainingClass("cell", (250, 10, 20)),)
    examples = ExampleSet(Task.DETECTION, classes, ("image",), (example_of("a", volume, truth),))
    write_sheet(examples, RECIPE, 0, tmp_path / "b.png", Inline())
    drawn = (_pixels(tmp_path / "b.png") == (250, 10, 20)).all(axis=2)
    first = drawn[:, : drawn.shape[1] // 5]
    rows, columns = np.flatnonzero(first.any(axis=1)), np.flatnonzero(first.any(axis=0))
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (10 * 6, 18 * 6)


def test_there_has_to_be_something_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        write_sheet(ExampleSet(Task.SEGMENTATION, (), (), ()), RECIPE, 0, tmp_path / "c.png", Inline())


def test_the_command_draws_a_dataset_folder_and_trains_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = []
    for n in range(4):
        volume, truth = phantom_case(n)
        said = [segment("bright", 0, 1, 9), segment("dark", 0, 2, 9)]
        cases.append(MadeCase(volume.voxels, truth.layers, said, f"P{n}", "val" if n == 3 else "train"))
    write_dataset(tmp_path / "d", cases, ("bright", "dark"), (2.0, 1.0, 1.0))
    sheet = tmp_path / "sheet.png"
    arguments = ["train", str(tmp_path / "d"), "--task", "segmentation", "--preview", str(sheet), "--seed", "5"]
    assert run_command(arguments) == 0
    assert _pixels(sheet).ndim == 3
    assert sorted(one.name for one in tmp_path.iterdir()) == ["d", "sheet.png"]
    # Of a training that leaves cases out it draws what is left.
    examples = examples_of(read_neutral(tmp_path / "d"), Task.SEGMENTATION)
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    (tmp_path / "d").rename(run.dataset)
    settings = RunSettings(
        Task.SEGMENTATION, RECIPE, 0, "m", "M", "1", "", left_out=tuple(e.key for e in examples.examples)
    )
    run.write_json(run.settings_file, settings.document())
    assert run_command(["train", "--run", str(run.path), "--preview", str(tmp_path / "none.png")]) == 1
    assert "no training examples" in capsys.readouterr().err
    assert not (tmp_path / "none.png").exists()
    assert run_command(["train", str(tmp_path), "--task", "segmentation", "--preview", str(sheet)]) == 2
    assert "--preview needs" in capsys.readouterr().err
