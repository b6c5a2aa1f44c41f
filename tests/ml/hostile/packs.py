"""Two hundred hostile models: what somebody could send to have code run, memory filled or files overwritten.

Each maker writes one below a folder and returns what a person would choose. ``trap`` is where code would leave traces.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from tests.ml.convert.bundles import UNET, monai_network, on_answer, on_image, spleen_like, write_bundle
from tests.ml.convert.nnunet_folders import configuration, dataset_json, plans_json
from tests.ml.hostile.gadgets import WRAPPINGS, gadgets, torch_zip
from tests.ml.small_packs import document, small_network

Maker = Callable[[Path, Path], Path]

NETWORK: dict[str, Any] = {"name": "unet3d", "kwargs": {"in_channels": 1, "classes": 3, "channels": [4, 6]}}


def all_makers(trap: Path) -> dict[str, Maker]:
    """Return the makers by name."""
    found: dict[str, Maker] = {}
    for part in (_pickles, _bundle_texts, _zips, _documents, _headers, _files):
        for name, maker in part(trap).items():
            assert name not in found
            found[name] = maker
    return found


def safe_weights() -> bytes:
    """Return honest weights of ``NETWORK``."""
    network = small_network("unet3d", NETWORK["kwargs"])
    return save({name: tensor.contiguous() for name, tensor in network.state_dict().items()})


def pack_files(weights: bytes, **changes: Any) -> dict[str, bytes]:
    """Return the files of a pack with right checksums."""
    files = {"weights.safetensors": weights, "LICENSE": b"None\n", "MODEL_CARD.md": b"# Card\n"}
    content = document("segmentation", network=NETWORK) | changes
    content.setdefault("files", {name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
    return {**files, "model.json": json.dumps(content).encode()}


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files into a new folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    """Write a zip; names are taken as they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(zipfile.ZipInfo(name), content)
    return path


def bundle_files(weights: bytes) -> dict[str, bytes]:
    """Return the files of a bundle."""
    about, program = spleen_like()
    return {
        "b/configs/metadata.json": json.dumps(about).encode(),
        "b/configs/inference.json": json.dumps(program).encode(),
        "b/models/model.pt": weights,
    }


# ------------------------------------------------------------------------------------------------ pickles


def _pickles(trap: Path) -> dict[str, Maker]:
    found: dict[str, Maker] = {}
    names = list(gadgets(trap))
    for n, name in enumerate(names):
        # Every gadget in every place; the wrappings take turns, so that each place sees each of them.
        for place, (where, maker) in enumerate(_PLACES.items()):
            wrapping = list(WRAPPINGS)[(n + place) % len(WRAPPINGS)]
            found[f"pickle-{where}-{name}-{wrapping}"] = _in_place(maker, name, wrapping)
    return found


def _in_place(maker: Callable[[Path, bytes], Path], name: str, wrapping: str) -> Maker:
    return lambda folder, trap: maker(folder, WRAPPINGS[wrapping](gadgets(trap)[name]))


def _in_pack(folder: Path, weights: bytes) -> Path:
    return write_files(folder / "pack", pack_files(weights))


def _in_bundle(folder: Path, weights: bytes) -> Path:
    return write_files(folder, bundle_files(weights)) / "b"


def _in_brainchop(folder: Path, weights: bytes) -> Path:
    layer = {"kernel_size": 3, "padding": 1, "stride": 1, "dilation": 1, "in_channels": 1, "out_channels": 5}
    head = {**layer, "kernel_size": 1, "padding": 0, "out_channels": 2}
    described = json.dumps({"bnorm": False, "layers": [layer, head]}).encode()
    return write_files(folder / "brain", {"model.json": described, "model.pth": weights})


def _in_nnunet(folder: Path, weights: bytes) -> Path:
    plans = plans_json({"3d_fullres": configuration()})
    root = folder / "Trainer__Plans__3d_fullres"
    files = {"dataset.json": json.dumps(dataset_json()).encode(), "plans.json": json.dumps(plans).encode()}
    return write_files(root, {**files, "fold_0/checkpoint_final.pth": weights})


_PLACES: dict[str, Callable[[Path, bytes], Path]] = {
    "pack": _in_pack,
    "bundle": _in_bundle,
    "brainchop": _in_brainchop,
    "nnunet": _in_nnunet,
}


