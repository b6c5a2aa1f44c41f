from __future__ import annotations

import numpy as np
import pytest

from medview.workspace.colour_maps import GREY, names, palette, title


def test_grey_comes_first_and_changes_nothing() -> None:
    assert names()[0] == GREY
    np.testing.assert_array_equal(palette(GREY), np.repeat(np.arange(256)[:, None], 3, axis=1))


@pytest.mark.parametrize("name", names())
def test_every_map_gets_brighter_all_the_way_so_that_it_reads_without_colours(name: str) -> None:
    assert title(name)
    luminance = palette(name).astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) >= -0.6).all()
    assert luminance[-1] - luminance[0] > 150
    assert not palette(name).flags.writeable
