"""Which series is which channel of a model: proposed from what the headers say, for a person to confirm."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from medview.core.geometry import Calibration
from medview.ml.inputs.candidate import Candidate
from medview.ml.inputs.weighting import Weighting, spelt, told_by_words, weighting_of
from medview.ml.spec import ChannelSpec

SURE_BY = 1.0
"""A proposal is sure when every other way to give the parts out has less evidence by at least this much."""

LEAST = 0.5
LEAST_TOLD = 2.0
"""Evidence below which a series is proposed for nothing; more where words or the kind of picture could tell."""

ITSELF, SAME_STUDY, SAME_WAY = 1.5, 2.0, 1.0
"""Evidence for the series that is looked at, and for others of its study and with slices parallel to its own."""

_PARALLEL = 0.98
_SHORT_WORD = 3


@dataclass(frozen=True, slots=True)
class Role:
    """A channel and the series proposed for it.

    Attributes
    ----------
    channel : str
        Its name.
    key : str
        Of the candidate; empty where none is proposed.
    sure : bool
        No other series is nearly as likely.
    rivals : tuple of str
        Keys of others that are nearly as likely, where it is not.
    """

    channel: str
    key: str = ""
    sure: bool = False
    rivals: tuple[str, ...] = ()


def propose(channels: Sequence[ChannelSpec], candidates: Sequence[Candidate], looked_at: str = "") -> tuple[Role, ...]:
    """Give every channel the series that suits it best, no series twice.

    Evidence is: the modality, what kind of picture its description, protocol or times tell, contrast agent, and the words
    that the pack lists for and against.

    Parameters
    ----------
    candidates : sequence of Candidate
        Of one patient.
    looked_at : str
        Key of the series a person has before them, who means that one rather than another like it, and others of its study
        with slices that lie as its own do.
    """
    # Of two alike the larger one, which is not cropped or thinned out.
    candidates = sorted(candidates, key=lambda one: -prod(one.geometry.shape_kji))
    base = next((one for one in candidates if one.key == looked_at), None)
    roles = _given_out(channels, candidates, base)
    first = next((one for one in candidates if roles and one.key == roles[0].key and roles[0].sure), None)
    # Nobody looks at anything: the rest goes with the first channel, if that is clear.
    return _given_out(channels, candidates, first) if base is None and first is not None else roles


def _given_out(
    channels: Sequence[ChannelSpec], candidates: Sequence[Candidate], base: Candidate | None
) -> tuple[Role, ...]:
    scores = [[_beside(evidence(channel, one), one, base) for one in candidates] for channel in channels]
    taken, best = _assign(scores)
    roles = []
    for n, channel in enumerate(channels):
        at = taken.get(n)
        if at is None:
            likely = tuple(one.key for one, score in zip(candidates, scores[n], strict=True) if score is not None)
            roles.append(Role(channel.name, rivals=likely))
            continue
        rivals = []
        rest = _assign([[None] * len(candidates) if m == n else row for m, row in enumerate(scores)])[1]
        for other, score in enumerate(scores[n]):
            # Nothing can come of it that reaches the best, whoever has it now.
            if other == at or score is None or best - (score + rest) >= SURE_BY:
                continue
            without = [list(row) for row in scores]
            without[n] = [one if m == other else None for m, one in enumerate(scores[n])]
            if best - _assign(without)[1] < SURE_BY:
                rivals.append(candidates[other].key)
        roles.append(Role(channel.name, candidates[at].key, not rivals, tuple(rivals)))
    return tuple(roles)


def evidence(channel: ChannelSpec, one: Candidate) -> float | None:
    """Return how much speaks for a series being a channel; None where it cannot be, or more speaks against it."""
    if one.geometry.calibration is not Calibration.VOLUME:
        return None
    if one.colour or (one.modality and channel.modality and one.modality not in channel.modality):
        return None
    if channel.unit and one.unit != channel.unit and (one.modality or one.unit):
        return None
    score = 1.0 if one.modality and one.modality in channel.modality else 0.0
    score += _kind_evidence(channel, one)
    said = spelt(f"{one.description} {one.acquisition.protocol}")
    found = sum(_says(said, word) for word in channel.words)
    score += min(4.0, 2.5 + 0.5 * found) if found else 0.0
    score -= 3.0 if any(_says(said, word) for word in channel.not_words) else 0.0
    score += 1.0 if _says(spelt(one.description), channel.name.lower()) else 0.0
    told = bool(channel.words) or bool(_wanted(channel).kind)
    return score if score >= (LEAST_TOLD if told else LEAST) else None


def _wanted(channel: ChannelSpec) -> Weighting:
    named = told_by_words(channel.name)
    return named if named.kind else told_by_words(" ".join(channel.words))


def _kind_evidence(channel: ChannelSpec, one: Candidate) -> float:
    if one.modality not in ("", "MR"):
        return 0.0
    wanted = _wanted(channel)
    have = weighting_of(one.description, one.acquisition)
    if not wanted.kind or not have.kind:
        return 0.0
    if wanted.kind != have.kind:
        return -4.0
    score = 3.0 if have.by_times else 4.0
    if wanted.kind != "t1":
        return score
    # Only of T1 pictures it matters; the agent is stated of what follows as well.
    if wanted.enhanced:
        return score + (1.0 if have.enhanced else -3.0 if have.enhanced is False else -1.5)
    return score + (-3.0 if have.enhanced else 1.0 if have.enhanced is False else 0.5)


def _says(said: str, word: str) -> bool:
    """Whether a text has a word: long ones anywhere, short ones where no letter precedes them."""
    word = spelt(word)
    if len(word) > _SHORT_WORD:
        return word in said
    # T1post is T1, and CTA is not CT.
    end = "" if word[-1:].isdigit() else "(?![a-z])"
    return bool(word) and re.search(rf"(?<![a-z]){re.escape(word)}{end}", said) is not None


def _beside(score: float | None, one: Candidate, base: Candidate | None) -> float | None:
    """Return evidence with what speaks for a series beside the one that is looked at: its study, and slices its way."""
    if score is None or base is None:
        return score
    if one is base:
        return score + ITSELF + SAME_STUDY + SAME_WAY
    score += SAME_STUDY if one.study_uid and one.study_uid == base.study_uid else 0.0
    along = abs(float(one.geometry.directions_kji[0] @ base.geometry.directions_kji[0]))
    return score + (SAME_WAY if along > _PARALLEL else 0.0)


def _assign(scores: Sequence[Sequence[float | None]]) -> tuple[Mapping[int, int], float]:
    """Return which candidate each channel gets so that the sum is largest, and the sum.

    One channel after the other is added by the best chain of exchanges that starts with it and ends in a free candidate
    or in a channel that goes without; found as longest paths, since an exchange may lose at first.
    """
    taken: dict[int, int] = {}
    total = 0.0
    for start in range(len(scores)):
        chain, gain = _best_chain(scores, taken, start)
        total += gain
        taken |= dict(chain)
        if gain and chain and chain[-1][1] < 0:
            del taken[chain[-1][0]]
    return taken, total


def _best_chain(
    scores: Sequence[Sequence[float | None]], taken: Mapping[int, int], start: int
) -> tuple[list[tuple[int, int]], float]:
    """Return the exchanges, each a channel and the candidate it gets (-1 for none), and what they gain."""
    owner = {candidate: channel for channel, candidate in taken.items()}
    gain_at: dict[int, float] = {start: 0.0}
    came: dict[int, list[tuple[int, int]]] = {start: []}
    best: tuple[list[tuple[int, int]], float] = ([], 0.0)
    for _ in range(len(scores)):
        grown = False
        for channel in list(gain_at):
            for candidate, score in enumerate(scores[channel]):
                if score is None or candidate == taken.get(channel):
                    continue
                chain, gain = [*came[channel], (channel, candidate)], gain_at[channel] + score
                holder = owner.get(candidate)
                if holder is None:
                    if gain > best[1]:
                        best = chain, gain
                    continue
                held = scores[holder][candidate] or 0.0
                if gain - held > 0.0 and gain - held > best[1]:
                    best = [*chain, (holder, -1)], gain - held
                if holder not in (one for one, _ in chain) and gain - held > gain_at.get(holder, float("-inf")):
                    gain_at[holder], came[holder] = gain - held, chain
                    grown = True
        if not grown:
            break
    return best