# ------------------------------------------------------------------------------------------------ texts of bundles


def _bundle_texts(trap: Path) -> dict[str, Maker]:
    touch = f"__import__('os').system('touch {trap}-expression')"
    opened = f"open('{trap}-opened', 'w')"
    changes: dict[str, tuple[str, object]] = {
        "import-in-channels": ("network_def.in_channels", f"${touch}"),
        "import-in-network": ("network_def", f"${touch}"),
        "target-os-system": ("network_def", {"_target_": "os.system", "command": f"touch {trap}-target"}),
        "target-builtins-eval": ("network_def", {"_target_": "builtins.eval", "source": touch}),
        "target-subprocess": ("inferer", {"_target_": "subprocess.Popen", "args": ["touch", f"{trap}-popen"]}),
        "target-monai-inside": ("network_def._target_", "monai.bundle.scripts.run"),
        "target-monai-os": ("network_def._target_", "monai.utils.module.os.system"),
        "target-with-call": ("network_def._target_", f"UNet(); {touch}"),
        "target-dunder": ("network_def._target_", "monai.__builtins__.eval"),
        "target-scripts": ("network_def._target_", "scripts.evil.Net"),
        "target-list": ("network_def._target_", ["UNet"]),
        "target-number": ("network_def._target_", 7),
        "transform-lambda": ("preprocessing.transforms.2", on_image("Lambdad", func=f"$lambda x: {touch}")),
        "transform-scripts": ("preprocessing.transforms.2", {"_target_": "scripts.evil.T", "keys": "image"}),
        "transform-eval": ("preprocessing.transforms.2", {"_target_": "builtins.exec", "keys": "image", "code": opened}),
        "transform-args": ("preprocessing.transforms.3.pixdim", f"$[1.5, 1.5, {touch}]"),
        "transform-list": ("preprocessing", f"$[{touch}]"),
        "keys-code": ("preprocessing.transforms.2.keys", f"${touch}"),
        "disabled-code": ("preprocessing.transforms.2._disabled_", f"${touch}"),
        "import-macro": ("network_def.in_channels", "@import"),
        "file-macro": ("network_def", "%/etc/passwd"),
        "file-macro-key": ("inferer", f"%{trap}.json#inferer"),
        "conditional": ("network_def.in_channels", f"$1 if {touch} else 2"),
        "comprehension": ("network_def.channels", "$[n for n in ().__class__.__base__.__subclasses__()]"),
        "attribute": ("network_def.in_channels", "$(1).__class__"),
        "call-len": ("network_def.in_channels", f"$len({opened})"),
        "f-string": ("network_def.in_channels", f"$f'{{{touch}}}'"),
        "walrus": ("network_def.in_channels", f"$(x := {touch})"),
        "lambda-called": ("network_def.in_channels", f"$(lambda: {touch})()"),
        "huge-power": ("network_def.in_channels", "$9**9**9**9"),
        "huge-list": ("network_def.channels", "$[[8] * 1000] * 100000000"),
        "huge-text": ("network_def.in_channels", "$'a' * 10000000000"),
        "deep-brackets": ("network_def.in_channels", "$" + "(" * 190 + "1" + ")" * 190),
        "shift": ("network_def.in_channels", "$1 << 10000000000"),
        "circle": ("network_def.in_channels", "@network_def#in_channels"),
        "circle-of-lists": ("network_def.channels", ["@network_def#channels", "@network_def#channels"]),
        "circle-component": ("inferer", "@inferer"),
        "huge-blocks": ("network_def.num_res_units", 4096),
        "huge-channels": ("network_def.channels", [4096] * 12),
        "many-levels": ("network_def.channels", [1] * 100_000),
        "negative": ("network_def.channels", [-4, -8, -12]),
        "text-number": ("network_def.channels", ["4", "8", "12"]),
        "nothing": ("network_def.channels", None),
        "huge-window": ("inferer.roi_size", [10**9] * 3),
        "weights-elsewhere": ("checkpointloader.load_path", "../../../../../../etc/passwd"),
        "weights-script": ("checkpointloader.load_path", f"$({touch}, 'model.pt')[1]"),
        "post-code": ("postprocessing.transforms.0", on_answer("Lambdad", func=f"$lambda x: {touch}")),
        "labels-code": ("postprocessing.transforms.2.argmax", f"${touch}"),
        "mode-debug": ("network_def._mode_", "debug"),
        "requires": ("network_def._requires_", f"${touch}"),
        "import-list": ("imports", [f"$import os; os.system('touch {trap}-imports')"]),
        "initialize": ("initialize", [f"${touch}"]),
        "unused-code": ("anything", {"_target_": "os.system", "command": f"touch {trap}-anything"}),
    }
    return {f"bundle-{name}": _changed_bundle(*change) for name, change in changes.items()}


