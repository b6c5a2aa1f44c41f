"""What is being looked at, and with which tool. Values only; the panes draw them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from psygnal import SignalGroupDescriptor

from medview.core.axes import Axes
from medview.core.heat import Heat
from medview.core.oblique import PlaneLayout
from medview.core.plane import Plane
from medview.core.prompt import PromptKind
from medview.core.slab import Slab
from medview.core.study import Series
from medview.core.voi_table import VoiTransform
from medview.edit.rules import EditRules
from medview.edit.slice_clip import SliceClip
from medview.io.dicom.names import AS_DECLARED, read_as
from medview.workspace.colour_maps import GREY
from medview.workspace.corners import CornerLines, default
from medview.workspace.effect_state import EffectState
from medview.workspace.fusion import Fusion
from medview.workspace.layout import Layout, three_planes
from medview.workspace.prompt_state import PromptState
from medview.workspace.review_state import Review
from medview.workspace.unfinished import Unfinished


class Mode(Enum):
    """What the person is doing; chooses tools and panels, never changes data."""

    READ = "read"
    ANNOTATE = "annotate"


class Tool(Enum):
    """What the left button does."""

    WINDOW = "window"
    CROSSHAIR = "crosshair"
    BRUSH = "brush"
    ERASER = "eraser"
    THRESHOLD_BRUSH = "threshold_brush"
    VALUE_RANGE = "value_range"
    LENGTH = "length"
    BIDIRECTIONAL = "bidirectional"
    ANGLE = "angle"
    COBB = "cobb"
    PROBE = "probe"
    ELLIPSE = "ellipse"
    RECTANGLE = "rectangle"
    FREEHAND = "freehand"
    POLYGON = "polygon"
    MAGNIFIER = "magnifier"
    BOX = "box"
    BOX_3D = "box3d"
    POINT = "point"
    POLYLINE = "polyline"
    LASSO = "lasso"
    LIVEWIRE = "livewire"
    FILL = "fill"
    GROW = "grow"
    SCISSORS = "scissors"
    PROMPT = "prompt"
    ACCEPT_BRUSH = "accept_brush"
    ACCEPT_PIECE = "accept_piece"


MIN_BRUSH_MM = 0.5
MAX_BRUSH_MM = 100.0
MAX_ZOOM = 40.0


@dataclass(frozen=True, slots=True)
class Camera:
    """How a pane looks at its slice.

    Attributes
    ----------
    center_offset_mm : tuple of float
        (down, right): what is in the middle of the pane, measured from the middle of the slice.
    zoom : float
        1 fits the slice into the pane.
    actual : bool
        At zoom 1 a voxel of the finer axis takes one pixel of the screen instead.
    """

    center_offset_mm: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    actual: bool = False

    def panned(self, down_mm: float, right_mm: float) -> Camera:
        """Return the camera with the picture moved by this much."""
        down, right = self.center_offset_mm
        return replace(self, center_offset_mm=(down - down_mm, right - right_mm))

    def zoomed(self, factor: float) -> Camera:
        """Return the camera closer by ``factor``, within bounds."""
        return replace(self, zoom=min(MAX_ZOOM, max(0.25, self.zoom * factor)))


@dataclass(frozen=True, slots=True)
class Turn:
    """How a pane is turned against the way its plane is usually looked at: first mirrored, then turned clockwise."""

    quarters: int = 0
    mirrored: bool = False

    def of(self, plane: PlaneLayout) -> PlaneLayout:
        """Return the layout of a plane so turned; letters, pointer and labels follow from it."""
        turned: PlaneLayout = plane.mirrored() if self.mirrored else plane
        for _ in range(self.quarters % 4):
            turned = turned.rotated()
        return turned

    def rotated(self) -> Turn:
        """Return this turn and a quarter clockwise on top."""
        return Turn((self.quarters + 1) % 4, self.mirrored)

    def flipped(self) -> Turn:
        """Return this turn with left and right of the screen exchanged on top."""
        return Turn(-self.quarters % 4, not self.mirrored)


@dataclass
class CaseView:
    """View of one open case; remembered while the case is open. Every field has a change signal in ``events``.

    Attributes
    ----------
    crosshair_kji : tuple of int
        The voxel that is looked at.
    focus_kji : tuple of float, or None
        Where exactly, for planes at an angle to the grid; it counts while it lies in that voxel, else its middle does.
    axes : Axes or None
        What the three planes look along; None is along the grid.
    chosen_segment_ids : tuple of str
        What is chosen in the list of segments; the active one is among them.
    solo_segment_ids : tuple of str
        While there are any, only these segments are shown, visible or not.
    folded_groups : frozenset of str
        Groups of segments whose members are not listed.
    proposed_box_id : str
        The proposed box that is looked at, or empty.
    least_scores : dict of str to float
        By model: proposed boxes with a lower score are hidden.
    heat : Heat or None
        What lies over the pictures in colours of heat.
    heat_visible, heat_opacity : bool, float
        Whether it is drawn, and how much it hides, 0 to 1.
    unfinished : Unfinished or None
        What a model that is still running has found so far.
    """

    crosshair_kji: tuple[int, int, int]
    window: VoiTransform
    focus_kji: tuple[float, float, float] | None = None
    axes: Axes | None = None
    cameras: dict[Plane, Camera] = field(default_factory=lambda: {plane: Camera() for plane in Plane})
    turns: dict[Plane, Turn] = field(default_factory=dict)
    active_segment_id: str = ""
    active_annotation_id: str = ""
    chosen_segment_ids: tuple[str, ...] = ()
    solo_segment_ids: tuple[str, ...] = ()
    folded_groups: frozenset[str] = frozenset()
    inverted: bool = False
    colour_map: str = GREY
    time_index: int = 0
    proposed_box_id: str = ""
    least_scores: dict[str, float] = field(default_factory=dict)
    heat: Heat | None = None
    heat_visible: bool = True
    heat_opacity: float = 0.55
    unfinished: Unfinished | None = None
    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    def set_camera(self, plane: Plane, camera: Camera) -> None:
        """Replace the camera of one plane."""
        self.cameras = {**self.cameras, plane: camera}

    def set_least_score(self, model_id: str, score: float) -> None:
        """Hide proposed boxes of a model with a lower score."""
        self.least_scores = {**self.least_scores, model_id: score}

    def set_turn(self, plane: Plane, turn: Turn) -> None:
        """Turn one plane."""
        self.turns = {**self.turns, plane: turn}

    @property
    def at_kji(self) -> tuple[float, float, float]:
        """The place that is looked at, exactly."""
        focus, (k, j, i) = self.focus_kji, self.crosshair_kji
        if focus is not None and all(abs(a - b) <= 0.5 for a, b in zip(focus, (k, j, i), strict=True)):
            return focus
        return float(k), float(j), float(i)

    def look_at(self, index_kji: npt.ArrayLike, shape_kji: tuple[int, int, int]) -> None:
        """Look at a place, at its nearest one in a grid of this shape."""
        k, j, i = (min(max(float(n), 0.0), count - 1.0) for n, count in zip(np.asarray(index_kji), shape_kji, strict=True))
        self.focus_kji = (k, j, i)
        self.crosshair_kji = (round(k), round(j), round(i))

    def set_slice(self, axis: int, index: int) -> None:
        """Move the crosshair along one array axis to slice ``index``."""
        moved = list(self.crosshair_kji)
        moved[axis] = index
        self.focus_kji = None
        self.crosshair_kji = (moved[0], moved[1], moved[2])


@dataclass(frozen=True, slots=True)
class Links:
    """What panes do together.

    Attributes
    ----------
    scroll : bool
        Series of one frame of reference show the same place in the patient.
    offset : bool
        All others move as far as the one that is moved.
    """

    scroll: bool = True
    offset: bool = False
    zoom: bool = False
    pan: bool = False
    window: bool = False


@dataclass
class Bench:
    """Tools and layout of the window; shared by all open cases. Every field has a change signal in ``events``.

    Attributes
    ----------
    last_drawing_tool : Tool
        What the annotate mode brings back.
    tool_before : Tool
        What was in the left button before ``tool``.
    brush_ranges : dict
        By modality and unit: lowest and highest value that the threshold brush paints, see ``brush_range``.
    brush_adapts : bool
        The threshold brush takes its range from where each stroke begins.
    brush_spread : float
        How many standard deviations around the mean such a range reaches.
    mark_label : str
        What the next box, point or line is called; empty is by the active segment.
    box_depth, box_depth_in_slices : float, bool
        How deep a new 3-D box is, in millimetres or in slices.
    grow_corners : bool
        Voxels that touch with an edge or a corner hang together when a region grows.
    grow_limit_mm : float
        How far from where it begins a region may reach; 0 is everywhere.
    cut_outside : bool
        Scissors keep what lies inside the outline.
    cut_depth_mm : float
        How deep scissors cut, half of it to each side of the picture; 0 is through everything.
    slice_clip : SliceClip or None
        What was copied from a slice.
    rules : EditRules
        What tools may change, on every case.
    effect : EffectState
        The effect that is being looked at, changed by ``workspace.effects`` only.
    review : Review
        What of the proposals is taken over, compared or looked at; changed by ``workspace.review`` and its like only.
    prompt_drag : PromptKind
        What a drag of the prompt tool is; a click is a point.
    prompt_engine : str
        ``id@version`` of the model that is asked; empty for growing without one.
    prompts : PromptState
        Changed by ``workspace.prompting`` only.
    layout : Layout
        How the centre is divided.
    maximised : str
        Id of the pane that fills the centre, or empty.
    pointed : str
        Id of the pane the pointer was in last; keys act on it.
    chosen : str
        Id of the pane that was pressed last; where panes hold series of their own, the next one opened goes there.
    cases_listed : bool
        The left column lists the cases of the project, not what was found.
    detached : tuple of str
        Ids of panes that stand in windows of their own.
    crosshair_visible : bool
        Lines where the other planes cut are shown.
    slab : Slab
        How many slices a pane shows as one, and how.
    graphics_visible : bool
        What the files draw over their own images is shown; not while the identity is hidden, for it may write names.
    cine_in_time : bool
        Cine plays time where a series has several time points, not slices.
    foreign_labels_visible : bool
        Labels of other series in the same frame of reference are shown, as outlines.
    fusions : dict
        What lies over an open case, by the key of the case below.
    overlay_opacity : float
        Fill of segments, 0 to 1. Outlines stay visible.
    corners : CornerLines
        Which lines stand in which corner of a picture.
    hung : tuple
        What the layout was chosen for: study, modality, verdict, single picture.
    names_read_as : dict
        By patient id and name as in the files: the key of the Charset that a person reads this patient's texts in.
    """

    mode: Mode = Mode.READ
    tool: Tool = Tool.WINDOW
    last_drawing_tool: Tool = Tool.BRUSH
    tool_before: Tool = Tool.ERASER
    brush_radius_mm: float = 6.0
    brush_sphere: bool = False
    brush_ranges: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    brush_adapts: bool = False
    brush_spread: float = 2.0
    mark_label: str = ""
    box_depth: float = 10.0
    box_depth_in_slices: bool = False
    grow_corners: bool = False
    grow_limit_mm: float = 0.0
    cut_outside: bool = False
    cut_depth_mm: float = 0.0
    slice_clip: SliceClip | None = None
    rules: EditRules = EditRules()
    effect: EffectState = EffectState()
    prompt_drag: PromptKind = PromptKind.SCRIBBLE
    prompt_engine: str = ""
    prompts: PromptState = PromptState()
    review: Review = Review()
    layout: Layout = field(default_factory=three_planes)
    maximised: str = ""
    pointed: str = Plane.AXIAL.value
    chosen: str = ""
    detached: tuple[str, ...] = ()
    crosshair_visible: bool = True
    reference_lines: bool = True
    links: Links = Links()
    overlay_opacity: float = 0.35
    overlay_visible: bool = True
    graphics_visible: bool = True
    foreign_labels_visible: bool = True
    fusions: dict[str, Fusion] = field(default_factory=dict)
    slab: Slab = Slab()
    cine_on: bool = False
    cine_rate_hz: float = 12.0
    cine_in_time: bool = True
    panels_visible: bool = True
    cases_listed: bool = False
    identity_hidden: bool = False
    corners: CornerLines = field(default_factory=default)
    names_read_as: dict[tuple[str, str], str] = field(default_factory=dict)
    hung: tuple[str, str, str, bool] = ("", "", "", False)
    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    def toggle_maximised(self, pane_id: str) -> None:
        """Fill the centre with a pane, or bring the others back. One in a window of its own has nothing to fill."""
        alone = self.maximised or pane_id in self.detached
        self.maximised = "" if alone else pane_id

    def set_radius(self, radius_mm: float) -> None:
        """Set the brush radius, within bounds."""
        self.brush_radius_mm = min(MAX_BRUSH_MM, max(MIN_BRUSH_MM, radius_mm))

    def crosshair_tells(self, pane_id: str) -> bool:
        """Whether the crosshair says anything in a pane: where the same case stands in another plane, and it is wanted."""
        mine = self.layout.cell(pane_id)
        if mine is None:
            return self.crosshair_visible
        others = (cell for cell in self.layout.slices if cell.case_key == mine.case_key and cell.plane is not mine.plane)
        return self.crosshair_visible and any(others)

    def read_names_as(self, series: Series, charset: str) -> None:
        """Show the texts of the patient of a series in another character set; AS_DECLARED shows them as in the files."""
        others = {who: key for who, key in self.names_read_as.items() if who != _who(series)}
        self.names_read_as = others if charset == AS_DECLARED else {**others, _who(series): charset}

    def charset_of(self, series: Series) -> str:
        """Return the key of the Charset chosen for the patient of a series."""
        return self.names_read_as.get(_who(series), AS_DECLARED)

    def as_read(self, series: Series) -> Series:
        """Return a series with its texts as they are to be shown."""
        return read_as(series, self.charset_of(series))


def _who(series: Series) -> tuple[str, str]:
    return (series.patient_id, series.patient_name)
