"""The whole way from a path to a volume in one call, for the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from medview.core.errors import AmbiguousError, ReadError
from medview.core.job import JobContext
from medview.core.study import DamagedFile, Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.io.dicom.scan import scan
from medview.io.fill import SliceReport
from medview.io.reader_pool import InlinePool, Pool
from medview.io.series_reader import SeriesReader


@dataclass(frozen=True, slots=True)
class LoadedVolume:
    """A volume read whole.

    Attributes
    ----------
    damaged : tuple of DamagedFile
        Files under the path that could not be read, and slices of this volume that could not be decoded.
    gaps : tuple of int
        Which slices k of this volume those are; they hold stored zeros.
    """

    volume: Volume
    series: Series
    entry: VolumeEntry
    damaged: tuple[DamagedFile, ...] = ()
    gaps: tuple[int, ...] = ()


def load_volume(path: Path, series_uid: str | None, context: JobContext, pool: Pool | None = None) -> LoadedVolume:
    """Read the one volume under a path.

    Parameters
    ----------
    series_uid : str or None
        Which series, where there are several. Its best volume is read.

    Raises
    ------
    AmbiguousError
        When there are several candidates; the sentence lists them.
    ReadError
        When there is no image, or none of its slices can be read.
    """
    pool = pool or InlinePool()
    found = scan(path, context, pool)
    if found.damaged and not any(one.volumes for one in found.series):
        more = f" ({len(found.damaged)} files are damaged.)" if len(found.damaged) > 1 else ""
        raise ReadError(found.damaged[0].reason + more)
    series, entry = choose(path, found.series, series_uid)
    reader = SeriesReader(pool)
    opened = reader.begin(series, entry)
    bad = reader.fill(opened, entry.shape_kji[0] // 2, context)
    if len(bad) == entry.shape_kji[0]:
        raise ReadError(bad[0].reason)
    return LoadedVolume(opened.volume, series, entry, (*found.damaged, *_slices(entry, bad)), tuple(one.k for one in bad))


def choose(path: Path, series: tuple[Series, ...], series_uid: str | None) -> tuple[Series, VolumeEntry]:
    """Return the series and volume that are meant. Raises AmbiguousError or ReadError."""
    candidates = [one for one in series if one.volumes and (series_uid is None or one.series_uid == series_uid)]
    if not candidates:
        if series_uid is not None:
            raise ReadError(f"{path.name} holds no series {series_uid}; `medview scan` lists what is there.")
        raise ReadError(f"{path.name or path} holds no images; choose a DICOM folder, a NIfTI or NRRD file, or a picture.")
    usable = [one for one in candidates if one.best is not None]
    if not usable:
        refused = candidates[0].volumes[0]
        raise ReadError(
            f"{path.name} cannot be opened: {refused.reasons[-1].text if refused.reasons else 'it is refused.'}"
        )
    if len(usable) > 1:
        listed = "; ".join(_line(one) for one in usable[:20])
        more = f"; and {len(usable) - 20} more" if len(usable) > 20 else ""
        raise AmbiguousError(f"{path.name} holds {len(usable)} series; name one with --series: {listed}{more}")
    best = usable[0].best
    assert best is not None
    return usable[0], best


def _line(series: Series) -> str:
    best = series.best
    size = " x ".join(str(n) for n in best.shape_kji) if best is not None else ""
    verdict = best.verdict.value if best is not None else Verdict.REFUSED.value
    return (
        f"{series.series_uid} ({series.modality or 'image'}, {series.description or 'no description'}, {size}, {verdict})"
    )


def _slices(entry: VolumeEntry, bad: list[SliceReport]) -> tuple[DamagedFile, ...]:
    frames = entry.frames
    return tuple(DamagedFile(frames[r.k if r.k < len(frames) else 0].path, r.reason) for r in bad)
