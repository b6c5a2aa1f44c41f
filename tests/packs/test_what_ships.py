"""Every pack that comes with MedView is small, whole, licensed, and says what it is good for and how good it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.ml.packs import load_pack

PACKS = sorted(path for path in (Path(__file__).resolve().parents[2] / "resources" / "packs").iterdir() if path.is_dir())

MOST_BYTES = 10_000_000


@pytest.mark.parametrize("folder", PACKS, ids=[folder.name for folder in PACKS])
def test_a_pack_that_ships_is_small_and_says_what_it_is(folder: Path) -> None:
    pack = load_pack(folder, bundled=True)
    assert pack.available
    assert pack.spec.id == folder.name
    assert sum(file.stat().st_size for file in folder.iterdir()) < MOST_BYTES
    card = pack.spec.card
    assert "Research use" in card.intended_use
    assert card.training_data
    assert card.limitations
    assert any(name.endswith("(95 % low)") for name in card.metrics)
    licence = (folder / "LICENSE").read_text("utf-8")
    named = pack.spec.licence
    # Weights of data that has to be shared alike, or named, stand in a folder with a licence of their own.
    assert named in licence or (named == "Apache-2.0" and "Apache License" in licence)
    assert (folder / "MODEL_CARD.md").read_text("utf-8").startswith(f"# {pack.spec.name}")
