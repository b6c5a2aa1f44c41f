"""How the images of a series were made, as far as something is computed or checked from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What headers state of the first image of a series; empty or None where they do not.

    Attributes
    ----------
    protocol : str
        Protocol and sequence names in the words of the scanner: ``B Ax T1 +C *se2d1``.
    agent : str
        Contrast agent that was given, in the words of the files.
    kernel : str
        Reconstruction kernel: ``B30f``.
    sequence : tuple of str
        Scanning Sequence of MR: ``SE``, ``IR``, ``GR``, ``EP``.
    echo_ms, repetition_ms, inversion_ms : float or None
        Of MR, in milliseconds.
    """

    protocol: str = ""
    agent: str = ""
    kernel: str = ""
    sequence: tuple[str, ...] = ()
    echo_ms: float | None = None
    repetition_ms: float | None = None
    inversion_ms: float | None = None
