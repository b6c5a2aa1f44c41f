"""How the active case is looked at in three dimensions. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from psygnal import SignalGroupDescriptor

from medview.scene.camera import Orbit
from medview.scene.presets import MAX_SHIFT


@dataclass
class SceneView:
    """View in three dimensions; shared by all open cases. Every field has a change signal in ``events``.

    Attributes
    ----------
    preset : str
        Key of the transfer function; where a kind of volume has none of that name its first one is used.
    surfaces : bool
        Segments are shown as surfaces.
    opacity_shift : float
        How far the transfer function is moved up the values, -MAX_SHIFT to MAX_SHIFT.
    """

    preset: str = ""
    surfaces: bool = True
    opacity_shift: float = 0.0
    orbit: Orbit = Orbit()
    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    def shift_opacity(self, by: float) -> None:
        """Move the transfer function further, within bounds."""
        self.opacity_shift = min(MAX_SHIFT, max(-MAX_SHIFT, self.opacity_shift + by))

    def choose(self, preset: str) -> None:
        """Use a preset as it is in the table."""
        self.opacity_shift = 0.0
        self.preset = preset
