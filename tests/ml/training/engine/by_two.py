"""Trains the run folder it is given by two processes, as ``torchrun --nproc-per-node 2`` starts them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import lightning.pytorch  # noqa: F401 - loaded once for both
import torch

from medview.core.job import Inline
from medview.ml.runs.folder import RunFolder
from medview.ml.training.engine.processes import Processes
from medview.ml.training.engine.train import Training, event_log
from tests.ml.training.engine.pictures import examples


def main(run: RunFolder, port: str) -> int:
    """Be one of two, in a fork each."""
    rank = 0 if os.fork() else 1
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "test", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "RANK": str(rank), "LOCAL_RANK": str(rank),
    }  # fmt: skip
    torch.set_num_threads(1)
    processes = Processes.of_environment()
    with event_log(run, run.settings(), processes) as events:
        Training(run, run.settings(), examples(), Inline(), lambda: False).carry_out(processes, events)
    processes.part()
    return 0 if rank else os.waitstatus_to_exitcode(os.wait()[1])


if __name__ == "__main__":
    sys.exit(main(RunFolder(Path(sys.argv[1])), sys.argv[2]))
