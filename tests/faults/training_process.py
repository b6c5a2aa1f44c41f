"""A process that has everything loaded a training needs, and forks one whenever it is told a run folder.

Reads a path a line from stdin; writes ``pid N`` and, once the fork has ended, ``dead STATUS``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import lightning.pytorch  # noqa: F401 - loaded once for all forks
import tensorboardX  # noqa: F401
import torch

import medview.ml.runners.run
import medview.ml.training.engine.train
import medview.workspace.evaluation.evaluate  # noqa: F401
from medview.core.job import Inline
from medview.store.project import Project
from medview.workspace.training.child import train_run


def _never(*_given: object, **_named: object) -> NoReturn:
    raise AssertionError("a training opened a project")


def _train(path: str) -> int:
    torch.set_num_threads(1)
    # What is frozen is all it needs.
    Project.open = _never  # type: ignore[method-assign,assignment]
    try:
        train_run(Path(path), Inline(), lambda: False)
    except BaseException as error:  # noqa: BLE001 - the test reads it
        sys.stderr.write(f"{error!r}\n")
        return 1
    return 0


def main() -> None:
    """Fork until stdin ends."""
    # Nothing has used a second thread so far, so forks are whole.
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_train(line.rstrip("\n")))
        print(f"pid {child}", flush=True)  # noqa: T201
        _, status = os.waitpid(child, 0)
        print(f"dead {os.waitstatus_to_exitcode(status)}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
