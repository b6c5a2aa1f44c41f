"""The request for one prediction. No torch here: the window builds it, a worker runs it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace

import numpy as np

from medview.core.volume import Volume
from medview.ml.packs import ModelPack
from medview.ml.spec import COLOUR_CHANNELS

DEVICES = ("auto", "cpu", "cuda")

_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class PredictRequest:
    """One run of one model on one case; run by ``medview.ml.runners.run.predict``.

    Attributes
    ----------
    volume : Volume
        The first channel, or a picture in colour that is all channels of the model; results come on its grid.
    near_kji : tuple of int, optional
        The voxel of ``volume`` a person is looking at: slices there are worked out first where there is room for it.
    crop : bool
        Whether models that allow it may leave out the air around the patient.
    full_precision : bool
        Whether a graphics card calculates with as many digits as the processor, which takes it longer.
    others : tuple of Volume
        The further channels in the model's order, already on the grid of ``volume``.
    device : str
        ``auto`` chooses by memory plan; ``cpu`` and ``cuda`` insist.
    job_id : str
        Goes into the source of everything predicted.
    remarks : tuple of str
        What was to be said of the input before the run; kept with the result.
    """

    volume: Volume
    pack: ModelPack
    device: str = "auto"
    job_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    others: tuple[Volume, ...] = ()
    remarks: tuple[str, ...] = ()
    near_kji: tuple[int, int, int] | None = None
    crop: bool = True
    full_precision: bool = False

    def __post_init__(self) -> None:
        if len(self.volumes) != len(self.pack.spec.input.channels):
            raise ValueError(f"{self.pack.spec.key} has another number of channels than the {len(self.volumes)} volumes")
        if any(other.geometry.shape_kji != self.volume.geometry.shape_kji for other in self.others):
            raise ValueError("all channels have to be on the grid of the first")
        if self.device not in DEVICES:
            raise ValueError(f"device has to be one of {DEVICES}, not {self.device}")

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """All channels in the model's order: for a model of colours those of the picture, a grey one three times."""
        if self.pack.spec.input.colour and not self.others:
            return colour_parts(self.volume)
        return (self.volume, *self.others)


def brightness(volume: Volume) -> Volume:
    """Return a picture in colour as grey: the part that all three are where they are equal, else luminance (ITU-R BT.601).

    A grey one is returned as it is. Takes a while on large ones: not for the window's thread.
    """
    if not volume.colour:
        return volume
    red, green, blue = (volume.voxels[..., n] for n in range(len(COLOUR_CHANNELS)))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return replace(volume, voxels=np.ascontiguousarray(red))
    planes = [np.rint(plane.astype(np.float32) @ _LUMINANCE).astype(np.uint8) for plane in volume.voxels]
    return replace(volume, voxels=np.stack(planes))


def as_wanted(request: PredictRequest) -> PredictRequest:
    """Return a request with the brightness of a picture in colour where the model takes grey ones."""
    if request.pack.spec.input.colour or not request.volume.colour:
        return request
    return replace(request, volume=brightness(request.volume))


def colour_parts(volume: Volume) -> tuple[Volume, ...]:
    """Return the red, green and blue part of a volume, sharing its memory; a grey one three times."""
    if not volume.colour:
        return (volume,) * len(COLOUR_CHANNELS)
    return tuple(replace(volume, voxels=volume.voxels[..., n]) for n in range(len(COLOUR_CHANNELS)))
