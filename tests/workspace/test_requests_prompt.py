"""What is asked when somebody points at something: a network that looks at what is grown gets it, from its first prompt."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medview.core.box import Box
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.prompt_log import PromptLog
from medview.core.volume import Volume
from medview.ml.packs import ModelPack
from medview.ml.registry import fits
from medview.workspace.requests_prompt import FindObject, Others, grow_first
from tests.ml.runners.test_interactive import ball, known_pack, plain, prompt, volume_of


def looks_at_grown(folder: Path) -> ModelPack:
    """A pack that answers with what is grown."""
    return known_pack(folder, weights={2: 10.0}, tile=32, grown=True)


def test_a_network_that_asks_for_it_sees_what_growing_makes_of_the_first_prompt(tmp_path: Path) -> None:
    geometry = plain()
    volume = volume_of(geometry, ball(geometry, (14, 22, 24), 6.0))
    first, second = prompt(geometry, (14, 22, 24)), prompt(geometry, (14, 24, 26), key="b")
    request = FindObject(volume, PromptLog("s", prompts=(first, second)), Others(), looks_at_grown(tmp_path / "p"), "cpu")
    whole = Box.whole(geometry.shape_kji)
    grown = grow_first(volume, first, Inline())
    assert not grown.empty
    assert np.array_equal(request.run(Inline()).mask(whole), grown.mask(whole))


def test_a_picture_without_millimetres_may_be_pointed_at_too(tmp_path: Path) -> None:
    geometry = Geometry.from_spacing((1, 60, 70), (1.0, 1.0, 1.0), calibration=Calibration.PIXELS)
    rows, columns = np.indices((60, 70))
    disc = ((rows - 30) ** 2 + (columns - 22) ** 2 <= 81)[None]
    stored = (np.where(disc, 200, 40) + np.random.default_rng(0).integers(0, 9, disc.shape)).astype(np.uint8)
    volume = Volume(stored, geometry, "", "", series_uid="picture")
    pack = looks_at_grown(tmp_path / "p")
    assert fits(pack.spec, "", geometry, "", colour=False).ok
    request = FindObject(volume, PromptLog("s", prompts=(prompt(geometry, (0, 30, 22)),)), Others(), pack, "cpu")
    found = request.run(Inline()).mask(Box.whole(geometry.shape_kji))
    assert np.count_nonzero(found & disc) > 0.9 * np.count_nonzero(disc | found)
