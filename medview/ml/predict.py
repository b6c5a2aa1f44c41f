"""The request for one prediction. No torch here: the window builds it, a worker runs it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from medview.core.volume import Volume
from medview.ml.packs import ModelPack

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True, eq=False)
class PredictRequest:
    """One run of one model on one volume; run by ``medview.ml.runners.run.predict``.

    Attributes
    ----------
    device : str
        ``auto`` chooses by memory plan; ``cpu`` and ``cuda`` insist.
    job_id : str
        Goes into the source of everything predicted.
    """

    volume: Volume
    pack: ModelPack
    device: str = "auto"
    job_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise ValueError(f"device has to be one of {DEVICES}, not {self.device}")
