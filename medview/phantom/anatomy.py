"""One made-up person: sizes, tissues and how deep the breath was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What differs between phantom patients. Millimetres and Hounsfield units.

    Attributes
    ----------
    size : float
        Scale of the whole trunk; 1 is a middle-sized adult.
    depth : float
        Front-to-back scale on top of ``size``.
    fat_mm : float
        Fat under the skin at the side; front and back follow.
    breath_mm : float
        How far the diaphragm is below its middle position.
    heart : float
        Scale of the heart.
    blood_hu : float
        About 45 without contrast medium, 120 to 190 with.
    lung_hu : float
        Healthy lung tissue without its visible vessels.
    gradient_hu : float
        How much denser the lung is at the back than in front (the patient lies on the back).
    noise_hu : float
        Standard deviation of the noise in soft tissue.
    lean : float
        Bend of the spine to one side, mm at its ends.
    """

    size: float
    depth: float
    fat_mm: float
    breath_mm: float
    heart: float
    heart_turn: float
    blood_hu: float
    lung_hu: float
    gradient_hu: float
    muscle_hu: float
    bone_hu: float
    noise_hu: float
    rib_phase_mm: float
    lean: float

    @property
    def contrast(self) -> bool:
        """Whether contrast medium was given."""
        return self.blood_hu > 90

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Anatomy:
        """Draw a person."""
        return cls(
            size=rng.uniform(0.9, 1.02),
            depth=rng.uniform(0.94, 1.06),
            fat_mm=rng.uniform(8, 20),
            breath_mm=rng.uniform(-12, 12),
            heart=rng.uniform(0.9, 1.08),
            heart_turn=rng.uniform(-0.15, 0.15),
            blood_hu=rng.uniform(120, 190) if rng.random() < 0.5 else rng.uniform(38, 52),
            lung_hu=rng.uniform(-885, -825),
            gradient_hu=rng.uniform(20, 60),
            muscle_hu=rng.uniform(48, 62),
            bone_hu=rng.uniform(550, 800),
            noise_hu=rng.uniform(10, 20),
            rib_phase_mm=rng.uniform(0, 24),
            lean=rng.uniform(-4, 4),
        )
