"""Where a label came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class SourceKind(Enum):
    """Who made it."""

    HAND = "hand"
    MODEL = "model"
    IMPORT = "import"
    READER = "reader"
    """One reader, or several by a rule, in labels that others go on with; ``model_id`` says who."""


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
    corrected : bool
        A person changed it since.
    """

    kind: SourceKind = SourceKind.HAND
    model_id: str = ""
    model_version: str = ""
    model_sha256: str = ""
    job_id: str = ""
    created_utc: str = ""
    corrected: bool = False

    @property
    def title(self) -> str:
        """How the source is shown: ``hand``, ``import``, a reader or ``model 1.2``, and whether it was corrected."""
        origin = f"{self.model_id} {self.model_version}" if self.kind is SourceKind.MODEL else self.kind.value
        if self.kind is SourceKind.READER and self.model_id:
            origin = self.model_id
        return f"{origin}, corrected" if self.corrected else origin

    def same_run(self, other: Source) -> bool:
        """Whether both come from one run of a model."""
        return self.kind is other.kind is SourceKind.MODEL and self.job_id == other.job_id

    def by_hand(self) -> Source:
        """Return the source of what a person changed: the same, marked as corrected unless it is the person's own."""
        return self if self.kind is SourceKind.HAND else replace(self, corrected=True)
