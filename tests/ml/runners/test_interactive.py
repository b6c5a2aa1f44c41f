"""Objects from prompts with a network whose answer is known: what is bright and not spoken against."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import save

from medview.core.box import Box
from medview.core.errors import CancelledError, ModelError
from medview.core.geometry import Geometry
from medview.core.job import Inline, JobContext
from medview.core.prompt import Prompt, PromptKind
from medview.core.prompt_log import NOTHING, HeldVoxels
from medview.core.vector import triple
from medview.core.volume import Rescale, Volume
from medview.ml.networks.unet import unet3d
from medview.ml.outputs import InteractiveOutput
from medview.ml.packs import ModelPack, write_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners import interactive
from medview.ml.runners.interactive import find_object
from medview.ml.runners.model_grid import ModelGrid
from medview.ml.runners.preprocess import prepare
from medview.ml.runners.prompt_region import PromptRegion, looked_at
from medview.ml.runners.run import predict
from medview.ml.spec import Crop
from tests.ml.small_packs import document, oblique_geometry

SHAPE = (30, 56, 66)
KINDS = [("point", True), ("point", False), ("scribble", True), ("lasso", True)]
IMAGE, PREVIOUS, POINT, AGAINST = 0, 1, 2, 3


def known_pack(
    folder: Path,
    *,
    spacing: float | None = None,
    weights: dict[int, float] | None = None,
    tile: int = 16,
    grown: bool = False,
) -> ModelPack:
    """A pack whose network answers with a weighted sum of its channels: bright is yes, a negative point is no."""
    kwargs = {"in_channels": 2 + grown + len(KINDS), "classes": 2, "channels": [4]}
    network = unet3d(**kwargs)
    state = {name: torch.zeros_like(value) for name, value in network.state_dict().items()}
    for name in state:
        if name.endswith(("running_var", "1.weight")):
            state[name] = torch.ones_like(state[name])
    used = {IMAGE: 10.0, AGAINST: -30.0} if weights is None else weights
    for n, (channel, weight) in enumerate(used.items()):
        state["stem.0.weight"][n, channel, 1, 1, 1] = 1.0
        state["head.weight"][1, n] = weight
    state["head.bias"][1] = -5.0
    content = document(
        "interactive",
        network={"name": "unet3d", "kwargs": kwargs},
        input={
            "channels": ["Image"], "modality": ["CT"], "dimensions": 3, "unit": "HU", "shape_kji": None,
            "spacing_kji_mm": None if spacing is None else [spacing] * 3,
            "orientation": None if spacing is None else "SPL",
            "intensity": [{"op": "clip", "low": -1000, "high": 0}, {"op": "scale", "low": -1000, "high": 0}],
        },
        tiling={"tile_kji": [tile] * 3, "overlap": 0.5, "blend": "gaussian"},
        output={
            "prompts": [{"kind": kind, "positive": positive} for kind, positive in KINDS],
            "previous": True, "grown": grown, "radius_voxels": 2.0, "decay": 0.5, "activation": "softmax",
        },
    )  # fmt: skip
    files = {"weights.safetensors": save(state), "LICENSE": b"Apache-2.0\n", "MODEL_CARD.md": b"# Known\n"}
    return write_pack(folder, content, files)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    interactive.KEPT.clear()


def ball(geometry: Geometry, middle_kji: tuple[float, float, float], radius_mm: float) -> npt.NDArray[np.bool_]:
    index = np.stack(np.indices(geometry.shape_kji), axis=-1)
    away = geometry.point_lps_mm(index) - geometry.point_lps_mm(middle_kji)
    return np.asarray(np.linalg.norm(away, axis=-1) <= radius_mm)


def volume_of(geometry: Geometry, mask: npt.NDArray[np.bool_]) -> Volume:
    stored = np.where(mask, 1000, 100).astype(np.int16)
    return Volume(stored, geometry, "CT", "HU", Rescale(1.0, -1024.0), series_uid="1.2")


def prompt(
    geometry: Geometry,
    index_kji: npt.ArrayLike,
    kind: PromptKind = PromptKind.POINT,
    *,
    positive: bool = True,
    key: str = "a",
) -> Prompt:
    points = tuple(triple(p) for p in geometry.point_lps_mm(np.atleast_2d(np.asarray(index_kji, dtype=float))))
    return Prompt(key, kind, positive, points, triple(geometry.directions_kji[0]), 1.0)


def found(pack: ModelPack, volume: Volume, *prompts: Prompt, base: HeldVoxels = NOTHING) -> npt.NDArray[np.bool_]:
    return find_object(pack, volume, prompts, base, Inline(), "cpu").mask(Box.whole(volume.geometry.shape_kji))


def dice(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    return float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))


def plain() -> Geometry:
    return Geometry.from_spacing(SHAPE, (1.0, 1.0, 1.0))


def test_what_is_bright_around_the_prompt_is_found_and_nothing_elsewhere(tmp_path: Path) -> None:
    geometry = plain()
    near, far = ball(geometry, (14, 20, 20), 5.0), ball(geometry, (14, 46, 56), 5.0)
    mask = found(known_pack(tmp_path / "p"), volume_of(geometry, near | far), prompt(geometry, (14, 20, 20)))
    assert np.array_equal(mask, near)


@pytest.mark.parametrize("spacing", [1.0, 1.5])
def test_on_an_oblique_anisotropic_grid_the_object_lies_where_it_is(tmp_path: Path, spacing: float) -> None:
    geometry = oblique_geometry(SHAPE, (2.1, 0.9, 1.1))
    near = ball(geometry, (15, 28, 30), 9.0)
    mask = found(
        known_pack(tmp_path / "p", spacing=spacing, tile=24), volume_of(geometry, near), prompt(geometry, (15, 30, 31))
    )
    assert dice(mask, near) > 0.95


def test_an_object_larger_than_the_tile_is_followed_to_its_end(tmp_path: Path) -> None:
    geometry = plain()
    rod = np.zeros(SHAPE, dtype=bool)
    # Too thin for voxels four times as long.
    rod[10:19, 24:27, 4:62] = True
    mask = found(known_pack(tmp_path / "p"), volume_of(geometry, rod), prompt(geometry, (14, 25, 20)))
    assert np.array_equal(mask, rod)


def test_a_large_object_is_found_on_coarser_voxels_and_its_border_on_fine_ones(tmp_path: Path) -> None:
    geometry = plain()
    large = ball(geometry, (15, 28, 33), 26.0)
    mask = found(known_pack(tmp_path / "p"), volume_of(geometry, large), prompt(geometry, (15, 28, 33)))
    assert dice(mask, large) > 0.985


def test_a_negative_point_counts_and_an_earlier_prompt_counts_less(tmp_path: Path) -> None:
    geometry = plain()
    near = ball(geometry, (14, 20, 20), 6.0)
    pack = known_pack(tmp_path / "p")
    click = prompt(geometry, (14, 20, 20))
    against = prompt(geometry, (14, 20, 25), positive=False, key="b")
    mask = found(pack, volume_of(geometry, near), click, against)
    gone = ball(geometry, (14, 20, 25), 2.0)
    assert np.array_equal(mask, near & ~gone)
    output = pack.spec.output
    assert isinstance(output, InteractiveOutput)
    region = PromptRegion.at((14, 20, 22), (16, 16, 16))
    image, chance = torch.zeros((1, *SHAPE)), torch.zeros(SHAPE)
    seen = looked_at(image, chance, (click, against), geometry, region, output)
    assert (float(seen[POINT].max()), float(seen[AGAINST].max())) == (0.5, 1.0)


def test_the_mask_so_far_is_a_channel(tmp_path: Path) -> None:
    geometry = plain()
    near, held = ball(geometry, (14, 20, 20), 5.0), ball(geometry, (14, 20, 26), 3.0)
    base = HeldVoxels.of(Box.whole(SHAPE), held)
    pack = known_pack(tmp_path / "p", weights={IMAGE: 10.0, PREVIOUS: 10.0})
    mask = found(pack, volume_of(geometry, near), prompt(geometry, (14, 20, 20)), base=base)
    assert np.array_equal(mask, near | held)


def test_what_was_held_far_away_stays_to_the_voxel(tmp_path: Path) -> None:
    geometry = oblique_geometry(SHAPE, (2.1, 0.9, 1.1))
    rng = np.random.default_rng(4)
    held = np.zeros(SHAPE, dtype=bool)
    held[20:28, 40:54, 45:64] = rng.random((8, 14, 19)) > 0.5
    base = HeldVoxels.of(Box.whole(SHAPE), held)
    near = ball(geometry, (6, 14, 14), 5.0)
    mask = found(
        known_pack(tmp_path / "p", spacing=1.2), volume_of(geometry, near), prompt(geometry, (6, 14, 14)), base=base
    )
    assert np.array_equal(mask[18:], held[18:])
    assert dice(mask & ~held, near) > 0.9


def test_what_lies_between_two_prompts_stays_however_coarse_the_models_voxels_are(tmp_path: Path) -> None:
    geometry = plain()
    sheet = np.zeros(SHAPE, dtype=bool)
    sheet[2:28, 4:52, 33] = True
    sheet[14, 28, 4:62] = True
    base = HeldVoxels.of(Box.whole(SHAPE), sheet)
    near, far = ball(geometry, (14, 10, 10), 4.0), ball(geometry, (14, 46, 56), 4.0)
    one, two = prompt(geometry, (14, 10, 10)), prompt(geometry, (14, 46, 56), key="b")
    mask = found(known_pack(tmp_path / "p", spacing=2.0, tile=8), volume_of(geometry, near | far), one, two, base=base)
    assert dice(mask & ~sheet, near | far) > 0.8
    assert np.array_equal(mask[:, 20:36], sheet[:, 20:36])
    assert np.array_equal(mask[:, :, 20:46], sheet[:, :, 20:46])


def test_the_same_prompts_give_the_same_object_whether_or_not_anything_was_kept(tmp_path: Path) -> None:
    geometry = plain()
    near = ball(geometry, (14, 20, 20), 7.0)
    pack, volume = known_pack(tmp_path / "p"), volume_of(geometry, near)
    prompts = [
        prompt(geometry, (14, 20, 20)),
        prompt(geometry, (14, 20, 25), positive=False, key="b"),
        prompt(geometry, [(14, 17, 17), (14, 23, 22)], PromptKind.SCRIBBLE, key="c"),
        prompt(geometry, [(14, 14, 14), (14, 14, 26), (14, 26, 26), (14, 26, 14)], PromptKind.LASSO, key="d"),
    ]
    for n in range(1, 5):
        found(pack, volume, *prompts[:n])
    kept = [found(pack, volume, *prompts), found(pack, volume, *prompts[:2]), found(pack, volume, *prompts[::2])]
    interactive.KEPT.clear()
    fresh = [found(pack, volume, *prompts), found(pack, volume, *prompts[:2]), found(pack, volume, *prompts[::2])]
    for one, other in zip(kept, fresh, strict=True):
        assert np.array_equal(one, other)


def test_the_image_is_prepared_once_and_only_the_new_prompt_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    geometry = plain()
    pack, volume = known_pack(tmp_path / "p"), volume_of(geometry, ball(geometry, (14, 20, 20), 5.0))
    prepared, looked = [], []
    real_prepare, real_step = interactive.prepare, interactive._step
    monkeypatch.setattr(interactive, "prepare", lambda *a, **k: prepared.append(1) or real_prepare(*a, **k))
    monkeypatch.setattr(interactive, "_step", lambda *a, **k: looked.append(1) or real_step(*a, **k))
    one, two = prompt(geometry, (14, 20, 20)), prompt(geometry, (14, 20, 22), key="b")
    found(pack, volume, one)
    found(pack, volume, one, two)
    found(pack, volume, one)
    assert (len(prepared), len(looked)) == (1, 2)
    found(pack, replace(volume, voxels=volume.voxels.copy()), one)
    assert len(prepared) == 2


def test_a_prompt_beside_the_volume_or_at_its_corner_is_no_error(tmp_path: Path) -> None:
    geometry = plain()
    everything = np.ones(SHAPE, dtype=bool)
    pack = known_pack(tmp_path / "p")
    assert not found(pack, volume_of(geometry, everything), prompt(geometry, (-90, 20, 20))).any()
    assert found(pack, volume_of(geometry, everything), prompt(geometry, (0, 0, 0)))[0, 0, 0]


def test_kinds_of_prompts_a_model_does_not_take_are_refused_by_name(tmp_path: Path) -> None:
    geometry = plain()
    box = prompt(geometry, [(14, 14, 14), (14, 14, 26), (14, 26, 26), (14, 26, 14)], PromptKind.BOX)
    with pytest.raises(ModelError, match="takes no positive box"):
        found(known_pack(tmp_path / "p"), volume_of(geometry, ball(geometry, (14, 20, 20), 5.0)), box)


def test_a_series_the_model_is_not_for_is_refused(tmp_path: Path) -> None:
    geometry = plain()
    volume = replace(volume_of(geometry, ball(geometry, (14, 20, 20), 5.0)), modality="MR", unit="")
    with pytest.raises(ModelError):
        found(known_pack(tmp_path / "p"), volume, prompt(geometry, (14, 20, 20)))


def test_it_can_be_cancelled_and_asked_again(tmp_path: Path) -> None:
    geometry = plain()
    pack, volume = known_pack(tmp_path / "p"), volume_of(geometry, ball(geometry, (14, 20, 20), 5.0))
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        find_object(pack, volume, [prompt(geometry, (14, 20, 20))], NOTHING, context, "cpu")
    assert found(pack, volume, prompt(geometry, (14, 20, 20))).any()


@pytest.mark.parametrize("spacing", [None, 1.3, 0.8])
def test_a_models_grid_lies_where_its_voxels_came_from(tmp_path: Path, spacing: float | None) -> None:
    geometry = oblique_geometry(SHAPE, (2.1, 0.9, 1.1))
    index = np.stack(np.indices(SHAPE), axis=-1)
    along = geometry.point_lps_mm(index) @ np.array([0.7, -0.4, 0.5])
    volume = Volume(along.astype(np.float32), geometry, "CT", "HU")
    wanted = replace(known_pack(tmp_path / "p", spacing=spacing).spec.input, channels=())
    wanted = replace(wanted, channels=(replace(known_pack(tmp_path / "q").spec.input.channels[0], intensity=()),))
    prepared = prepare((volume,), wanted, Inline())
    grid = ModelGrid.of(prepared, geometry)
    places = grid.geometry.point_lps_mm(np.stack(np.indices(prepared.shape_kji), axis=-1))
    inner = (slice(2, -2),) * 3
    assert np.abs(prepared.values[0].numpy() - places @ np.array([0.7, -0.4, 0.5]))[inner].max() < 0.1
    back = grid.to_native(prepared.values[0], Box.whole(SHAPE)).numpy()
    assert np.abs(back - along)[3:-3, 3:-3, 3:-3].max() < 0.1
    whole = grid.from_native(np.ones(SHAPE, dtype=bool), Box.whole(SHAPE))
    assert float(whole[inner].min()) == pytest.approx(1.0)


def test_a_cropped_models_grid_lies_where_its_voxels_came_from(tmp_path: Path) -> None:
    geometry = oblique_geometry(SHAPE, (2.1, 0.9, 1.1))
    values = np.zeros(SHAPE, dtype=np.float32)
    index = np.stack(np.indices(SHAPE), axis=-1)
    along = geometry.point_lps_mm(index) @ np.array([0.7, -0.4, 0.5])
    inner = (slice(6, 25), slice(9, 40), slice(12, 50))
    values[inner] = along[inner]
    wanted = known_pack(tmp_path / "p", spacing=1.0).spec.input
    wanted = replace(wanted, crop=Crop.NONZERO, channels=(replace(wanted.channels[0], intensity=()),))
    prepared = prepare((Volume(values, geometry, "CT", "HU"),), wanted, Inline())
    assert prepared.crop != Box.whole(prepared.turned_shape_kji)
    grid = ModelGrid.of(prepared, geometry)
    places = grid.geometry.point_lps_mm(np.stack(np.indices(prepared.shape_kji), axis=-1)) @ np.array([0.7, -0.4, 0.5])
    deep = (slice(4, -4),) * 3
    assert np.abs(prepared.values[0].numpy() - places)[deep].max() < 0.1


def test_running_such_a_pack_on_a_whole_series_is_refused_with_the_way(tmp_path: Path) -> None:
    geometry = plain()
    pack = known_pack(tmp_path / "p")
    with pytest.raises(ModelError, match="prompt tool"):
        predict(PredictRequest(volume_of(geometry, ball(geometry, (14, 20, 20), 5.0)), pack, "cpu"), Inline())


def test_what_is_grown_from_the_first_prompt_is_seen_by_networks_that_ask_for_it(tmp_path: Path) -> None:
    geometry = oblique_geometry(SHAPE)
    thing, other = ball(geometry, (14, 22, 24), 8.0), ball(geometry, (14, 22, 24), 5.0)
    asked: list[Prompt] = []

    def grow(_volume: Volume, first: Prompt, _context: JobContext) -> HeldVoxels:
        asked.append(first)
        return HeldVoxels.of(Box.whole(SHAPE), other)

    pack = known_pack(tmp_path / "p", weights={2: 10.0}, tile=32, grown=True)
    volume, whole = volume_of(geometry, thing), Box.whole(SHAPE)
    first, second = prompt(geometry, (14, 22, 24)), prompt(geometry, (14, 26, 24), key="b")
    for prompts in ([first], [first, second]):
        assert np.array_equal(find_object(pack, volume, prompts, NOTHING, Inline(), "cpu", grow).mask(whole), other)
    # Later prompts wait for nothing to be grown.
    assert asked == [first]
    against = prompt(geometry, (14, 22, 24), positive=False, key="c")
    assert find_object(pack, volume, [against], NOTHING, Inline(), "cpu", grow).empty
    assert asked == [first]
