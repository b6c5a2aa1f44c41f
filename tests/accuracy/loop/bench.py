"""Plays rows in a work folder, seed by seed: what is done is not done again, what was broken off goes on."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from medview.ml.recipes.reader import recipe_document
from tests.accuracy.loop.learning import default_recipe
from tests.accuracy.loop.rows import PARENT_SIZES, LoopRow
from tests.accuracy.loop.scene import Scene, write
from tests.accuracy.loop.sizes import Sizes
from tests.accuracy.loop.volumes import HIPPOCAMPI, Volumes
from tests.accuracy.trainings.bench import code_sha256
from tests.accuracy.trainings.machine import machine

Document = dict[str, Any]

PLAYED = "played.json"


@dataclass(frozen=True)
class LoopBench:
    """Where rows are played.

    Attributes
    ----------
    work : Path
        Holds projects, trainings and results.
    data : Path
        What MEDVIEW_TEST_DATA names.
    share : float
        Part of the steps and minutes of each training; 1 for figures that are published.
    recipe : mapping
        Trainings are changes of it in steps and rate: what masks are learnt by where nobody asks for anything.
    """

    work: Path
    data: Path
    share: float = 1.0
    say: Callable[[str], None] = print
    volumes: Volumes = HIPPOCAMPI
    whole_sizes: Sizes = field(default_factory=Sizes)
    recipe: Mapping[str, Any] = field(default_factory=lambda: recipe_document(default_recipe()))

    @property
    def sizes(self) -> Sizes:
        """The sizes of this share."""
        return self.whole_sizes.shared(self.share)

    def folder(self, row: LoopRow, seed: int) -> Path:
        """Return where a row of a seed is played. Other sizes, another recipe or other data are another folder."""
        return self.work / "loop" / f"{row.name}-{seed}-{self.key(row)[:12]}"

    def key(self, row: LoopRow) -> str:
        """Return a checksum over all that makes a row another one, whatever its seed."""
        named = {*row.sizes, *(PARENT_SIZES if row.parent else ())}
        sizes = {name: value for name, value in self.sizes.document().items() if name in named}
        return self._checksum({"row": row.name, "sizes": sizes})

    def scene(self, row: LoopRow, seed: int) -> Scene:
        """Return where a row of a seed is played."""
        parent = {name: value for name, value in self.sizes.document().items() if name in PARENT_SIZES}
        shared = self.work / "loop" / f"parent-{seed}-{self._checksum(parent)[:12]}"
        return Scene(
            row.name,
            seed,
            self.folder(row, seed),
            shared,
            self.data,
            self.volumes,
            self.sizes,
            self.recipe,
            self.say,
        )

    def played(self, row: LoopRow, seed: int) -> Document | None:
        """Return what a row came to with a seed; None where it was not played to its end."""
        try:
            found: Document = json.loads((self.folder(row, seed) / PLAYED).read_text("utf-8"))
        except FileNotFoundError:
            return None
        return found

    def play(self, row: LoopRow, seed: int) -> Document:
        """Play a row of a seed to its end, from wherever an earlier process ended, and return what it came to.

        Raises
        ------
        CommandError, MedViewError, LookupError, FileNotFoundError
        """
        if (done := self.played(row, seed)) is not None:
            return done
        scene = self.scene(row, seed)
        scene.folder.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        found = row.play(scene)
        document = {
            "row": row.name,
            "seed": seed,
            "key": self.key(row),
            "share": self.share,
            "sizes": self.sizes.document(),
            "code_sha256": code_sha256(),
            "made_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            # Of this process: one that was broken off before is not in it.
            "seconds": round(time.monotonic() - began, 1),
            "machine": machine(),
            "found": found,
        }
        write(scene.folder / PLAYED, document)
        return document

    def results(self, rows: Sequence[LoopRow], seeds: Sequence[int]) -> dict[str, list[Document]]:
        """Return what rows came to, by name, of the seeds that were played."""
        found = {row.name: [one for seed in seeds if (one := self.played(row, seed)) is not None] for row in rows}
        return {name: documents for name, documents in found.items() if documents}

    @cached_property
    def _data_sha256(self) -> str:
        return self.volumes.data.sha256(self.data)

    def _checksum(self, what: object) -> str:
        whole = [what, self.recipe, self._data_sha256]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