def _changed_bundle(way: str, value: object) -> Maker:
    def make(folder: Path, _trap: Path) -> Path:
        about, program = spleen_like()
        *keys, last = way.split(".")
        inner: Any = program
        for key in keys:
            inner = inner[int(key)] if key.isdigit() else inner.setdefault(key, {})
        inner[int(last) if last.isdigit() else last] = copy.deepcopy(value)
        return write_bundle(folder / "b", about, program, monai_network(UNET))

    return make


# ------------------------------------------------------------------------------------------------ zips


def _zips(_trap: Path) -> dict[str, Maker]:
    slips = {
        "parent": "../evil.json",
        "parents": "b/../../../../evil.json",
        "absolute": "/tmp/medview-evil.json",
        "backslash": "..\\evil.json",
        "drive": "C:\\evil.json",
        "stream": "model.json:evil",
        "empty-part": "b//evil.json",
        "dots": "b/./evil.json",
        "newline": "b/ev\nil.json",
        "override": "b/\u202ejson.exe",
        "device": "b/con:",
        "long": "b/" + "a" * 5000,
    }
    found: dict[str, Maker] = {}
    for name, member in slips.items():
        found[f"zip-pack-{name}"] = _slip(member, pack=True)
        found[f"zip-bundle-{name}"] = _slip(member, pack=False)
    found["zip-pack-link"] = _linked(pack=True)
    found["zip-bundle-link"] = _linked(pack=False)
    found["zip-bomb"] = lambda folder, _: zip_of(
        folder / "bomb.zip", {"model.json": b"{}", "weights.safetensors": bytes(1 << 26)}
    )
    found["zip-bundle-bomb"] = lambda folder, _: zip_of(folder / "bomb.zip", {**bundle_files(b""), "b/x": bytes(1 << 26)})
    found["zip-many"] = lambda folder, _: zip_of(folder / "many.zip", {f"b/configs/{n}.json": b"" for n in range(5000)})
    found["zip-twice"] = _twice
    found["zip-cut"] = _cut
    found["zip-lie"] = _lie
    found["zip-in-zip"] = _nested
    found["zip-torch"] = lambda folder, trap: write_files(folder, {"m.zip": torch_zip(gadgets(trap)["eval"])}) / "m.zip"
    return found


def _slip(member: str, *, pack: bool) -> Maker:
    def make(folder: Path, _trap: Path) -> Path:
        files = pack_files(safe_weights()) if pack else bundle_files(torch_zip(b"\x80\x02}."))
        return zip_of(folder / "slip.zip", {**files, member: b"evil"})

    return make


def _linked(*, pack: bool) -> Maker:
    def make(folder: Path, _trap: Path) -> Path:
        files = pack_files(safe_weights()) if pack else bundle_files(b"")
        link = "LICENSE" if pack else "b/LICENSE"
        path = folder / "link.zip"
        with zipfile.ZipFile(path, "w") as zipped:
            for name, content in files.items():
                if name != link:
                    zipped.writestr(name, content)
            info = zipfile.ZipInfo(link)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            zipped.writestr(info, "/etc/passwd")
        return path

    return make


def _twice(folder: Path, _trap: Path) -> Path:
    files = pack_files(safe_weights())
    path = folder / "twice.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for name, content in (*files.items(), ("MODEL.JSON", b"{}"), ("model.jsoN", b"{}")):
            zipped.writestr(zipfile.ZipInfo(name), content)
    return path


def _cut(folder: Path, _trap: Path) -> Path:
    path = zip_of(folder / "cut.zip", pack_files(safe_weights()))
    path.write_bytes(path.read_bytes()[:-200])
    return path


