"""Scores made up for tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.ml.next_cases.case_scores import CaseScores
from medview.ml.next_cases.choice import Pool


def made_scores(
    unsure: npt.ArrayLike, slices: npt.ArrayLike, foreground: npt.ArrayLike | None = None, unit: str = "voxels"
) -> CaseScores:
    """Return scores of classes called A, B, ...; what is found lies as what is unsure does unless given."""
    doubt = np.asarray(unsure, dtype=np.float32)
    by_slice = np.asarray(slices, dtype=np.float32)
    there = by_slice if foreground is None else np.asarray(foreground, dtype=np.float32)
    names = tuple("ABCDEFG"[: len(doubt)])
    return CaseScores(
        names, unit, doubt, there.sum(axis=1), by_slice.sum(axis=1), by_slice, there, np.ones(3, dtype=np.float32)
    )  # fmt: skip


def made_pool(unsure: npt.ArrayLike, patients: str, features: npt.ArrayLike | None = None) -> Pool:
    """Return a pool; each letter of ``patients`` is a case's patient, and everything is found everywhere."""
    doubt = np.asarray(unsure, dtype=np.float64)
    looks = np.zeros((len(doubt), 0)) if features is None else np.asarray(features, dtype=np.float64)
    return Pool(tuple(patients), doubt, np.ones_like(doubt), looks)
