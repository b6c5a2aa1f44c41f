"""A sound project in the place of a damaged one, which is kept beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from medview.core.atomic import sync_folder
from medview.store.clock import Clock, SystemClock
from medview.store.lock import ProjectLock
from medview.store.project_folder import explained
from medview.store.recovery import RecoveryReport, recover_project

BESIDE_THE_DATABASE = ("images", "runs")
"""Folders in a project's own that hold what its database only names."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did.

    Attributes
    ----------
    kept : Path
        The damaged project, under another name.
    """

    report: RecoveryReport
    kept: Path


def repair_project(
    path: Path, clock: Clock | None = None, progress: Callable[[float], None] = lambda _fraction: None
) -> Repair:
    """Recover a damaged project and put the result in its place; the damaged one stays beside it.

    Images that were unpacked into it, and its trainings, go on in the new one: they are whole or not, whatever became of
    the database, and are looked for where they were.

    Raises
    ------
    LockedError
        When somebody is writing it.
    StoreError
        When nothing of it is left.
    WriteError
        When there is no room or no right to write beside it. Everything is as it was then.
    """
    clock = clock or SystemClock()
    with explained(path):
        lock = ProjectLock(path, clock)
        lock.acquire()
        try:
            recovered = _free(path, "recovered")
            report = recover_project(path, recovered, clock, progress)
        finally:
            # Before the folder gets another name: some systems do not rename what is in use.
            lock.release()
        recovered.chmod(path.stat().st_mode)
        kept = _free(path, f"damaged-{clock.utc():%Y%m%d}")
        path.rename(kept)
        try:
            recovered.rename(path)
        except OSError:
            kept.rename(path)
            raise
        for name in BESIDE_THE_DATABASE:
            if (kept / name).is_dir():
                (kept / name).rename(path / name)
        sync_folder(path.parent)
    return Repair(report, kept)


def _free(path: Path, word: str) -> Path:
    number = 1
    while (found := path.with_name(f"{path.stem}-{word}{'' if number == 1 else f'-{number}'}{path.suffix}")).exists():
        number += 1
    return found