def _lie(folder: Path, _trap: Path) -> Path:
    path = zip_of(folder / "lie.zip", bundle_files(bytes(70_001)))
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 70_001), struct.pack("<I", 16)))
    return path


def _nested(folder: Path, trap: Path) -> Path:
    inner = zip_of(folder / "inner.zip", pack_files(WRAPPINGS["zip"](gadgets(trap)["exec"])))
    return zip_of(folder / "outer.zip", {"b/configs/metadata.json": b"{}", "b/model.zip": inner.read_bytes()})


# ------------------------------------------------------------------------------------------------ model.json


def _documents(trap: Path) -> dict[str, Maker]:
    content = document("segmentation", network=NETWORK)
    good = {"tile_kji": [16, 16, 16], "overlap": 0.25, "blend": "gaussian"}
    changes: dict[str, dict[str, Any]] = {
        "network-module": {"network": {"name": "os:system", "kwargs": {"command": f"touch {trap}-network"}}},
        "network-path": {"network": {"name": "../../evil", "kwargs": {}}},
        "network-dunder": {"network": {"name": "__import__", "kwargs": {}}},
        "network-other": {"network": {"name": "transformer", "kwargs": {}}},
        "kwargs-self": {"network": {"name": "unet3d", "kwargs": {"self": 1, "in_channels": 1}}},
        "kwargs-huge": {"network": {"name": "unet3d", "kwargs": {**NETWORK["kwargs"], "channels": [4096] * 200}}},
        "kwargs-blocks": {
            "network": {"name": "nnunet_plain", "kwargs": {"in_channels": 1, "classes": 3, "channels": [4] * 200,
                        "kernels": [[3, 3, 3]] * 200, "strides": [[1, 1, 1]] * 200, "encoder_units": [4096] * 200,
                        "decoder_units": [4096] * 199}}},
        "kwargs-residual": {
            "network": {"name": "nnunet_residual", "kwargs": {"in_channels": 1, "classes": 3, "channels": [4] * 4,
                        "kernels": [[3, 3, 3]] * 4, "strides": [[1, 1, 1]] * 4, "encoder_units": [4096] * 4,
                        "decoder_units": [4096] * 3}}},
        "kwargs-meshnet": {
            "network": {"name": "meshnet", "kwargs": {"in_channels": 4096, "out_channels": 3, "channels": 4096,
                        "dilations": [4096] * 256, "activation": "relu", "norm": "none", "bias": True}}},
        "kwargs-number": {"network": {"name": "unet3d", "kwargs": {**NETWORK["kwargs"], "classes": 10**400}}},
        "kwargs-code": {"network": {"name": "unet3d", "kwargs": {"in_channels": "$__import__('os').system('id')"}}},
        "id-path": {"id": "../../etc"},
        "id-override": {"id": "a\u202eb"},
        "name-control": {"name": "a\x1b[2J\x00b"},
        "name-surrogate": {"name": "a\ud800b"},
        "name-override": {"name": "Liver \u202egnp.exe"},
        "name-newlines": {"name": "a\nb\nc"},
        "name-c1": {"name": "Liver\x9b2J"},
        "name-delete": {"name": "Liver\x7f"},
        "name-separator": {"name": "Liver\u2028Lung"},
        "name-nothing": {"name": "Liver\u200b"},
        "name-mark": {"name": "Liver\u200f"},
        "summary-mark": {"summary": "Finds the liver.\u200e\u2029" * 20},
        "metrics-control": {"card": {"metrics": {"dice\x1b[2J": 0.5}}},
        "key-control": {"surprise\x1b[2J": 1},
        "version-path": {"version": "../1.0"},
        "summary-huge": {"summary": "a" * 900_000},
        "labels-many": {"output": {"labels": [{"value": n, "name": f"L{n}"} for n in range(1, 5000)]}},
        "labels-same": {"output": {"labels": [{"value": 1, "name": "x"}, {"value": 2, "name": "x"}]}},
        "tile-huge": {"tiling": good | {"tile_kji": [2048, 2048, 2048]}},
        "tile-negative": {"tiling": good | {"tile_kji": [-16, 16, 16]}},
        "tile-tiny-overlap": {"tiling": good | {"tile_kji": [8, 8, 8], "overlap": 0.9}},
        "overlap-one": {"tiling": good | {"overlap": 1.0}},
        "spacing-fine": {"input": {**content["input"], "spacing_kji_mm": [0.5, 5.0, 5.0]}},
        "spacing-zero": {"input": {**content["input"], "spacing_kji_mm": [0, 0, 0]}},
        "intensity-divide": {
            "input": {**content["input"], "intensity": [{"op": "shift_scale", "subtract": 0, "divide": 0}]}},
        "intensity-op": {"input": {**content["input"], "intensity": [{"op": "eval", "code": "1"}]}},
        "files-path": {"files": {"../../evil": "0" * 64, "weights.safetensors": "0" * 64}},
        "files-model": {"files": {"model.json": "0" * 64, "weights.safetensors": "0" * 64}},
        "files-missing": {"files": {"weights.safetensors": "0" * 64, "other.bin": "0" * 64}},
        "checksum-lie": {"files": {"weights.safetensors": "0" * 64}},
        "checksum-empty": {"files": {"weights.safetensors": ""}},
        "files-none": {"files": {}},
        "ensemble-path": {"ensemble": ["weights.safetensors", "../evil.safetensors"]},
        "ensemble-twice": {"ensemble": ["weights.safetensors"] * 2},
        "task-other": {"task": "os.system"},
        "schema-future": {"schema_version": 10**9},
        "schema-text": {"schema_version": "2; drop"},
        "key-unknown": {"__class__": "os.system"},
        "key-scripts": {"scripts": ["evil.py"]},
        "metrics-nan": {"card": {"metrics": {"dice": float("nan")}}},
        "metrics-huge": {"card": {"metrics": {"dice": 10**400}}},
    }  # fmt: skip
    found: dict[str, Maker] = {f"document-{name}": _changed_pack(change) for name, change in changes.items()}
    raw: dict[str, bytes] = {
        "deep-lists": b"[" * 200_000,
        "deep-objects": b'{"a":' * 100_000,
        "huge-number": b'{"schema_version": ' + b"9" * 500_000 + b"}",
        "not-text": b"\xff\xfe\x00\x00",
        "nothing": b"",
        "list": b"[]",
        "null": b"null",
        "duplicate": b'{"id": "a", "id": "b"}',
        "infinity": b'{"schema_version": Infinity}',
    }
    return found | {f"document-{name}": _raw_document(text) for name, text in raw.items()}


