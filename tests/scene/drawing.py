"""The process that draws, asked one thing at a time, and a phantom that no turn or mirror leaves as it is."""

from __future__ import annotations

from queue import Queue

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.volume import Volume
from medview.scene.camera import Orbit, Shot, Stage
from medview.scene.client import SceneClient
from medview.scene.grid import Grid
from medview.scene.messages import Answer, Look, Message, Pick, Picked, Picture, Ready, SetVolume, UsePreset
from medview.scene.presets import Blend, Preset

PATIENCE_S = 60.0
SIZE_PX = (240, 200)
SOLID = Preset("solid", "Solid", Blend.COMPOSITE, ((400, 0), (500, 0.9), (3000, 1)), ((400, 255, 255, 255),), 0.0)
"""Everything above 500 HU, white."""
BALL_MM = 9.0

FRONT, LEFT, BACK, RIGHT = (Orbit(azimuth) for azimuth in (0.0, 90.0, 180.0, 270.0))
ABOVE, BELOW = Orbit(0.0, 90.0), Orbit(0.0, -90.0)


class Drawing:
    """A client whose answers are waited for."""

    def __init__(self) -> None:
        self.answers: Queue[Answer] = Queue()
        self.client = SceneClient(self.answers.put)
        self.client.start()
        self._serial = 0

    def end(self) -> None:
        self.client.stop()
        self.client.wait(PATIENCE_S)

    def ready(self) -> Ready:
        answer = self.answer()
        assert isinstance(answer, Ready), answer
        return answer

    def answer(self) -> Answer:
        return self.answers.get(timeout=PATIENCE_S)

    def next(self, kind: type[Picture] | type[Picked]) -> Answer:
        """The next answer of a kind, whatever comes before it."""
        while True:
            answer = self.answer()
            assert isinstance(answer, Ready | Picture | Picked), answer
            if isinstance(answer, kind):
                return answer

    def show(self, *messages: Message) -> None:
        for message in messages:
            self.client.send(message)

    def look(self, orbit: Orbit = FRONT, size_px: tuple[int, int] = SIZE_PX) -> npt.NDArray[np.uint8]:
        """A picture, (y, x, RGB)."""
        self._serial += 1
        self.client.send(Look(self._serial, orbit, size_px))
        picture = self.next(Picture)
        assert isinstance(picture, Picture)
        assert picture.look.serial == self._serial
        width, height = picture.look.size_px
        return np.frombuffer(picture.rgb, dtype=np.uint8).reshape(height, width, 3)

    def pick(self, orbit: Orbit, x_px: float, y_px: float) -> Picked:
        self.client.send(Pick(Look(0, orbit, SIZE_PX), x_px, y_px))
        picked = self.next(Picked)
        assert isinstance(picked, Picked)
        return picked


def turned_affine(spacing_kji_mm: tuple[float, float, float], shear: float = 0.0, *, left_handed: bool = False) -> Geometry:
    """Return a grid turned about two axes, its middle off the origin, perhaps sheared by a gantry tilt or mirrored."""
    a, b = np.deg2rad(14.0), np.deg2rad(-9.0)
    turn_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    axes = turn_z @ turn_x @ np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=float)
    axes[:, 0] += shear * axes[:, 1]
    if left_handed:
        axes[:, 0] *= -1
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array(spacing_kji_mm)
    affine[:3, 3] = (-31.0, 17.0, -203.0)
    return Geometry((34, 70, 90), affine, "1.2.3")


def ball_centre(geometry: Geometry) -> npt.NDArray[np.float64]:
    """A point towards the patient's left, the front and the head from the middle of the grid, in LPS mm."""
    middle = geometry.point_lps_mm((np.asarray(geometry.shape_kji) - 1) / 2)
    return np.asarray(middle + np.array((16.0, -12.0, 22.0)))


def ball_volume(geometry: Geometry) -> Volume:
    """Return air with one round ball of BALL_MM radius at ``ball_centre``; its edge is a ramp, as a scanner's is."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    distance = np.linalg.norm(geometry.point_lps_mm(index) - ball_centre(geometry), axis=-1)
    voxels = np.clip((BALL_MM - distance) * 800.0 + 500.0, -1000, 2000).astype(np.int16)
    return Volume(voxels, geometry, modality="CT", unit="HU")


def blob_px(picture: npt.NDArray[np.uint8]) -> tuple[float, float]:
    """Middle (x, y) of what is bright in a picture."""
    y, x = np.nonzero(picture.max(axis=2) > 30)
    assert x.size, "the picture is black"
    return float(x.mean()) + 0.5, float(y.mean()) + 0.5


def expected_px(
    stage: Stage, orbit: Orbit, point_lps_mm: npt.ArrayLike, size_px: tuple[int, int] = SIZE_PX
) -> tuple[float, float]:
    x, y, _ = Shot(orbit, stage, size_px).pixel(point_lps_mm)
    return x, y


def show_ball(drawing: Drawing, grid: Grid) -> None:
    drawing.show(SetVolume(grid), UsePreset(SOLID))
