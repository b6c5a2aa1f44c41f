"""Brings every hostile model through the doors a person has, in one process, and writes down what came of it.

``python -m tests.ml.hostile.door FOLDER TRAP``: one line of JSON per model on stdout. What is foreign is converted in this
process, so that nothing but the readers themselves keeps code from running; the guard of the real child comes on top of
that, and has tests of its own. With ``MEDVIEW_HOSTILE_DOOR=child`` it is the real child that converts.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path

from medview.core.errors import MedViewError
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.convert import formats
from medview.ml.convert.guard import NEVER
from medview.ml.packs import ModelPack, looks_like_pack
from medview.ml.predict import PredictRequest
from medview.ml.registry import Registry
from medview.ml.runners.run import predict
from medview.ml.weights import RESIDENT
from medview.workspace.models import add_model
from tests.ml.hostile.packs import all_makers
from tests.ml.small_packs import ct_volume

MEMORY_BYTES = 16 << 30
REAL_CHILD = os.environ.get("MEDVIEW_HOSTILE_DOOR") == "child"


def main(folder: Path, trap: Path) -> None:
    """Write one line per model."""
    limit_memory()
    announced: list[str] = []
    watching = False

    def watch(event: str, _arguments: object) -> None:
        if watching and not REAL_CHILD and event.startswith(NEVER):
            announced.append(event)

    formats.load_formats()
    RESIDENT.clear()
    sys.addaudithook(watch)
    volume = ct_volume((12, 16, 20))
    for n, (name, maker) in enumerate(all_makers(trap).items()):
        place = folder / f"{n:03d}"
        place.mkdir()
        source = maker(place, trap)
        registry = Registry(folder / "none", folder / f"user-{n:03d}")
        began = time.perf_counter()
        outcome, sentence = "refused", ""
        watching = True
        try:
            pack = _added(source, registry, place)
            outcome = "added"
            predict(_asked(volume, pack), Inline())
            outcome = "ran"
        except MedViewError as error:
            sentence = error.sentence
        except _NotAskedError as error:
            sentence = f"{error}."
        except BaseException:  # noqa: BLE001 - whatever it is, it is told and fails the test.
            outcome = f"crashed: {traceback.format_exc()}"
        watching = False
        RESIDENT.clear()
        seconds = time.perf_counter() - began
        told = {"name": name, "outcome": outcome, "sentence": sentence, "seconds": seconds, "announced": announced}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        announced.clear()


class _NotAskedError(Exception):
    """A pack takes other channels than the one volume there is."""


def _asked(volume: Volume, pack: ModelPack) -> PredictRequest:
    try:
        return PredictRequest(volume, pack, device="cpu")
    except ValueError as error:
        raise _NotAskedError(str(error)) from error


def _added(source: Path, registry: Registry, place: Path) -> ModelPack:
    if REAL_CHILD or looks_like_pack(source):
        return add_model(source, registry)
    formats.convert(source, place / "converted")
    return registry.add(place / "converted")


def limit_memory() -> None:
    """Let this process fail before the computer does."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
