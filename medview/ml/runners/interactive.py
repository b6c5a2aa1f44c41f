"""Runs packs that find one object from prompts: ``find_object(pack, volume, prompts, base, context)``.

The image is prepared once and kept while prompts follow each other; each prompt is looked at in a region around it, which
is looked at on coarser voxels where the object goes on at its edge, and then again on fine ones along the object's border.
What is too thin for coarser voxels is followed from region to region.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from medview.core.box import Box
from medview.core.errors import ModelError
from medview.core.job import JobContext
from medview.core.prompt import Prompt
from medview.core.prompt_log import NOTHING, HeldVoxels
from medview.core.volume import Volume
from medview.ml.outputs import InteractiveOutput
from medview.ml.packs import ModelPack
from medview.ml.registry import fits
from medview.ml.runners.memory_plan import plan_for
from medview.ml.runners.model_grid import ModelGrid
from medview.ml.runners.precision import Precision
from medview.ml.runners.preprocess import prepare, shown_of
from medview.ml.runners.prompt_region import PromptRegion, looked_at
from medview.ml.runners.prompt_session import KEPT, PromptSession, PromptState, session_bytes
from medview.ml.runners.run import explaining
from medview.ml.runners.watched import Progress, Stopwatch, WatchedNetwork
from medview.ml.spec import ModelSpec
from medview.ml.weights import RESIDENT, check_output

_MOST_REFINED = 27
"""Regions along a border that are looked at again on fine voxels."""
_MOST_FOLLOWED = 96
"""Regions in which a long object is followed."""
_YES = 0.5
_STILL_THERE = 0.5
"""On coarser voxels at least this part of what was found on fine ones has to be found again."""

Grow = Callable[[Volume, Prompt, JobContext], HeldVoxels]
"""Grows an object from one prompt on a volume, without a model."""

_Ask = Callable[[PromptRegion, torch.Tensor], torch.Tensor]
"""Asks the network about a region, given how likely the voxels so far are."""


def find_object(
    pack: ModelPack,
    volume: Volume,
    prompts: Sequence[Prompt],
    base: HeldVoxels,
    context: JobContext,
    device: str = "auto",
    grow: Grow | None = None,
) -> HeldVoxels:
    """Return what the object holds after all prompts, beginning with ``base``; the same prompts give the same again.

    Parameters
    ----------
    grow : callable, optional
        Grows an object from one prompt on the volume without a model; only asked for packs whose output says ``grown``.

    Raises
    ------
    ModelError
        One sentence; details go to the log. A GraphicsError where the processor would do.
    CancelledError
        When the person pressed Cancel.
    """
    spec = pack.spec
    fit = fits(spec, volume.modality, volume.geometry, volume.unit, volume.colour)
    if not fit.ok:
        raise ModelError(fit.reason)
    if not isinstance(spec.output, InteractiveOutput) or spec.tiling is None or len(spec.input.channels) != 1:
        raise ModelError(f"{spec.name} does not find objects from prompts on one series.")
    _check_kinds(spec, spec.output, prompts)
    with explaining(spec):
        context.progress(0.0, f"Loading {spec.name}")
        session = KEPT.going_on(pack, volume, device) or _begun(pack, volume, device, context)
        network = RESIDENT.get(pack, session.device)
        _look_at_grown(session, spec.output, volume, prompts, grow, context)
        state = _replayed(session, network, spec, prompts, base, context)
        return _on_volume(session.grid, state, base)


def _begun(pack: ModelPack, volume: Volume, device: str, context: JobContext) -> PromptSession:
    """Prepare a volume where there is room for it."""
    spec = pack.spec
    assert spec.tiling is not None
    context.progress(0.05, "Preparing the volume")
    shown = shown_of((volume,), spec.input, context)
    network = RESIDENT.get(pack, torch.device("cpu"))
    plan = plan_for(pack, network, spec.tiling.tile_kji, device, session_bytes(shown.shape_kji))
    prepared = prepare((volume,), spec.input, context, plan.device, shown)
    return KEPT.begin(pack, volume, prepared, plan.device)


def _check_kinds(spec: ModelSpec, output: InteractiveOutput, prompts: Sequence[Prompt]) -> None:
    known = {(channel.kind, channel.positive) for channel in output.prompts}
    for prompt in prompts:
        if (prompt.kind.value, prompt.positive) not in known:
            sign = "positive" if prompt.positive else "negative"
            raise ModelError(f"{spec.name} takes no {sign} {prompt.kind.value}; give it another kind of prompt.")


def _look_at_grown(
    session: PromptSession,
    output: InteractiveOutput,
    volume: Volume,
    prompts: Sequence[Prompt],
    grow: Grow | None,
    context: JobContext,
) -> None:
    """Have the first prompt grown, once for as long as it stays the first."""
    if not output.grown:
        return
    if grow is None:
        raise TypeError("a pack that looks at what was grown was asked without anything that grows")
    first = prompts[0] if prompts and can_grow(prompts[0]) else None
    key = "" if first is None else _keys([first], NOTHING)[1]
    if session.grown is not None and session.grown[0] == key:
        return
    mask: torch.Tensor | None = None
    if first is not None:
        context.progress(0.1, "Growing")
        held = grow(volume, first, context)
        if not held.empty:
            on_grid = session.grid.from_native(held.mask(held.box), held.box) >= _YES
            mask = on_grid.to(session.prepared.values.device, torch.uint8)
    session.grown = key, mask


def can_grow(prompt: Prompt) -> bool:
    """Whether growing from a prompt alone is what a network looks at: a positive point or scribble."""
    return prompt.positive and not prompt.kind.flat


def _replayed(
    session: PromptSession,
    network: nn.Module,
    spec: ModelSpec,
    prompts: Sequence[Prompt],
    base: HeldVoxels,
    context: JobContext,
) -> PromptState:
    """Return the state after all prompts, from the longest part of them that is known."""
    keys = _keys(prompts, base, session.grown[0] if session.grown is not None else "")
    known = next((n for n in range(len(keys) - 1, -1, -1) if keys[n] in session.states), None)
    if known is None:
        shape, device = session.prepared.shape_kji, session.prepared.values.device
        if base.empty:
            chance = torch.zeros(shape, dtype=torch.float16, device=device)
        else:
            chance = session.grid.from_native(base.mask(base.box), base.box).to(device, torch.float16)
        state, known = PromptState(chance), 0
    else:
        state = session.state(keys[known])
    precision = Precision.of(session.prepared.values.device)
    for n in range(known, len(prompts)):
        share = (0.1 + 0.9 * (n - known) / (len(prompts) - known), 0.1 + 0.9 * (n + 1 - known) / (len(prompts) - known))
        with WatchedNetwork(network, context, Progress(context, *share), Stopwatch(), precision) as watched:
            state = _step(session, watched, spec, prompts[: n + 1], state, context)
        session.keep(keys[n + 1], state)
    return state


def _keys(prompts: Sequence[Prompt], base: HeldVoxels, grown: str = "") -> list[str]:
    """Return what each beginning of the prompts is known by, the empty one first."""
    said = hashlib.blake2b((base.digest + grown).encode(), digest_size=16)
    keys = [said.hexdigest()]
    for prompt in prompts:
        said.update(
            repr((prompt.kind, prompt.positive, prompt.points_lps_mm, prompt.normal_lps, prompt.thickness_mm)).encode()
        )
        keys.append(said.hexdigest())
    return keys


def _step(
    session: PromptSession,
    network: WatchedNetwork,
    spec: ModelSpec,
    prompts: Sequence[Prompt],
    before: PromptState,
    context: JobContext,
) -> PromptState:
    """Look at the newest prompt."""
    assert spec.tiling is not None
    tile = spec.tiling.tile_kji
    region = PromptRegion.around(prompts[-1], session.grid.geometry, tile)
    chance = before.chance.clone()

    def ask(where: PromptRegion, so_far: torch.Tensor) -> torch.Tensor:
        context.raise_if_cancelled()
        return _asked(session, network, spec, prompts, so_far, where)

    found = ask(region, before.chance)
    if not region.goes_on(found, before.chance):
        written = [region.paste(found, chance)]
    else:
        wide, seen = _widened(region, found, before.chance, ask)
        if wide is None:
            # On coarser voxels it is lost: long and thin.
            written = _followed(region, found, chance, ask)
        else:
            written = [wide.paste(seen, chance), region.paste(found, chance, inner=True)]
            written += [fine.paste(ask(fine, chance), chance, inner=True) for fine in _along_border(chance, wide, tile)]
    return PromptState(chance, _outermost((*before.touched, *written)))


def _outermost(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Return boxes without those that are empty or lie in another."""
    found: list[Box] = []
    low, high = (np.empty((len(boxes), 3), dtype=np.int64) for _ in range(2))
    for box in sorted(boxes, key=lambda box: -box.size):
        count = len(found)
        inside = (low[:count] <= box.min_kji) & (high[:count] >= box.max_kji)
        if not box.empty and not inside.all(axis=1).any():
            low[count], high[count] = box.min_kji, box.max_kji
            found.append(box)
    return tuple(found)


