"""Cases that are unlike the others: another grid, another turn, other values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from medview.ml.examples import ExampleSet
from medview.ml.guards.facts import ExampleFacts
from medview.ml.guards.finding import GuardFinding, Severity, listed

FloatArray = npt.NDArray[np.float64]

FEWEST = 5
"""Cases from which on one can be unlike the others."""

SPREADS = 6.0
"""Robust standard deviations from the middle that are far."""

_LEAST_LOG = float(np.log(1.6))
_LEAST_PART = 0.35
"""Of the usual range of values: what lies nearer is never far, however alike the others are."""


def unlike(facts: Sequence[ExampleFacts], _: ExampleSet) -> Iterator[GuardFinding]:
    """Spacing, orientation, intensity, unit and modality that differ from those of most cases."""
    yield from _mixed(facts)
    if len(facts) < FEWEST:
        return
    yield from _spacing(facts)
    yield from _orientation(facts)
    yield from _values(facts)


def _mixed(facts: Sequence[ExampleFacts]) -> Iterator[GuardFinding]:
    for what, counts in (
        ("unit", Counter(one.unit for one in facts)),
        ("modality", Counter(one.modality for one in facts)),
    ):
        if len(counts) > 1:
            told = ", ".join(f"{count} {name or 'unknown'}" for name, count in counts.most_common())
            yield GuardFinding(
                f"mixed-{what}",
                Severity.CONFIRM if what == "unit" else Severity.WARN,
                f"The cases are of more than one {what} ({told}); train on one of them unless the mixture is meant.",
            )


def _spacing(facts: Sequence[ExampleFacts]) -> Iterator[GuardFinding]:
    placed = [one for one in facts if one.spacing_kji_mm is not None]
    if len(placed) < FEWEST:
        return
    logs = np.log(np.array([one.spacing_kji_mm for one in placed]))
    far = _far(logs, np.full(3, _LEAST_LOG))
    if far.any():
        usual = " x ".join(f"{n:.2g}" for n in np.exp(np.median(logs, axis=0)))
        own = [one for one, is_far in zip(placed, far, strict=True) if is_far]
        named = [f"{one.key} {' x '.join(f'{n:.2g}' for n in one.spacing_kji_mm or ())}" for one in own]
        yield GuardFinding(
            "spacing",
            Severity.WARN,
            f"Voxels are of another size than usual ({usual} mm): {listed(named)}; check that these are the right series.",
            tuple(one.key for one in own),
        )


def _orientation(facts: Sequence[ExampleFacts]) -> Iterator[GuardFinding]:
    counts = Counter(one.orientation for one in facts if one.orientation)
    if len(counts) < 2:
        return
    usual = counts.most_common(1)[0][0]
    own = [one for one in facts if one.orientation not in ("", usual)]
    yield GuardFinding(
        "orientation",
        Severity.WARN,
        f"{listed([f'{one.key} {one.orientation}' for one in own])} lie otherwise than most ({usual}); they are turned "
        "alike before training: check that their headers are right.",
        tuple(one.key for one in own),
    )


def _values(facts: Sequence[ExampleFacts]) -> Iterator[GuardFinding]:
    table = np.array([one.values for one in facts])
    usual = float(np.median(table[:, 2] - table[:, 0]))
    far = _far(table, np.full(3, _LEAST_PART * usual)) & (usual > 0)
    if far.any():
        own = [one for one, is_far in zip(facts, far, strict=True) if is_far]
        low, high = np.median(table[:, [0, 2]], axis=0)
        named = [f"{one.key} {one.values[0]:.4g} to {one.values[2]:.4g}" for one in own]
        yield GuardFinding(
            "intensity",
            Severity.WARN,
            f"Values lie elsewhere than usual ({low:.4g} to {high:.4g}): {listed(named)}; check their rescale and unit.",
            tuple(one.key for one in own),
        )


def _far(table: FloatArray, least: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which rows lie far from the middle of any column, in spreads of the columns and in ``least`` at all."""
    away = np.abs(table - np.median(table, axis=0))
    spread = 1.4826 * np.median(away, axis=0)
    return np.asarray((away > np.maximum(SPREADS * spread, least)).any(axis=1))
