"""A whole window without files or network, for tests."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from PySide6.QtGui import QCursor, QGuiApplication
from pytestqt.qtbot import QtBot

from medview.core.resources import resource_path
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.gui.parts.theme_tokens import DARK
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.workspace.hands import Hands
from medview.workspace.jobs import InlineRunner, JobRunner
from medview.workspace.scheme import Scheme
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace


def bare_workspace(folder: Path, runner: JobRunner | None = None) -> Workspace:
    """Return a workspace whose packs are in ``folder / "packs"``."""
    registry = Registry(folder / "packs", folder / "user")
    return Workspace(runner or InlineRunner(), Services(InlinePool(), registry))


def hands_of(workspace: Workspace) -> Hands:
    """Return hands with the shipped scheme."""
    return Hands(workspace, Scheme.load())


def make_window(qtbot: QtBot, workspace: Workspace, threads: JobThreads) -> MainWindow:
    """Return a window on the screen, with the pointer over none of its panes."""
    # Keys act on the pane under the pointer, and a test before may have left it where one will lie.
    QCursor.setPos(QGuiApplication.primaryScreen().geometry().bottomRight())
    window = MainWindow(workspace, threads, hands_of(workspace), DARK)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    with qtbot.waitExposed(window):
        window.show()
    return window


def add_pack(folder: Path, task: str, **changes: object) -> None:
    """Put a pack made of a schema example into ``folder / "packs"``; its weights hold nothing, its checksums right."""
    document = json.loads((resource_path("schemas") / "examples" / f"{task}.json").read_text(encoding="utf-8"))
    document.update(changes)
    pack = folder / "packs" / document["id"]
    shutil.rmtree(pack, ignore_errors=True)
    pack.mkdir(parents=True)
    empty_weights = (2).to_bytes(8, "little") + b"{}"
    files = {name: empty_weights if name.endswith("safetensors") else b"text" for name in document["files"]}
    for name, data in files.items():
        (pack / name).write_bytes(data)
    document["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    (pack / "model.json").write_text(json.dumps(document), encoding="utf-8")
