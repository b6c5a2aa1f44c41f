"""Mutates honest packs, bundles and nnU-Net folders and brings them through the doors; see ``test_packs``.

``python -m tests.fuzz.mutated_packs FOLDER COUNT SEED`` writes one line of JSON per model.
"""

from __future__ import annotations

import copy
import json
import random
import shutil
import sys
import time
import traceback
import zipfile
from pathlib import Path
from typing import Any

from medview.core.errors import MedViewError
from medview.core.job import Inline
from medview.ml.convert import formats
from medview.ml.packs import looks_like_pack
from medview.ml.predict import PredictRequest
from medview.ml.registry import Registry
from medview.ml.runners.run import predict
from medview.ml.weights import RESIDENT
from tests.helpers.mutate import mutated
from tests.ml.convert.bundles import UNET, monai_network, spleen_like, write_bundle
from tests.ml.convert.nnunet_folders import network, trained_folder
from tests.ml.hostile.door import limit_memory
from tests.ml.hostile.packs import pack_files, safe_weights, write_files
from tests.ml.small_packs import ct_volume

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 3, 2**31, 2**63, -1e300, 1e-300, 0.5, "", "x", "\u202e", "\ud800", "../..", "$1 + 1", "$x", "@a",
    "@network_def", "%a", [], {}, [[]], [None], ["a"], [1, 2, 3], [0, 0, 0], {"_target_": "UNet"}, {"a": 1}, "UNet", "CT",
    "a" * 300,
)  # fmt: skip


def main(folder: Path, count: int, seed: int) -> None:
    """Write one line per model."""
    limit_memory()
    formats.load_formats()
    dice = random.Random(seed)
    honest = _honest(folder / "honest")
    volume = ct_volume((12, 16, 20))
    for n in range(count):
        place = folder / f"{n:05d}"
        place.mkdir()
        source = _mutant(dice.choice(honest), place, dice)
        began = time.perf_counter()
        outcome, sentence = "refused", ""
        try:
            registry = Registry(folder / "none", place / "user")
            if looks_like_pack(source):
                pack = registry.add(source)
            else:
                formats.convert(source, place / "converted")
                pack = registry.add(place / "converted")
            if len(pack.spec.input.channels) == 1:
                predict(PredictRequest(volume, pack, device="cpu"), Inline())
            outcome = "ran"
        except MedViewError as error:
            sentence = error.sentence
        except BaseException:  # noqa: BLE001 - whatever it is, it is told and fails the test.
            outcome = f"crashed: {traceback.format_exc()[-2000:]}"
        RESIDENT.clear()
        seconds = time.perf_counter() - began
        told = {"number": n, "source": source.name, "outcome": outcome, "sentence": sentence, "seconds": seconds}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        shutil.rmtree(place)


def _honest(folder: Path) -> list[Path]:
    write_files(folder / "pack", pack_files(safe_weights()))
    about, program = spleen_like()
    write_bundle(folder / "bundle", about, program, monai_network(UNET))
    found = [folder / "pack", folder / "bundle"]
    return [*found, trained_folder(folder / "nnunet", [network().state_dict()], inference_allowed_mirroring_axes=())]


def _mutant(honest: Path, place: Path, dice: random.Random) -> Path:
    """Return a damaged copy: values of its JSON, bytes of a file, a file less; sometimes as a zip with damaged bytes."""
    folder = place / honest.name
    shutil.copytree(honest, folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    texts = [path for path in files if path.suffix == ".json"]
    way = dice.random()
    if way < 0.6:
        for _ in range(dice.randint(1, 3)):
            path = dice.choice(texts)
            try:
                content = json.loads(path.read_bytes())
            except ValueError:
                continue
            path.write_bytes(json.dumps(_changed(content, dice)).encode("utf-8", "surrogatepass"))
    elif way < 0.85:
        path, other = dice.choice(files), dice.choice(files)
        path.write_bytes(mutated(path.read_bytes(), other.read_bytes() + bytes(16), dice))
    elif way < 0.9:
        dice.choice(files).unlink()
    if way >= 0.9 or dice.random() < 0.2:
        archive = place / f"{honest.name}.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                zipped.write(path, path.relative_to(place))
        if way >= 0.9:
            content = archive.read_bytes()
            archive.write_bytes(mutated(content, content, dice))
        return archive
    return folder


def _changed(content: Any, dice: random.Random) -> Any:
    """Return a JSON value with one of its places changed."""
    content = copy.deepcopy(content)
    places: list[tuple[Any, Any]] = []

    def gather(inner: Any) -> None:
        keys = list(inner) if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ()
        for key in keys:
            places.append((inner, key))
            gather(inner[key])

    gather(content)
    if not places:
        return dice.choice(ODD)
    inner, key = dice.choice(places)
    if isinstance(inner, dict) and dice.random() < 0.2:
        del inner[key]
    elif isinstance(inner, dict) and dice.random() < 0.1:
        inner[dice.choice(("_target_", "_disabled_", "extra", key + "x"))] = dice.choice(ODD)
    else:
        inner[key] = copy.deepcopy(dice.choice(ODD))
    return content


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
