"""What the converting process may not do, in processes of its own, since none of it can be taken back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import medview
from medview.core.errors import CancelledError, PackError
from medview.core.job import Inline
from medview.ml.convert.guard import MEMORY_LIMIT_BYTES
from medview.ml.registry import Registry
from medview.workspace import converting
from medview.workspace.models import add_model
from tests.ml.convert.bundles import monai_network, spleen_like, write_bundle

pytest.importorskip("monai")

GUARDED = """
import os, sys, tempfile
from pathlib import Path
from medview.ml.convert.guard import forbid, leave_network, limit_resources
limit_resources()
alone = leave_network()
room = Path(sys.argv[1])
forbid([room])
def tried(what):
    try:
        exec(what, {"room": room, "alone": alone})
    except PermissionError as error:
        print("forbidden:", error)
    except Exception as error:
        print("failed:", type(error).__name__)
    else:
        print("done")
for line in sys.argv[2:]:
    tried(line)
"""


def guarded(room: Path, *lines: str) -> list[str]:
    """Try lines of Python under the guard; what came of each."""
    environment = {**os.environ, "PYTHONPATH": str(Path(medview.__file__).parents[1])}
    command = [sys.executable, "-P", "-c", GUARDED, str(room), *lines]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environment)
    return done.stdout.splitlines()


def test_network_processes_and_foreign_folders_are_out_of_reach(tmp_path: Path) -> None:
    room, outside = tmp_path / "room", tmp_path / "outside"
    room.mkdir()
    outside.mkdir()
    (outside / "kept").write_text("here")
    told = guarded(
        room,
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
        "import os; os.system('true')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.fork()",
        "import os; os.execv('/bin/true', ['true'])",
        f"open({str(outside / 'new')!r}, 'w')",
        f"open({str(outside / 'kept')!r}, 'r+')",
        f"import os; os.remove({str(outside / 'kept')!r})",
        f"import os; os.rename({str(outside / 'kept')!r}, {str(room / 'stolen')!r})",
        f"import os; os.mkdir({str(outside / 'folder')!r})",
        f"import os; os.symlink('/etc/passwd', {str(outside / 'link')!r})",
        f"import shutil; shutil.rmtree({str(outside)!r})",
        "import ctypes; ctypes.CDLL('libc.so.6')",
        f"import sqlite3; sqlite3.connect({str(outside / 'new')!r})",
    )
    assert all(line.startswith("forbidden:") for line in told), told
    assert [path.name for path in outside.iterdir()] == ["kept"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system tells no paths of open folders")
@pytest.mark.parametrize(
    "line",
    [
        "os.open('new', os.O_CREAT | os.O_WRONLY, dir_fd=outside)",
        "os.open(b'kept', os.O_TRUNC | os.O_RDWR, dir_fd=outside)",
        "os.rename('kept', 'stolen', src_dir_fd=outside)",
        "os.rename('mine', 'new', dst_dir_fd=outside)",
        "os.replace('mine', 'kept', src_dir_fd=inside, dst_dir_fd=outside)",
        "os.link('mine', 'new', dst_dir_fd=outside)",
        "os.link('kept', 'stolen', src_dir_fd=outside, dst_dir_fd=inside)",
        "os.symlink('mine', 'new', dir_fd=outside)",
        "os.mkdir('new', dir_fd=outside)",
        "os.remove('kept', dir_fd=outside)",
        "os.utime('kept', (0, 0), dir_fd=outside)",
        "os.chmod('kept', 0o777, dir_fd=outside)",
        "os.chmod(os.open('kept', os.O_RDONLY, dir_fd=outside), 0o777)",
        # The length is no open folder, though it has the number of one.
        "os.chdir(outside); os.truncate('kept', inside)",
    ],
)
def test_open_folders_are_no_way_out(tmp_path: Path, line: str) -> None:
    room, outside = tmp_path / "room", tmp_path / "outside"
    room.mkdir()
    outside.mkdir()
    (outside / "kept").write_text("here")
    (room / "mine").write_text("mine")
    before = (outside / "kept").stat()
    opened = f"inside, outside = os.open(room, os.O_RDONLY), os.open({str(outside)!r}, os.O_RDONLY)"
    (told,) = guarded(room, f"import os; os.chdir(room); {opened}; {line}")
    assert told.startswith("forbidden:")
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert [path.name for path in room.iterdir()] == ["mine"]
    after = (outside / "kept").stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_size) == (before.st_mode, before.st_mtime_ns, before.st_size)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system tells no paths of open folders")
def test_open_folders_where_the_pack_is_made_may_be_used(tmp_path: Path) -> None:
    told = guarded(
        tmp_path,
        "import os; os.chdir('/'); d = os.open(room, os.O_RDONLY); os.mkdir('a', dir_fd=d); os.chmod('a', 0o700, dir_fd=d)",
        "import os; d = os.open(room, os.O_RDONLY); os.rename('a', 'b', src_dir_fd=d, dst_dir_fd=d)",
        "import os; os.close(os.open(room / 'b' / 'c', os.O_CREAT | os.O_WRONLY)); os.chmod(os.open(room, 0), 0o700)",
        "import os, tempfile; os.chdir(room); open('b/d', 'w').close(); tempfile.NamedTemporaryFile(dir='.').close()",
        "import os; d = os.open(room, 0); os.link('b/c', 'e', src_dir_fd=d, dst_dir_fd=d); os.remove('e', dir_fd=d)",
    )
    assert told == ["done"] * 5
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["c", "d"]


def test_where_the_pack_is_made_everything_works(tmp_path: Path) -> None:
    told = guarded(
        tmp_path,
        "(room / 'a').mkdir(); (room / 'a' / 'b').write_text('x'); (room / 'a').rename(room / 'c')",
        "import shutil; shutil.rmtree(room / 'c')",
        "import tempfile; tempfile.TemporaryDirectory(dir=room).cleanup()",
        "open('/etc/hostname' if __import__('os').path.exists('/etc/hostname') else __file__).read()",
    )
    assert told == ["done"] * 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system has no networks of one's own")
def test_without_the_gate_of_python_there_is_still_no_network(tmp_path: Path) -> None:
    script = (
        "import socket, sys; from medview.ml.convert.guard import leave_network\n"
        "left = leave_network()\n"
        "print(left, len(socket.if_nameindex()) if left else 1)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(medview.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True, env=environment)
    left, interfaces = done.stdout.split()
    if left == "False":
        pytest.skip("this system allows no networks of one's own")
    # The loopback, which is down.
    assert interfaces == "1"


def test_memory_is_bounded(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    (told,) = guarded(tmp_path, f"bytearray({MEMORY_LIMIT_BYTES + (1 << 30)})")
    assert told == "failed: MemoryError"


def seen_by_child(monkeypatch: pytest.MonkeyPatch, source: Path, registry: Registry) -> dict[str, object]:
    """Add a model and return how its child process was started."""
    seen: dict[str, object] = {}
    start = subprocess.Popen

    def watched(command: list[str], **how: object) -> subprocess.Popen[str]:
        seen.update(how, command=command)
        return start(command, **how)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(converting.subprocess, "Popen", watched)
    add_model(source, registry)
    return seen


def test_the_child_is_told_no_secrets_and_looks_for_no_code_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about, program = spleen_like()
    from tests.ml.convert.bundles import UNET

    folder = write_bundle(tmp_path / "b", about, program, monai_network(UNET))
    for name in ("torch.py", "json.py", "medview.py", "sitecustomize.py"):
        (folder / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.setenv("HOSPITAL_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.chdir(folder)
    seen = seen_by_child(monkeypatch, Path(), Registry(tmp_path / "none", tmp_path / "user"))
    assert "secret" not in str(seen["env"])
    environment = seen["env"]
    assert isinstance(environment, dict)
    assert environment["HOME"] == environment["TMPDIR"] == str(seen["cwd"])
    assert not Path(str(seen["cwd"])).exists()
    assert "-P" in str(seen["command"])
    assert not (tmp_path / "ran").exists()


def test_a_conversion_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.setattr(converting, "LIMIT_S", 0.2)
    with pytest.raises(PackError, match="took too long"):
        add_model(tmp_path / "a", Registry(tmp_path / "none", tmp_path / "user"))


def test_a_crash_of_the_child_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(PackError) as refused:
        add_model(tmp_path / "a", Registry(tmp_path / "none", tmp_path / "user"))
    assert refused.value.sentence.endswith("could not be converted.")


def test_cancel_ends_the_child_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    started: list[subprocess.Popen[str]] = []
    start = subprocess.Popen

    def watched(command: list[str], **how: object) -> subprocess.Popen[str]:
        started.append(start(command, **how))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(converting.subprocess, "Popen", watched)
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        add_model(tmp_path / "a", Registry(tmp_path / "none", tmp_path / "user"), context)
    assert started[0].returncode is not None
