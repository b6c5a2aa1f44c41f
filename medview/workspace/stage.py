"""What a tool may touch during a gesture."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from medview.core.box import Box
from medview.core.prediction import PredictedSegment, Proposal
from medview.core.prompt import Prompt
from medview.core.segmentation import Segment
from medview.edit.effects.effect import Effect
from medview.edit.hindrance import hindrances
from medview.edit.region_growth import RegionGrowth
from medview.edit.rules import EditRules, LabelWriter, Mask
from medview.edit.sampled_range import Range, common
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.preview import Preview
from medview.workspace.rule_words import why_nothing
from medview.workspace.view_state import Bench

Drag = Generator[Preview | None, Pointer | None, None]
"""One gesture: primed with the press, fed with each move, ended by None. Closed early when the person presses Escape.

It yields what it wants drawn until the next move; None leaves that to the tool's ``hover``."""


class Later(Protocol):
    """Writes by jobs what is too large for a moment; False, after saying why, where that cannot be now."""

    def start(self, case: OpenCase, effect: Effect) -> bool:
        """Carry an effect out."""

    def grow(self, case: OpenCase, growth: RegionGrowth, *, erase: bool) -> bool:
        """Find the rest of a region and write it."""

    def take_piece(
        self, case: OpenCase, proposal: Proposal, predicted: PredictedSegment, at_kji: tuple[int, int, int], *, back: bool
    ) -> None:
        """Take over the piece of a proposed class that holds a voxel, or give it back."""


class Asks(Protocol):
    """Finds objects from prompts."""

    def add(self, case: OpenCase, prompt: Prompt) -> None:
        """Ask for the object a further prompt is about."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The case under the hand, the bench, and a way to say something.

    Attributes
    ----------
    say : callable
        Shows one line, e.g. why a stroke changed nothing.
    later : Later or None
        None where there are no jobs.
    prompting : Asks or None
        As ``later``.
    """

    bench: Bench
    case: OpenCase
    say: Callable[[str], object]
    later: Later | None = None
    prompting: Asks | None = None

    def writer(self, box: Box, within: Range | None = None) -> LabelWriter:
        """Return what turns masks of a box into changes, within the rules of the bench.

        Parameters
        ----------
        within : tuple of float, optional
            Lowest and highest value that the tool itself changes.
        """
        return LabelWriter(self.case.labels.segmentation, box, self._rules(within), self.case.anchor.volume)

    def why_nothing(
        self, segment: Segment, box: Box, mask: Mask, *, erase: bool = False, within: Range | None = None
    ) -> str:
        """Return which rule kept a mask from changing a segment, in one sentence; empty where none did."""
        rules, volume = self._rules(within), self.case.anchor.volume
        found = hindrances(self.case.labels.segmentation, segment, box, mask, rules, volume, erase=erase)
        return why_nothing(found, segment.name, rules, volume)

    def _rules(self, within: Range | None) -> EditRules:
        rules = self.bench.rules
        return rules if within is None else replace(rules, value_range=common(rules.value_range, within))


DragTool = Callable[[Stage, Pointer], Drag]


class Clicks(Protocol):
    """A gesture that goes on from click to click. What changes its state says whether the gesture is over."""

    @property
    def case(self) -> OpenCase:
        """The case it is drawn on."""

    def press(self, pointer: Pointer) -> bool:
        """Take a further press."""

    def release(self, pointer: Pointer) -> bool:
        """Take the end of a drag."""

    def close(self) -> bool:
        """Finish with what was clicked so far, where that is enough."""

    def back(self) -> bool:
        """Forget the last click."""

    @property
    def count(self) -> int:
        """How many places were clicked."""

    def rest(self) -> None:
        """Let loose what a hand holds that is no longer there."""

    def preview(self, pointer: Pointer | None) -> Preview | None:
        """Return what is to be drawn meanwhile; None on another slice than that it was begun on."""


@runtime_checkable
class Adjustable(Clicks, Protocol):
    """Clicks of which what was drawn can be pulled about before it is written."""

    @property
    def finished(self) -> bool:
        """Whether it is closed and would be written if another tool were taken."""

    def move(self, pointer: Pointer) -> None:
        """Follow the hand while the button is down."""

    def double_click(self, pointer: Pointer) -> bool:
        """Take a double click, whose second press came before; True when the gesture is over."""

    def remove(self, pointer: Pointer | None) -> None:
        """Remove the part under the pointer, or the one that was touched last."""

    def let_go(self) -> None:
        """Write what is finished, since another tool or case is taken."""
