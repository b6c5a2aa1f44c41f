"""How far readers go together who measured the same things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_NORMAL_95 = 1.959963984540054
"""Half the width, in standard deviations, of what holds 95 % of a normal distribution."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LimitsOfAgreement:
    """Differences of two readers' numbers (Bland and Altman 1986), in the unit of the numbers.

    Attributes
    ----------
    left_out : int
        Things that one of them did not measure.
    mean_difference : float or None
        Second less first; None without things both measured.
    sd_difference : float or None
        Of the sample; None with fewer than two.
    lower, upper : float or None
        Between them lie about 95 % of the differences, were they normal: mean -/+ 1.96 standard deviations.
    mean_ci95, lower_ci95, upper_ci95 : tuple of float, or None
        How well mean and limits are known (Student's t; the limits with a standard error of sqrt(3 / n) sd).
    """

    things: int
    left_out: int
    mean_difference: float | None = None
    sd_difference: float | None = None
    lower: float | None = None
    upper: float | None = None
    mean_ci95: tuple[float, float] | None = None
    lower_ci95: tuple[float, float] | None = None
    upper_ci95: tuple[float, float] | None = None


def limits_of_agreement(first: npt.ArrayLike, second: npt.ArrayLike) -> LimitsOfAgreement:
    """Compare two readers' numbers of the same things, shape (things,); NaN where one did not measure."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"numbers of the same things are compared, not shapes {a.shape} and {b.shape}")
    both = np.isfinite(a) & np.isfinite(b)
    apart = b[both] - a[both]
    n, left_out = apart.size, a.size - apart.size
    if not n:
        return LimitsOfAgreement(0, left_out)
    mean = float(apart.mean())
    if n < 2:
        return LimitsOfAgreement(n, left_out, mean)
    from scipy.stats import t as student  # late: it takes long to import

    sd = float(apart.std(ddof=1))
    lower, upper = mean - _NORMAL_95 * sd, mean + _NORMAL_95 * sd
    reach = float(student.ppf(0.975, n - 1)) * sd / np.sqrt(n)
    limit = reach * np.sqrt(3.0)
    return LimitsOfAgreement(
        n,
        left_out,
        mean,
        sd,
        lower,
        upper,
        (float(mean - reach), float(mean + reach)),
        (float(lower - limit), float(lower + limit)),
        (float(upper - limit), float(upper + limit)),
    )


@dataclass(frozen=True, slots=True)
class IntraclassCorrelation:
    """ICC(2,1): how much of the variance of single numbers is that of the things (Shrout and Fleiss 1979).

    Things and readers are samples of more of both, and readers who differ by a constant disagree (two-way random effects,
    absolute agreement, single reader). None where it is not defined: fewer than two things or readers, or all numbers the
    same.

    Attributes
    ----------
    left_out : int
        Things that some reader did not measure.
    ci95 : tuple of float, or None
        By the F distribution (McGraw and Wong 1996); None for numbers whose variances leave it without any.
    """

    things: int
    readers: int
    left_out: int
    icc: float | None = None
    ci95: tuple[float, float] | None = None


def intraclass_correlation(numbers: npt.ArrayLike) -> IntraclassCorrelation:
    """Compare readers' numbers of the same things, shape (things, readers); things with a NaN are left out."""
    every = np.asarray(numbers, dtype=np.float64)
    if every.ndim != 2:
        raise ValueError(f"numbers are a table of things by readers, not of shape {every.shape}")
    table = every[np.isfinite(every).all(axis=1)]
    (n, k), left_out = table.shape, len(every) - len(table)
    if n < 2 or k < 2:
        return IntraclassCorrelation(n, k, left_out)
    middle = table.mean()
    between_things = k * ((table.mean(axis=1) - middle) ** 2).sum() / (n - 1)
    between_readers = n * ((table.mean(axis=0) - middle) ** 2).sum() / (k - 1)
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0, keepdims=True) + middle
    error = (rest**2).sum() / ((n - 1) * (k - 1))
    below = between_things + (k - 1) * error + k * (between_readers - error) / n
    if not below > 0:
        return IntraclassCorrelation(n, k, left_out)
    icc = float((between_things - error) / below)
    return IntraclassCorrelation(n, k, left_out, icc, _icc_ci95(icc, n, k, between_things, between_readers, error))


def _icc_ci95(icc: float, n: int, k: int, things: float, readers: float, error: float) -> tuple[float, float] | None:
    from scipy.stats import f as fisher  # late: it takes long to import

    if icc >= 1.0 or not error > 0:
        return icc, icc
    a = k * icc / (n * (1.0 - icc))
    b = 1.0 + k * icc * (n - 1) / (n * (1.0 - icc))
    shared = k * readers + (k * n - k - n) * error
    # Where ICC is negative so is ``a``: there may be no degrees of freedom, and no quantiles.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        spread = (a * readers) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
        freedom = (a * readers + b * error) ** 2 / spread
        below, above = float(fisher.ppf(0.975, n - 1, freedom)), float(fisher.ppf(0.975, freedom, n - 1))
        low = n * (things - below * error) / (below * shared + n * things)
        high = n * (above * things - error) / (shared + n * above * things)
    return (float(low), float(high)) if np.isfinite([low, high]).all() else None
