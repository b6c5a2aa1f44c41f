"""A case of a project read whole, as a model gets it with nobody at the screen."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from medview.core.errors import ModelError, ReadError
from medview.core.job import JobContext
from medview.core.pixel_hash import left_out, same_pixels
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Volume
from medview.io.library import Library
from medview.io.reader_pool import Pool
from medview.io.series_reader import SeriesReader
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.store.case_images import CaseImages, other_pixels
from medview.workspace.input_preparation import Preparation
from medview.workspace.operations.queue_known import request_for
from medview.workspace.queue import SeriesPlace
from medview.workspace.queue_fit import fit_of
from medview.workspace.requests_queue import ReadVolume, damage, find_volume


@dataclass(frozen=True, slots=True, eq=False)
class CaseRequest:
    """What a model is asked about a case, and the images it is about."""

    request: PredictRequest | Preparation
    entry: VolumeEntry
    volume: Volume


def request_of_case(
    pack: ModelPack,
    row: CaseImages,
    rows: Sequence[CaseImages],
    context: JobContext,
    pool: Pool,
    device: str = "auto",
    library: Library | None = None,
) -> CaseRequest:
    """Read a case and return what a model is asked about it.

    Parameters
    ----------
    rows : sequence of CaseImages
        All cases: those of the same study may be further channels.

    Raises
    ------
    ModelError
        When the model is not for this case.
    ReadError
        When its files are gone, hold something else, or have slices that cannot be read.
    StoreError
        When its pixels are not those it was labelled on.
    """
    series, entry = find_volume(place_of_case(row), context, pool, library)
    fit = fit_of(pack, series.modality, entry)
    if not fit.ok:
        raise ModelError(fit.reason)
    reader = SeriesReader(pool)
    opened = reader.begin(series, entry)
    damaged = {report.k for report in reader.fill(opened, entry.shape_kji[0] // 2, context)}
    if damaged:
        raise ReadError(damage(len(damaged)))
    known = row.pixels_sha256
    if known and not left_out(known) and not same_pixels(opened.volume, known):
        raise other_pixels()
    others = _beside(pack, row, rows, context, pool, library)
    return CaseRequest(
        request_for(pack, ReadVolume(series, entry, opened.volume), others, pool, device), entry, opened.volume
    )


def place_of_case(row: CaseImages) -> SeriesPlace:
    """Return where the volume of a case is."""
    key, sources = row.key, row.sources
    return SeriesPlace(
        key.series_uid, key.study_uid, sources.modality, sources.description, row.geometry.shape_kji, sources.paths
    )


def _beside(
    pack: ModelPack,
    row: CaseImages,
    rows: Sequence[CaseImages],
    context: JobContext,
    pool: Pool,
    library: Library | None,
) -> list[tuple[Series, VolumeEntry]]:
    """Return the volumes of other cases of the study, for models of several channels."""
    found = []
    if pack.spec.input.several:
        for other in rows:
            if other.key.study_uid == row.key.study_uid and other.case_id != row.case_id:
                with contextlib.suppress(ReadError):
                    found.append(find_volume(place_of_case(other), context, pool, library))
    return found
