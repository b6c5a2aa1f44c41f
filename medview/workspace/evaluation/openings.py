"""How often the locked test cases were opened: every time is written down before a model sees them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medview.core.atomic import write_error
from medview.core.errors import ModelError
from medview.ml.packs import ModelPack
from medview.ml.runs.folder import RunFolder
from medview.store.activity import ActivityKind
from medview.store.holder import user_name
from medview.store.project import Project

BESIDE = ".test-openings.jsonl"
"""Of dataset folders: they hold nothing but what was exported, so what happens to them stands beside them."""

Openings = tuple[dict[str, Any], ...]


def note_in_project(path: Path, pack: ModelPack, cases: int) -> Openings:
    """Write down in a project that its test cases are opened, and return all openings, this one last.

    Raises
    ------
    MedViewError
        When the project cannot be written; the test cases stay closed then.
    """
    with Project.open(path) as project:
        project.activity.add(
            ActivityKind.EVALUATED, model=pack.spec.id, version=pack.spec.version, sha256=pack.sha256, cases=cases
        )
        return tuple(project.info()["test_openings"])


def note_beside(folder: Path, pack: ModelPack, cases: int) -> Openings:
    """Write down beside a dataset folder that its test cases are opened, and return all openings, this one last.

    Raises
    ------
    ModelError
        When it is the frozen dataset of a training: its test cases are also those of what it was frozen from.
    WriteError
        When nothing can be written there; the test cases stay closed then.
    """
    # However it is called, it is one folder and has one list.
    folder = folder.resolve()
    run = RunFolder(folder.parent)
    if run.settings_file.exists() and folder == run.dataset:
        raise ModelError(
            f"{folder.name} of {folder.parent.name} was frozen for a training; its test cases are opened where they come "
            "from: name that project or dataset folder."
        )
    file = folder.parent / f"{folder.name}{BESIDE}"
    entry = {
        "who": user_name(),
        "when_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": pack.spec.id,
        "version": pack.spec.version,
        "cases": cases,
    }
    try:
        with file.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(entry, ensure_ascii=False) + "\n")
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        raise write_error(file, error) from error
    return tuple(found for line in lines if isinstance(found := _read(line), dict))


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