def _widened(
    region: PromptRegion, found: torch.Tensor, before: torch.Tensor, ask: _Ask
) -> tuple[PromptRegion | None, torch.Tensor]:
    """Return the region in which the object ends, and what was found there; None where it is lost on coarser voxels."""
    whole = Box.whole((before.shape[0], before.shape[1], before.shape[2]))
    wide, seen = region, found
    fine = torch.zeros_like(before)
    region.paste(found, fine)
    there = fine >= _YES
    while wide.goes_on(seen, before) and not wide.covers(whole):
        wide = wide.wider((before.shape[0], before.shape[1], before.shape[2]))
        seen = ask(wide, before)
        again = torch.zeros_like(before)
        wide.paste(seen, again)
        if float((again[there] >= _YES).float().mean()) < _STILL_THERE:
            return None, seen
    return wide, seen


def _followed(region: PromptRegion, found: torch.Tensor, chance: torch.Tensor, ask: _Ask) -> list[Box]:
    """Follow an object from region to region, half a region at a time; return what was written."""
    whole = Box.whole((chance.shape[0], chance.shape[1], chance.shape[2]))
    known = torch.zeros(chance.shape, dtype=torch.bool, device=chance.device)
    waiting: deque[tuple[PromptRegion, torch.Tensor]] = deque([(region, found)])
    asked = {region.box.min_kji}
    written: list[Box] = []
    while waiting:
        here, seen = waiting.popleft()
        sides = here.sides_reached(seen, chance)
        # What was looked at with more of the prompts in sight stays.
        fresh = chance.clone()
        written.append(here.paste(seen, fresh))
        part = written[-1].slices
        chance[part] = torch.where(known[part], chance[part], fresh[part])
        known[part] = True
        for axis, side in sides:
            further = here.beside(axis, side)
            if further.box.min_kji in asked or further.box.intersection(whole).empty or len(asked) >= _MOST_FOLLOWED:
                continue
            asked.add(further.box.min_kji)
            waiting.append((further, ask(further, chance)))
    return written


