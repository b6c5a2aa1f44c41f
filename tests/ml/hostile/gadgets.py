"""Pickles that do something when they are loaded, in all the wrappings weights come in."""

from __future__ import annotations

import io
import pickle
import pickletools
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path


class Calls:
    """Unpickling this calls something."""

    def __init__(self, module: str, name: str, *arguments: object) -> None:
        self.module = module
        self.name = name
        self.arguments = arguments

    def opcodes(self) -> bytes:
        """Return a pickle written by hand, so that making it imports and calls nothing."""
        called = b"c" + self.module.encode() + b"\n" + self.name.encode() + b"\n"
        return b"\x80\x02" + called + _tuple(self.arguments) + b"R."


def _tuple(arguments: tuple[object, ...]) -> bytes:
    """Return the opcodes that put a tuple of texts, numbers and lists of texts on the stack."""
    found = b"("
    for argument in arguments:
        found += pickle.dumps(argument, protocol=2)[2:-1]
    return found + b"t"


def gadgets(trap: Path) -> dict[str, bytes]:
    """Return pickles by name; each would leave a file at ``trap`` followed by its name."""

    def mark(name: str) -> str:
        return f"{trap}-{name}"

    calls = {
        "os-system": Calls("os", "system", f"touch {mark('os-system')}"),
        "posix-system": Calls("posix", "system", f"touch {mark('posix-system')}"),
        "mkdir": Calls("os", "mkdir", mark("mkdir")),
        "popen": Calls("subprocess", "Popen", ["touch", mark("popen")]),
        "check-output": Calls("subprocess", "check_output", ["touch", mark("check-output")]),
        "eval": Calls("builtins", "eval", f"open({mark('eval')!r}, 'w')"),
        "exec": Calls("builtins", "exec", f"open({mark('exec')!r}, 'w').write('x')"),
        "old-builtins": Calls("__builtin__", "eval", f"open({mark('old-builtins')!r}, 'w')"),
        "open": Calls("builtins", "open", mark("open"), "w"),
        "io-open": Calls("_io", "open", mark("io-open"), "w"),
        "runpy": Calls("runpy", "_run_code", f"open({mark('runpy')!r}, 'w')"),
        "import": Calls("importlib", "import_module", "antigravity"),
        "pty": Calls("pty", "spawn", ["touch", mark("pty")]),
        "torch-load": Calls("torch.serialization", "load", mark("torch-load")),
        "torch-jit": Calls("torch.jit", "load", mark("torch-jit")),
        "monai": Calls("monai.bundle.scripts", "run", mark("monai")),
        "shutil": Calls("shutil", "copyfile", "/etc/hostname", mark("shutil")),
        "numpy-load": Calls("numpy", "save", mark("numpy-load"), [1]),
        "codecs": Calls("_codecs", "open", mark("codecs"), "w"),
        "dynamic": Calls("torch.utils.cpp_extension", "load", mark("dynamic"), []),
    }
    made = {name: call.opcodes() for name, call in calls.items()}
    # Hidden: one call inside a dict of weights, one behind a memo, one after the end of the first pickle.
    inner = calls["os-system"].opcodes()[2:-1]
    made["in-dict"] = b"\x80\x02}" + pickle.dumps("a", protocol=2)[2:-1] + inner + b"s."
    made["build"] = b"\x80\x02cos\nsystem\nq\x000h\x00(" + pickle.dumps(f"touch {mark('build')}", 2)[2:-1] + b"tR."
    made["twice"] = pickle.dumps({}, protocol=2) + calls["mkdir"].opcodes()
    made["stack-global"] = (
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93" + pickle.dumps(f"touch {mark('stack-global')}", 4)[2:-1] + b"\x85R."
    )
    for content in made.values():
        assert list(pickletools.genops(content))
    return made


def torch_zip(content: bytes, *, prefix: str = "archive", extra: dict[str, bytes] | None = None) -> bytes:
    """Return what ``torch.save`` writes, around a pickle."""
    opened = io.BytesIO()
    with zipfile.ZipFile(opened, "w") as zipped:
        zipped.writestr(f"{prefix}/data.pkl", content)
        zipped.writestr(f"{prefix}/byteorder", b"little")
        zipped.writestr(f"{prefix}/version", b"3\n")
        for name, member in (extra or {}).items():
            zipped.writestr(f"{prefix}/{name}", member)
    return opened.getvalue()


def legacy(content: bytes) -> bytes:
    """Return what old ``torch.save`` wrote: a magic number, a protocol, the system, then the pickle."""
    magic, protocol, system = 0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}
    return b"".join(pickle.dumps(part, protocol=2) for part in (magic, protocol, system)) + content


def tarred(content: bytes) -> bytes:
    """Return what the first ``torch.save`` wrote."""
    opened = io.BytesIO()
    with tarfile.open(fileobj=opened, mode="w") as tar:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return opened.getvalue()


WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {
    "bare": bytes,
    "zip": torch_zip,
    "legacy": legacy,
    "tar": tarred,
    "jit": lambda content: torch_zip(content, extra={"constants.pkl": content, "code/__torch__.py": b"import os\n"}),
    "pt2": lambda content: torch_zip(content, extra={"serialized_example_inputs.pt": content}),
}
