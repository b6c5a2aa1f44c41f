"""What kind of picture a magnetic resonance series is: told from its words, or else from its times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from medview.core.acquisition import Acquisition

_KINDS: Sequence[tuple[str, str]] = (
    # Maps and special sequences first: their names hold those of what they are made from.
    ("adc", r"(?<![a-z])adc(?![a-z])|apparent.?diff"),
    ("dti", r"(?<![a-z])(dti|tensor|fa.?map|colfa)"),
    ("dwi", r"(?<![a-z])(dwi|diff(usion)?(?![a-z])|hbv|trace(?!r)|b ?[1-9]\d{2,3}(?!\d))"),
    ("perfusion", r"(?<![a-z])(perf|dsc|dce|asl|r?cbv|r?cbf|mtt|ktrans)"),
    ("swi", r"(?<![a-z])(swi|swan|venobold|min ?ip)(?![a-z])"),
    ("t2*", r"t2 ?(\*|star)|(?<![a-z])(hemo|gre ?t2)"),
    ("angiography", r"(?<![a-z])(mra|tof|angio)"),
    ("bold", r"(?<![a-z])(bold|fmri|rest(ing)? ?state)"),
    ("flair", r"flair|dark.?fluid|(?<![a-z])(t2f|tirm)(?![a-z])"),
    ("stir", r"(?<![a-z])stir(?![a-z])"),
    ("pd", r"(?<![a-z])(pd|proton)(?![a-z])|(?<![a-z])pd ?(w|fs|tse)"),
    ("t1", r"(?<![a-z])t1|mprage|mp2rage|(?<![a-z])(bravo|f?spgr|vibe|lava|tfl3d)"),
    ("t2", r"(?<![a-z])t2"),
)
"""Kinds by what their names look like, the first that is found counts."""

_ENHANCED = re.compile(
    # After an operation or in a later step of work is not after contrast agent.
    r"post(?!er|[ -]?op(?!a)|.?proc)|gadolin|\+ ?(c|gd|km)(?![a-z])|(?<![a-z])c\+|t1 ?w? ?(c|ce|gd)(?![a-z])"
    r"|(?<![a-z])(gd|gad|gado|km|kontrast|contrast|enhanced|ce)(?![a-z])"
    r"|(?<![a-z])with($| .*(contrast|gad|(gd|km)(?![a-z])))"
)
_NATIVE = re.compile(
    r"(?<![a-z])pre(?![a-z])|(?<![a-z])pre.?(contrast|gad|gd|km|reg)|without|w/o|t1n(?![a-z])|(?<![a-z])-c(?![a-z])"
    r"|(?<![a-z])(non?|un)[ -]?(contrast|enhanced|gad|gd|c(?![a-z]))|(?<![a-z])(nativ|native|nc|sans|ohne)(?![a-z])"
)

_FLUID_DARK_TI_MS = 1500.0
_FAT_DARK_TI_MS = 300.0
_LONG_TR_MS = 2000.0
_SHORT_TR_MS = 1200.0
_LONG_TE_MS = 60.0
_SHORT_TE_MS = 30.0
_PREPARED_TR_MS = 3000.0


@dataclass(frozen=True, slots=True)
class Weighting:
    """What kind of picture it is.

    Attributes
    ----------
    kind : str
        ``t1``, ``t2``, ``flair``, ``pd``, ``stir``, ``adc``, ``dwi`` and others of this file; empty where nothing tells.
    enhanced : bool or None
        Whether contrast agent was given before; None where nothing tells.
    by_times : bool
        The kind follows from echo, repetition and inversion time alone.
    """

    kind: str = ""
    enhanced: bool | None = None
    by_times: bool = False


def told_by_words(text: str) -> Weighting:
    """Return what a description, a protocol or a channel's name says."""
    said = spelt(text)
    kind = next((kind for kind, pattern in _KINDS if re.search(pattern, said)), "")
    if _NATIVE.search(said):
        return Weighting(kind, False)
    return Weighting(kind, True if _ENHANCED.search(said) else None)


def weighting_of(description: str, made: Acquisition) -> Weighting:
    """Return what kind of picture a series is: by its description, else by its protocol, else by its times.

    Whether contrast agent was given the description says best: scanners keep the agent in the headers of what follows, and
    people who copy series leave it out.
    """
    described, protocol = told_by_words(description), told_by_words(made.protocol)
    kind = described.kind or protocol.kind
    enhanced = described.enhanced
    if enhanced is None:
        enhanced = True if made.agent else protocol.enhanced
    if kind:
        return Weighting(kind, enhanced)
    kind = _by_times(made)
    return Weighting(kind, enhanced, bool(kind))


def spelt(text: str) -> str:
    """Return a text in lower case with every mark that parts words as one space."""
    return " ".join(re.sub(r"[_\-.,;:/\\()\[\]^]+", _part, text.lower()).split())


def _part(found: re.Match[str]) -> str:
    # What these stand for would be lost: w/o, -C.
    return found.group() if found.group() in ("/", "-") else " "


def _by_times(made: Acquisition) -> str:
    echo, repetition, inversion = made.echo_ms, made.repetition_ms, made.inversion_ms or 0.0
    if echo is None or repetition is None or "EP" in made.sequence:
        return ""
    if repetition >= _LONG_TR_MS and echo >= _LONG_TE_MS:
        return "flair" if inversion >= _FLUID_DARK_TI_MS else "t2"
    if 0.0 < inversion <= _FAT_DARK_TI_MS and repetition >= _LONG_TR_MS:
        return "stir"
    if echo <= _SHORT_TE_MS:
        prepared = inversion > _FAT_DARK_TI_MS and inversion < _FLUID_DARK_TI_MS and repetition <= _PREPARED_TR_MS
        if repetition <= _SHORT_TR_MS or prepared:
            return "t1"
        if "SE" in made.sequence:
            return "pd"
    return ""
