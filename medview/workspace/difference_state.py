"""How far the comparison of a proposed class with a segment is."""

from __future__ import annotations

from dataclasses import dataclass

from medview.analysis.mask_difference import MaskDifference


@dataclass(frozen=True, slots=True)
class Difference:
    """One class of a proposal beside a segment, as panels and pictures show it.

    Attributes
    ----------
    case_key, proposal_id, value, segment_id : str, str, int, str
        What is compared; all empty while nothing is.
    found : MaskDifference or None
        None until it is worked out.
    stamp : tuple of int
        Of the segment's voxels that ``found`` is true of.
    working : bool
        A job works it out.
    problem : str
        Why there is no result, or empty.
    """

    case_key: str = ""
    proposal_id: str = ""
    value: int = 0
    segment_id: str = ""
    found: MaskDifference | None = None
    stamp: tuple[int, int, int] = (0, 0, 0)
    working: bool = False
    problem: str = ""

    @property
    def open(self) -> bool:
        """Whether anything is compared."""
        return bool(self.proposal_id)
