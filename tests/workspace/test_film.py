"""Films, judged by Pillow's readers."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.workspace.film import gif_delays_cs, write_apng, write_gif
from medview.workspace.frame_belt import FrameBelt

Frame = npt.NDArray[np.uint8]


def frames(count: int = 5) -> list[Frame]:
    """Pictures of all colours, not square; the third equals the second."""
    rng = np.random.default_rng(0)
    made = [rng.integers(0, 256, (31, 47, 3)).astype(np.uint8) for _ in range(count)]
    made[2] = made[1].copy()
    return made


def read(write: Callable[..., None], shown: list[Frame], rate_hz: float) -> tuple[list[Frame], list[float]]:
    stored = io.BytesIO()
    write(stored, iter(shown), len(shown), rate_hz)
    stored.seek(0)
    pictures, durations_ms = [], []
    with Image.open(stored) as film:
        for n in range(getattr(film, "n_frames", 1)):
            film.seek(n)
            pictures.append(np.asarray(film.convert("RGB")))
            durations_ms.append(float(film.info["duration"]))
        assert film.info["loop"] == 0
    return pictures, durations_ms


@pytest.mark.parametrize("rate_hz", [0.5, 7.5, 12.0, 29.97, 60.0])
def test_an_animated_png_keeps_every_pixel_every_picture_and_the_rate(rate_hz: float) -> None:
    shown = frames()
    back, durations_ms = read(write_apng, shown, rate_hz)
    assert len(back) == len(shown)
    for mine, theirs in zip(shown, back, strict=True):
        np.testing.assert_array_equal(theirs, mine)
    assert durations_ms == pytest.approx([1000.0 / rate_hz] * len(shown), rel=1e-4)


def test_a_gif_keeps_every_picture_and_pictures_of_few_colours_exactly() -> None:
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (31, 47, 1)).astype(np.uint8)
    exact = [np.repeat(np.roll(grey, n, axis=1), 3, axis=2) for n in range(4)]
    exact[2] = exact[1]
    back, _ = read(write_gif, exact, 12.0)
    assert len(back) == 4
    for mine, theirs in zip(exact, back, strict=True):
        np.testing.assert_array_equal(theirs, mine)
    many, _ = read(write_gif, frames(), 12.0)
    assert np.abs(many[0].astype(int) - frames()[0]).mean() < 24


@pytest.mark.parametrize("rate_hz", [7.5, 12.0, 24.0, 30.0, 50.0])
def test_a_gif_takes_its_true_time_as_a_whole(rate_hz: float) -> None:
    delays_cs = gif_delays_cs(133, rate_hz)
    assert abs(sum(delays_cs) - 100 * 133 / rate_hz) < 1
    assert max(delays_cs) - min(delays_cs) <= 1
    _, durations_ms = read(write_gif, frames(), rate_hz)
    assert durations_ms == [10.0 * cs for cs in gif_delays_cs(5, rate_hz)]


def test_no_frame_of_a_gif_is_so_short_that_viewers_stretch_it() -> None:
    assert set(gif_delays_cs(10, 60.0)) == {2}


def test_a_job_that_is_not_wanted_any_more_stops_waiting_for_pictures() -> None:
    belt, context = FrameBelt(3), Inline()
    belt.put(frames()[0])
    taken = belt.taken(context)
    np.testing.assert_array_equal(next(taken), frames()[0])
    context.cancel()
    with pytest.raises(CancelledError):
        next(taken)
