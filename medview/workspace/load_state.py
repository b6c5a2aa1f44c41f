"""Which slices of a volume are in memory."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from medview.core.language import _, in_language


class SliceState(IntEnum):
    """One slice."""

    ABSENT = 0
    READY = 1
    DAMAGED = 2


class LoadState:
    """Which slices are absent, ready or damaged. Statistics, models, exports and hashes wait until it is complete.

    Attributes
    ----------
    wanted_k : int
        The slice that is looked at. Set where the view lives, read by the worker that fills the volume: one whole number
        needs no lock.
    """

    def __init__(self, slices: int) -> None:
        self._states: npt.NDArray[np.uint8] = np.zeros(slices, dtype=np.uint8)
        self.reasons: dict[int, str] = {}
        self.wanted_k = slices // 2

    def mark(self, k: int, *, ok: bool, reason: str = "") -> None:
        """Record that slice ``k`` has arrived, or that it is damaged and why (one sentence)."""
        self._states[k] = SliceState.READY if ok else SliceState.DAMAGED
        if not ok:
            self.reasons[k] = reason

    def mark_all_ready(self) -> None:
        """Record that the whole volume is there."""
        self._states[:] = SliceState.READY

    def state(self, k: int) -> SliceState:
        """State of slice ``k``."""
        return SliceState(int(self._states[k]))

    def ready_range(self, k0: int, k1: int) -> bool:
        """Whether all slices of the half-open range have arrived."""
        return bool((self._states[k0:k1] == SliceState.READY).all())

    @property
    def total(self) -> int:
        """Number of slices."""
        return int(self._states.size)

    @property
    def arrived(self) -> int:
        """Slices that are ready or known to be damaged."""
        return int(np.count_nonzero(self._states))

    @property
    def complete(self) -> bool:
        """Whether every slice has arrived or is known to be damaged."""
        return self.arrived == self.total

    @property
    def damaged(self) -> tuple[int, ...]:
        """Indices k of damaged slices."""
        return tuple(int(k) for k in np.flatnonzero(self._states == SliceState.DAMAGED))

    @property
    def missing(self) -> tuple[int, ...]:
        """Indices k of slices that are damaged or have not arrived."""
        return tuple(int(k) for k in np.flatnonzero(self._states != SliceState.READY))

    def sentence(self) -> str:
        """What a person should know about the state, or nothing when all is well."""
        if not self.complete:
            return _("Reading: {arrived} of {total} slices").format(arrived=self.arrived, total=self.total)
        bad = self.damaged
        if not bad:
            return ""
        first = in_language(self.reasons.get(bad[0], ""))
        rest = self.total - len(bad)
        shown = _("The other {rest} are shown.").format(rest=rest) if rest else _("None can be shown.")
        if len(bad) == 1:
            return _("Slice {bad} is damaged: {first} {shown}").format(bad=bad[0] + 1, first=first, shown=shown)
        return _("{count} slices are damaged, the first is slice {bad}: {first} {shown}").format(
            count=len(bad), bad=bad[0] + 1, first=first, shown=shown
        )
