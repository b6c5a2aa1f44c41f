"""Runs classification packs."""

from __future__ import annotations

import torch

from medview.core.errors import ModelError
from medview.ml.runners.job import Findings, RunningJob
from medview.ml.spec import ClassificationOutput
from medview.ml.weights import check_output


def classify(job: RunningJob) -> Findings:
    """Give the request's volume one probability per class."""
    output = job.spec.output
    assert isinstance(output, ClassificationOutput)
    with job.watched() as network, job.stopwatch.stage("infer"):
        values = job.prepared.values[None].contiguous(memory_format=torch.channels_last_3d)
        logits = network.run(values)
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2:
        raise ModelError("The model did not return scores; ask its author for a proper pack.")
    check_output(logits.shape[1], job.spec)
    probabilities = torch.softmax(logits[0], 0) if output.activation == "softmax" else torch.sigmoid(logits[0])
    return Findings(scores={name: float(p) for name, p in zip(output.classes, probabilities.tolist(), strict=True)})
