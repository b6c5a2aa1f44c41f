"""What is found of training pictures: sizes in the model's axes, values, orientation."""

from dataclasses import replace

import numpy as np
import pytest

from medview.core.errors import ModelError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.examples import Example, Truth
from medview.ml.spec import NetworkSpec
from medview.ml.training.footprint import step_bytes
from medview.ml.training.survey import survey


def _example(key: str, voxels: np.ndarray, affine: np.ndarray | None = None, **changes: object) -> Example:
    grid = Geometry.from_spacing(voxels.shape[:3], (3.0, 1.0, 0.5))
    if affine is not None:
        grid = Geometry(grid.shape_kji, affine, "")
    volume = Volume(voxels, grid, **changes)  # type: ignore[arg-type]
    return Example(key, "", "train", lambda: (volume,), Truth)


def _sagittal() -> np.ndarray:
    """Slices from right to left, rows down, columns to the back."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[3.0, 0, 0], [0, 0, 0.5], [0, -1.0, 0]])
    return affine


def test_sizes_are_told_in_the_axes_most_pictures_have() -> None:
    axial, sagittal = np.zeros((4, 10, 12), np.int16), np.zeros((5, 20, 30), np.int16)
    examples = [_example("a", axial), _example("b", axial), _example("c", sagittal, _sagittal())]
    found = survey(examples, ["x"], Inline())
    assert found.orientation == "SPL"
    assert found.shapes_kji.tolist() == [[4, 10, 12], [4, 10, 12], [20, 30, 5]]
    assert found.spacings_kji_mm[2].tolist() == [1.0, 0.5, 3.0]
    assert not found.flat
    assert found.checks().spacing_kji_mm == ((0.9, 3.3), (0.45, 1.1), (0.45, 3.3))


def test_single_slices_are_not_turned_and_ask_for_no_millimetres() -> None:
    grid = replace(Geometry.from_spacing((1, 9, 8), (1.0, 1.0, 1.0)), calibration=Calibration.PIXELS)
    picture = Volume(np.full((1, 9, 8), 7, np.uint8), grid)
    found = survey([Example("a", "", "train", lambda: (picture,), Truth)], ["x"], Inline())
    assert found.flat
    assert found.orientation is None
    assert not found.calibrated
    assert found.checks().spacing_kji_mm is None


def test_values_are_those_of_the_middle_without_padding() -> None:
    rng = np.random.default_rng(1)
    voxels = rng.normal(50, 10, (6, 40, 40)).round().astype(np.int16)
    voxels[:2] = -2000
    example = _example("a", voxels, modality="CT", unit="HU", padding=(-2000.0, -2000.0))
    (channel,) = survey([example], ["CT"], Inline()).channels
    assert channel.mean == pytest.approx(50, abs=1)
    assert channel.deviation == pytest.approx(10, abs=1)
    assert channel.low > 0
    assert (channel.modality, channel.unit) == (("CT",), "HU")
    assert [step.op for step in channel.spec().intensity] == ["clip", "shift_scale"]


@pytest.mark.parametrize("shape", [(200, 100, 16), (200, 16, 100), (20, 100, 160)])
def test_values_are_of_all_columns_and_rows_whatever_the_sides_are(shape: tuple[int, int, int]) -> None:
    columns = np.broadcast_to(np.arange(shape[2]) * 1000 // shape[2], shape).astype(np.int16)
    rows = np.broadcast_to(np.arange(shape[1])[:, None] * 1000 // shape[1], shape).astype(np.int16)
    for voxels in (columns, rows):
        (channel,) = survey([_example("a", voxels, modality="CT", unit="HU")], ["CT"], Inline()).channels
        assert channel.mean == pytest.approx(voxels.mean(), abs=20)
        assert channel.deviation == pytest.approx(voxels.std(), abs=20)


def test_numbers_without_a_unit_are_taken_relative_to_each_picture_but_bytes_as_they_are() -> None:
    grey = np.random.default_rng(2).integers(0, 200, (1, 20, 20))
    of_bytes = survey([_example("a", grey.astype(np.uint8))], ["x"], Inline()).channels[0]
    of_words = survey([_example("a", grey.astype(np.uint16), modality="MR")], ["x"], Inline()).channels[0]
    assert [step.op for step in of_bytes.spec().intensity] == ["shift_scale"]
    assert [step.op for step in of_words.spec().intensity] == ["zscore"]


def test_later_pictures_are_compared_with_all_that_bytes_can_be() -> None:
    grey = np.random.default_rng(3).integers(90, 160, (1, 20, 20))
    assert survey([_example("a", grey.astype(np.uint8))], ["x"], Inline()).checks().values == (0.0, 255.0)
    # Each is taken relative to itself: no number is outside.
    assert survey([_example("a", grey.astype(np.uint16), modality="MR")], ["x"], Inline()).checks().values is None
    with_unit = survey([_example("a", grey.astype(np.int16), modality="CT", unit="HU")], ["x"], Inline()).checks().values
    assert with_unit is not None
    assert 90 <= with_unit[0] < with_unit[1] < 160


def test_nothing_to_train_on_and_missing_channels_are_said() -> None:
    with pytest.raises(ModelError, match="nothing to train on"):
        survey([], ["x"], Inline())
    with pytest.raises(ModelError, match="Case a has 1 channels"):
        survey([_example("a", np.zeros((1, 8, 8), np.uint8))], ["x", "y"], Inline())


def test_a_step_takes_more_with_more_samples_and_larger_ones() -> None:
    spec = NetworkSpec("small_cnn", {"in_channels": 1, "classes": 2, "dimensions": 2, "channels": [4, 8], "dropout": 0.0})
    one, four, large = (step_bytes(spec, shape) for shape in ((1, 1, 32, 32), (4, 1, 32, 32), (1, 1, 64, 64)))
    assert one < four
    assert large == pytest.approx(four, rel=0.05)


def test_stacks_without_millimetres_and_thin_volumes_are_looked_at_slice_by_slice() -> None:
    volume = _example("a", np.zeros((9, 8, 8), np.uint8))
    assert survey([volume], ["x"], Inline()).dimensions(0) == 3
    assert survey([_example("a", np.zeros((3, 8, 8), np.uint8))], ["x"], Inline()).dimensions(0) == 2
    (own,) = volume.volumes()
    stack = replace(own, geometry=replace(own.geometry, calibration=Calibration.IN_PLANE))
    found = survey([replace(volume, volumes=lambda: (stack,))], ["x"], Inline())
    assert found.dimensions(0) == found.dimensions(2) == 2
    with pytest.raises(ModelError, match="looks at slices"):
        found.dimensions(3)