def _changed_pack(changes: dict[str, Any]) -> Maker:
    return lambda folder, _: write_files(folder / "pack", pack_files(safe_weights(), **changes))


def _raw_document(text: bytes) -> Maker:
    return lambda folder, _: write_files(folder / "pack", {**pack_files(safe_weights()), "model.json": text})


# ------------------------------------------------------------------------------------------------ safetensors


def _headers(_trap: Path) -> dict[str, Maker]:
    def header(entries: dict[str, Any], body: int = 64) -> bytes:
        text = json.dumps(entries).encode()
        return struct.pack("<Q", len(text)) + text + bytes(body)

    one = {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]}
    made = {
        "overlap": header({"a": one, "b": one}),
        "outside": header({"a": one | {"data_offsets": [0, 1 << 40]}}),
        "backwards": header({"a": one | {"data_offsets": [64, 0]}}),
        "negative": header({"a": one | {"shape": [-4, -4]}}),
        "overflow": header({"a": one | {"shape": [1 << 62, 1 << 62]}}),
        "huge": header({"a": one | {"shape": [1 << 40], "data_offsets": [0, 1 << 42]}}),
        "dtype": header({"a": one | {"dtype": "PICKLE"}}),
        "hole": header({"a": one | {"data_offsets": [8, 72]}}, 80),
        "text": header({"a": "b"}),
        "metadata": header({"__metadata__": {"a": {"b": 1}}, "a": one}),
        "length": struct.pack("<Q", 1 << 62) + b"{}",
        "length-zero": struct.pack("<Q", 0) + b"{" + bytes(64),
        "deep": struct.pack("<Q", 200_000) + b"{" + b'"a":{' * 39_999 + b"    ",
        "cut": safe_weights()[:-3],
        "longer": safe_weights() + b"\x80\x02cos\nsystem\n",
        "empty": b"",
        "nan": _filled(float("nan")),
        "infinite": _filled(float("inf")),
        "other-network": save({"a": torch.zeros(3)}),
        "integers": _typed(torch.int64),
        "double": _typed(torch.float64),
    }
    found: dict[str, Maker] = {f"header-{name}": _weights_pack(content) for name, content in made.items()}
    for name in ("overlap", "outside", "overflow", "length", "nan"):
        found[f"header-bundle-{name}"] = _weights_bundle(made[name])
    return found


