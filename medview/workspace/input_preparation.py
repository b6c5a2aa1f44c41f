"""The channels of a model read and brought onto one grid, away from the window."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace

from medview.core.errors import GeometryError, ModelError
from medview.core.geometry import Geometry
from medview.core.job import JobContext, JobPart
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Volume
from medview.io.reader_pool import Pool
from medview.ml.inputs.checks import remarks_on_values
from medview.ml.inputs.placing import part_shown
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest

COVERED = 0.98
"""Part of the reference that another channel has to show; less is said."""

_PREPARED = 0.1
"""Part of a job that reading and resampling channels is taken to be."""


@dataclass(frozen=True, slots=True, eq=False)
class ChannelInput:
    """What becomes one channel.

    Attributes
    ----------
    volume : Volume or None
        None where it has still to be read.
    placed : Geometry
        Its grid in the patient space of the reference.
    resampled : bool
        It lies on another grid than the reference.
    """

    name: str
    series: Series
    entry: VolumeEntry
    volume: Volume | None
    placed: Geometry
    resampled: bool


@dataclass(frozen=True, slots=True, eq=False)
class Preparation:
    """Makes the request of a prediction from channels that are not read or not on one grid. Frozen; run in a worker.

    Attributes
    ----------
    channels : tuple of ChannelInput
        In the model's order.
    reference : int
        The channel on whose grid the result lies.
    remarks : tuple of str
        What is known to be said already.
    """

    pack: ModelPack
    channels: tuple[ChannelInput, ...]
    reference: int
    device: str
    job_id: str
    pool: Pool
    remarks: tuple[str, ...] = ()

    def prepare(self, context: JobContext) -> PredictRequest:
        """Read and resample.

        Raises
        ------
        ModelError
            Where slices are damaged, or a channel shows nothing of the reference.
        ReadError, CancelledError
        """
        remarks = list(self.remarks)
        count = len(self.channels)
        volumes = []
        for n, channel in enumerate(self.channels):
            part = JobPart(context, n / (2 * count), (n + 1) / (2 * count))
            volume = channel.volume
            if volume is None:
                volume = self._read(channel, part)
                remarks += self._named(channel, remarks_on_values(self.pack.spec, n, volume))
            volumes.append(volume)
        reference = volumes[self.reference]
        # Its own geometry again: a registered one keeps its patient space, the others come to it.
        target = reference.geometry
        for n, channel in enumerate(self.channels):
            part = JobPart(context, 0.5 + n / (2 * count), 0.5 + (n + 1) / (2 * count))
            if channel.resampled:
                volumes[n], note = self._onto(volumes[n], channel, target, part)
                remarks += self._named(channel, note)
            elif n != self.reference:
                # Grids that differ by rounding are one; the result is on the reference's to the last digit.
                volumes[n] = replace(volumes[n], geometry=target)
        if self.reference:
            # The result is on the grid of the reference, and belongs to it.
            volumes[0] = replace(
                volumes[0],
                series_uid=reference.series_uid,
                study_uid=reference.study_uid,
                sop_instance_uids=reference.sop_instance_uids,
            )
        return PredictRequest(volumes[0], self.pack, self.device, self.job_id, tuple(volumes[1:]), tuple(remarks))

    def _read(self, channel: ChannelInput, context: JobContext) -> Volume:
        # Readers take a while to import; the window is on screen before anybody runs a model.
        from medview.io.series_reader import SeriesReader

        reader = SeriesReader(self.pool)
        opened = reader.begin(channel.series, channel.entry)
        damaged = reader.fill(opened, channel.entry.shape_kji[0] // 2, context)
        if damaged:
            raise ModelError(
                f"{len(damaged)} slices of the series for {channel.name} are damaged, so the model would see gaps; "
                "it was not started."
            )
        return opened.volume

    def _onto(
        self, volume: Volume, channel: ChannelInput, target: Geometry, context: JobContext
    ) -> tuple[Volume, tuple[str, ...]]:
        reference = self.channels[self.reference].name
        # SimpleITK and VTK take a while to import; the window stands before anybody needs them.
        analysis = importlib.import_module("medview.analysis.onto_grid")
        try:
            found = analysis.onto_grid(volume, channel.placed, target, context)
        except GeometryError as error:
            raise ModelError(
                f"{channel.name} and {reference} show no common part of the patient; choose other series.",
                detail=error.sentence,
            ) from error
        resampled: Volume = found.volume
        if found.covered >= COVERED:
            return resampled, ()
        return resampled, (part_shown(found.covered, reference),)

    def _named(self, channel: ChannelInput, sentences: tuple[str, ...]) -> list[str]:
        if len(self.channels) == 1:
            return list(sentences)
        return [f"{channel.name}: {sentence}" for sentence in sentences]


def prepared(request: PredictRequest | Preparation, context: JobContext) -> tuple[PredictRequest, JobContext]:
    """Return what a model runs on, read and resampled where it is not, and the context for what is left of the job.

    Raises
    ------
    ModelError, ReadError, CancelledError
        As ``Preparation.prepare``.
    """
    if not isinstance(request, Preparation):
        return request, context
    rest = JobPart(context, _PREPARED, 1.0, whole=True)
    return request.prepare(JobPart(context, 0.0, _PREPARED)), rest
