"""What prompts show on one slice while they are given, as values for the layers."""

from __future__ import annotations

from medview.core.oblique import PlaneLayout
from medview.core.prompt import Prompt, PromptKind
from medview.core.screen_map import ScreenMap
from medview.gui.layers.measurements import FigureOnSlice, Style
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Bench, Tool

_POSITIVE, _NEGATIVE = "#7fe08a", "#ff7a70"
_NEAR_SLICES = 1.5
"""On slices so near, a prompt is still shown, faintly."""
PLUS, MINUS = "+", "\N{MINUS SIGN}"


def prompts_on_slice(case: OpenCase, bench: Bench, plane: PlaneLayout, index: float) -> list[FigureOnSlice]:
    """Return the prompts of the active segment on a slice or beside it, and those that wait; none with other tools."""
    if bench.tool is not Tool.PROMPT:
        return []
    log = case.labels.prompts.get(case.view.active_segment_id)
    given = log.prompts if log is not None else ()
    known = {prompt.prompt_id for prompt in given}
    waiting = bench.prompts.waiting if bench.prompts.case_key == case.key else ()
    seen = ScreenMap.of(plane, case.volume.geometry)
    found = [_figure(case, prompt, seen, index, waits=False) for prompt in given]
    found += [_figure(case, prompt, seen, index, waits=True) for prompt in waiting if prompt.prompt_id not in known]
    return [figure for figure in found if figure is not None]


def _figure(case: OpenCase, prompt: Prompt, seen: ScreenMap, index: float, *, waits: bool) -> FigureOnSlice | None:
    places = seen.screen(prompt.points_kji(case.volume.geometry))
    away = abs(places[:, 0] - index)
    if float(away.min()) > seen.half_thickness * _NEAR_SLICES + 0.5:
        return None
    here = float(away.min()) <= max(seen.half_thickness, 0.5)
    line = [(float(row), float(column)) for _across, row, column in places]
    if prompt.kind.flat:
        line.append(line[0])
    at = line[int(away.argmin())] if prompt.kind is not PromptKind.POINT else line[0]
    point = prompt.kind is PromptKind.POINT
    return FigureOnSlice(
        () if point else (tuple(line),),
        (),
        (PLUS if prompt.positive else MINUS,) if here else (),
        at,
        key=f"prompt:{prompt.prompt_id}",
        colour=_POSITIVE if prompt.positive else _NEGATIVE,
        style=Style.NEAR if waits or not here else Style.SOLID,
        rings=(line[0],) if point else (),
    )
