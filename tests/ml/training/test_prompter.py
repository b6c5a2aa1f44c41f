"""A simulated person points inside what is wrong, and says rightly whether it is missing or too much."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.prompt import PromptKind
from medview.core.prompt_shape import voxels_of
from medview.ml.training.prompter import correction
from tests.ml.small_packs import oblique_geometry

SHAPE = (20, 34, 46)


def _ball(middle: tuple[int, int, int], radius: float) -> np.ndarray:
    away = np.stack(np.indices(SHAPE), axis=-1) - middle
    return np.asarray(np.linalg.norm(away, axis=-1) <= radius)


@pytest.mark.parametrize("kind", list(PromptKind))
@pytest.mark.parametrize("missing", [True, False])
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_what_is_pointed_at_is_what_is_wrong(kind: PromptKind, missing: bool, seed: int | None) -> None:
    geometry, one, two = oblique_geometry(SHAPE), _ball((9, 11, 12), 6.0), _ball((9, 20, 34), 7.0)
    truth, found = (one | two, one) if missing else (one, one | two)
    rng = None if seed is None else np.random.default_rng(seed)
    prompt = correction(truth, found, geometry, [kind], rng)
    assert prompt is not None
    assert prompt.positive is missing
    box, mask = voxels_of(prompt, geometry)
    spoken = np.zeros(SHAPE, dtype=bool)
    spoken[box.slices] = mask
    # A box goes around all that is wanted on its slice.
    meant = truth if prompt.kind is PromptKind.BOX else two
    assert np.count_nonzero(spoken & meant) > (0.15 if prompt.kind is PromptKind.BOX else 0.6) * np.count_nonzero(spoken)
    assert np.any(spoken & two)


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    truth = _ball((9, 11, 12), 6.0)
    assert correction(truth, truth.copy(), oblique_geometry(SHAPE), [PromptKind.POINT]) is None


def test_a_steady_hand_says_the_same_twice() -> None:
    truth = _ball((9, 11, 12), 6.0)
    first, again = (
        correction(truth, np.zeros_like(truth), oblique_geometry(SHAPE), [PromptKind.POINT]) for _unused in range(2)
    )
    assert first == again
