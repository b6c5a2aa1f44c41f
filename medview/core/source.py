"""Where a label came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SourceKind(Enum):
    """Who made it."""

    HAND = "hand"
    MODEL = "model"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Source:
    """Origin of a segment, an annotation or a prediction; kept for ever.

    Attributes
    ----------
    model_sha256 : str
        Checksum of the weights that ran.
    job_id : str
        One run of one model on one input; accepting the same job twice changes nothing.
    created_utc : str
        ISO 8601.
    """

    kind: SourceKind = SourceKind.HAND
    model_id: str = ""
    model_version: str = ""
    model_sha256: str = ""
    job_id: str = ""
    created_utc: str = ""

    @property
    def title(self) -> str:
        """How the source is shown: ``hand``, ``import`` or ``model 1.2``."""
        return f"{self.model_id} {self.model_version}" if self.kind is SourceKind.MODEL else self.kind.value