def _filled(number: float) -> bytes:
    state = small_network("unet3d", NETWORK["kwargs"]).state_dict()
    return save({n: torch.full_like(t, number) if t.is_floating_point() else t for n, t in state.items()})


def _typed(kind: torch.dtype) -> bytes:
    state = small_network("unet3d", NETWORK["kwargs"]).state_dict()
    return save({n: t.to(kind).contiguous() for n, t in state.items()})


def _weights_pack(content: bytes) -> Maker:
    return lambda folder, _: write_files(folder / "pack", pack_files(content))


def _weights_bundle(content: bytes) -> Maker:
    def make(folder: Path, _trap: Path) -> Path:
        files = bundle_files(b"")
        del files["b/models/model.pt"]
        return write_files(folder, {**files, "b/models/model.safetensors": content}) / "b"

    return make


# ------------------------------------------------------------------------------------------------ other files


def _files(trap: Path) -> dict[str, Maker]:
    code = f"open({str(trap) + '-module'!r}, 'w')\n".encode()
    beside = (
        "sitecustomize.py", "usercustomize.py", "torch.py", "json.py", "safetensors/__init__.py", "medview/__init__.py",
        "conftest.py", "__main__.py", "hooks.pth",
    )  # fmt: skip
    found: dict[str, Maker] = {
        "files-beside-pack": lambda folder, _: write_files(
            folder / "pack", {**pack_files(safe_weights()), **dict.fromkeys(beside, code)}
        ),
        "files-beside-bundle": lambda folder, _: (
            write_files(folder, {**bundle_files(torch_zip(b"\x80\x02}.")), **{f"b/{name}": code for name in beside}}) / "b"
        ),
        "files-logging": lambda folder, _: (
            write_files(folder, {**bundle_files(b""), "b/configs/logging.conf": b"[handler_x]\nclass=" + code}) / "b"
        ),
        "files-random": lambda folder, _: write_files(folder / "pack", pack_files(random.Random(3).randbytes(5000))),
        "files-weights-folder": _weights_folder,
        "files-weights-link": _weights_link,
        "files-config-link": _config_link,
        "files-numpy": lambda folder, trap: write_files(folder, bundle_files(_numpy(trap))) / "b",
        "files-alone": lambda folder, trap: (
            write_files(folder, {"model.pt": torch_zip(gadgets(trap)["exec"])}) / "model.pt"
        ),
        "files-alone-bare": lambda folder, trap: write_files(folder, {"model.pkl": gadgets(trap)["exec"]}) / "model.pkl",
        "files-empty-folder": lambda folder, _: write_files(folder / "empty", {"a.txt": b""}),
    }
    return found


def _weights_folder(folder: Path, _trap: Path) -> Path:
    files = pack_files(safe_weights())
    del files["weights.safetensors"]
    write_files(folder / "pack", files)
    (folder / "pack" / "weights.safetensors").mkdir()
    return folder / "pack"


def _weights_link(folder: Path, _trap: Path) -> Path:
    files = pack_files(safe_weights())
    write_files(folder / "pack", files)
    (folder / "pack" / "weights.safetensors").unlink()
    (folder / "pack" / "weights.safetensors").symlink_to("/etc/passwd")
    return folder / "pack"


def _config_link(folder: Path, _trap: Path) -> Path:
    write_files(folder, bundle_files(b""))
    (folder / "b" / "configs" / "inference.json").unlink()
    (folder / "b" / "configs" / "inference.json").symlink_to("/dev/zero")
    return folder / "b"


def _numpy(trap: Path) -> bytes:
    opened = io.BytesIO()
    np.save(opened, np.zeros(3))
    return opened.getvalue() + gadgets(trap)["exec"]
