"""Folders of mutated real files, all from one seed. MEDVIEW_FUZZ_COUNT and MEDVIEW_FUZZ_SEED widen the search."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.mutate import mutated

COUNT = int(os.environ.get("MEDVIEW_FUZZ_COUNT", "500"))
SEED = int(os.environ.get("MEDVIEW_FUZZ_SEED", "1"))
PER_FOLDER = 50
LARGEST_SEED_FILE = 400_000
LARGEST_OPENED_BYTES = 1 << 28
"""Volumes over it are honest about their size, and one test run has not the memory for many of them."""


def seeds(test_data: Path) -> list[bytes]:
    """Small real files of every kind, the already hostile among them."""
    folders = (
        "pydicom-testfiles",
        "hostile",
        "transfer-syntaxes",
        "seg-highdicom",
        "nrrd-image-label",
        "rtstruct-rt-utils",
    )
    paths = [path for folder in folders for path in sorted((test_data / folder).rglob("*")) if path.is_file()]
    return [path.read_bytes() for path in paths if 100 < path.stat().st_size < LARGEST_SEED_FILE]


def mutated_folders(originals: list[bytes], place: Path, count: int, seed: int) -> Iterator[tuple[Path, int]]:
    """Yield folders with ``count`` mutated files in all, and how many are in each; a folder lives until the next comes."""
    dice = random.Random(seed)
    for batch in range(-(-count // PER_FOLDER)):
        folder = place / f"mutated-{batch}"
        folder.mkdir()
        files = min(PER_FOLDER, count - batch * PER_FOLDER)
        for number in range(files):
            content = mutated(dice.choice(originals), dice.choice(originals), dice)
            (folder / f"{number:04d}.dcm").write_bytes(content)
        yield folder, files
        shutil.rmtree(folder)