def _asked(
    session: PromptSession,
    network: WatchedNetwork,
    spec: ModelSpec,
    prompts: Sequence[Prompt],
    chance: torch.Tensor,
    region: PromptRegion,
) -> torch.Tensor:
    """Return how likely the voxels of a region belong to the object, shape of the tile."""
    output = spec.output
    assert isinstance(output, InteractiveOutput)
    grown = None if session.grown is None else session.grown[1]
    seen = looked_at(session.prepared.values, chance, prompts, session.grid.geometry, region, output, grown)
    logits = network.run(seen[None], counted=False)
    if not isinstance(logits, torch.Tensor):
        raise ModelError(f"{spec.name} returned something else than one number per voxel and class; ask its author.")
    check_output(logits.shape[1], spec)
    found = logits[0].float()
    return found.softmax(0)[1] if output.activation == "softmax" else found[0].sigmoid()


def _along_border(chance: torch.Tensor, region: PromptRegion, tile_kji: tuple[int, int, int]) -> list[PromptRegion]:
    """Return fine regions that cover the border of the object in a coarse one, as far as there may be so many."""
    box = region.box.intersection(Box.whole((chance.shape[0], chance.shape[1], chance.shape[2])))
    mask = (chance[box.slices] >= _YES).cpu().numpy()
    border = np.zeros_like(mask)
    for axis in range(3):
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(0, -1), slice(1, None)
        border[tuple(low)] |= mask[tuple(low)] != mask[tuple(high)]
    # A grid that a tile shows whole along an axis is shown in its middle.
    whole = np.asarray(tile_kji) >= chance.shape
    inner = np.where(whole, chance.shape, np.maximum(1, np.asarray(tile_kji) // 2))
    cells, counts = np.unique(np.argwhere(border) // inner, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_REFINED]
    found = []
    for cell in cells[np.sort(order)]:
        middle = np.where(whole, (np.asarray(chance.shape) - 1) / 2, (cell + 0.5) * inner + box.min_kji)
        found.append(PromptRegion.at(middle, tile_kji))
    return found


def _on_volume(grid: ModelGrid, state: PromptState, base: HeldVoxels) -> HeldVoxels:
    """Return the object on the volume's grid; what was not looked at stays as it was."""
    looked = [grid.native_box(box) for box in state.touched]
    whole = Box.union_of((*looked, base.box))
    if whole is None:
        return HeldVoxels()
    mask = base.mask(whole)
    for box in looked:
        if not box.empty:
            mask[box.within(whole).slices] = (grid.to_native(state.chance, box) >= _YES).cpu().numpy()
    return HeldVoxels.of(whole, mask)
