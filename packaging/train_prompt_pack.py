"""Train and judge the pack phantom-prompts, which finds one object from prompts, on phantoms.

    python packaging/train_prompt_pack.py                 train, judge, write resources/packs/phantom-prompts
    python packaging/train_prompt_pack.py --evaluate      print the figures of the pack as it is

Sessions of several prompts go on from step to step: what the network found in one is the mask so far in the next, and a
simulated person points at what is most wrong.
"""

from __future__ import annotations

import argparse
import copy
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from phantom_cohort import SPACING_MM, load_cases
from safetensors.torch import load_file, save
from scipy import ndimage
from torch.nn import functional

from medview.core.geometry import Geometry
from medview.core.prompt import Prompt, PromptKind
from medview.core.prompt_shape import voxels_of
from medview.ml.networks.unet import unet3d
from medview.ml.training.cases import TrainingCase
from medview.ml.training.loop import LoopSettings, rate_at
from medview.ml.training.prompter import correction

ROOT = Path(__file__).resolve().parents[1]
PACKS = ROOT / "resources" / "packs"
PACK_ID = "phantom-prompts"
TRAIN_SEEDS = range(1000, 1048)
SEED = 4
TILE = 32
BATCH = 2
ROUNDS = 4
RADIUS, DECAY = 2.0, 0.9
CHANNELS = (
    (PromptKind.POINT, True),
    (PromptKind.POINT, False),
    (PromptKind.SCRIBBLE, True),
    (PromptKind.SCRIBBLE, False),
    (PromptKind.BOX, True),
    (PromptKind.LASSO, True),
    (PromptKind.LASSO, False),
)
KINDS = (PromptKind.POINT, PromptKind.POINT, PromptKind.SCRIBBLE, PromptKind.BOX, PromptKind.LASSO)
NETWORK = {"in_channels": 2 + len(CHANNELS), "classes": 2, "channels": [8, 16, 32]}
SETTINGS = LoopSettings(steps=2400, peak_rate=4e-3, average=0.995)

GRID = Geometry.from_spacing((TILE, TILE, TILE), (SPACING_MM, SPACING_MM, SPACING_MM))

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def prompt_channels(prompts: list[Prompt]) -> Floats:
    """Return what the network sees of prompts, shape (channels, tile, tile, tile)."""
    channels = np.zeros((len(CHANNELS), TILE, TILE, TILE), dtype=np.float32)
    for prompt in prompts:
        channels *= DECAY
        box, mask = voxels_of(prompt, GRID, RADIUS)
        channels[CHANNELS.index((prompt.kind, prompt.positive))][box.slices][mask] = 1.0
    return channels


@dataclass(slots=True)
class Session:
    """One object on its way to being found."""

    values: Floats
    truth: Mask
    found: Mask
    prompts: list[Prompt] = field(default_factory=list)


class Objects:
    """Draws objects of all sizes out of phantoms, and a tile around each."""

    def __init__(self, cases: list[TrainingCase], rng: np.random.Generator) -> None:
        self._rng = rng
        self._cases = cases
        self._parts = []
        for case in cases:
            parts = {}
            for label in (1, 2, 3, 4):
                numbers, count = ndimage.label(case.labels == label)
                boxes = ndimage.find_objects(numbers)
                sizes = np.bincount(numbers.ravel(), minlength=count + 1)
                least = 4 if label == 2 else 500
                parts[label] = (numbers.astype(np.int16), [n for n in range(1, count + 1) if sizes[n] >= least], boxes)
            self._parts.append(parts)

    def draw(self) -> Session:
        """Return a new session with its first prompt."""
        while True:
            session = self._try()
            if session is not None:
                return session

    def _try(self) -> Session | None:
        rng = self._rng
        n = int(rng.integers(len(self._cases)))
        label = int(rng.choice([1, 2, 3, 4], p=[0.05, 0.6, 0.2, 0.15]))
        numbers, some, boxes = self._parts[n][label]
        if not some:
            return None
        number = int(rng.choice(some))
        extent = max(s.stop - s.start for s in boxes[number - 1])
        zoom = 1
        while zoom < 4 and extent / zoom > 0.8 * TILE:
            zoom *= 2
        if zoom > 1 and rng.random() < 0.4:
            zoom //= 2
        side = TILE * zoom
        inside = np.argwhere(numbers[boxes[number - 1]] == number) + [s.start for s in boxes[number - 1]]
        middle = inside[int(rng.integers(len(inside)))] if extent > 0.8 * side else inside.mean(axis=0)
        corner = (middle - side / 2 + rng.uniform(-0.12, 0.12, 3) * side).round().astype(int)
        values = _cut(self._cases[n].values.astype(np.float32), corner, side)
        truth = _cut((numbers == number).astype(np.float32), corner, side)
        values, truth = _pooled(values, zoom), _pooled(truth, zoom) >= 0.5
        for axis in range(3):
            if rng.random() < 0.5:
                values, truth = np.flip(values, axis), np.flip(truth, axis)
        turn = rng.permutation(3)
        values, truth = values.transpose(turn), truth.transpose(turn)
        values = values * rng.uniform(0.95, 1.05) + rng.uniform(-0.02, 0.02)
        values = values + rng.normal(0, rng.uniform(0, 0.015), values.shape)
        if np.count_nonzero(truth) < 4:
            return None
        session = Session(np.ascontiguousarray(values, np.float32), np.ascontiguousarray(truth), np.zeros_like(truth))
        return session if self.go_on(session) else None

    def go_on(self, session: Session) -> bool:
        """Let the person say one thing more; False when there is nothing to say."""
        prompt = correction(session.truth, session.found, GRID, KINDS, self._rng)
        if prompt is not None:
            session.prompts.append(prompt)
        return prompt is not None


def _cut(values: Floats, corner: npt.NDArray[np.int_], side: int) -> Floats:
    low, high = np.maximum(corner, 0), np.minimum(corner + side, values.shape)
    part = values[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    margins = [(int(a - c), int(c + side - b)) for a, b, c in zip(low, high, corner, strict=True)]
    return np.pad(part, margins, mode="edge")


def _pooled(values: Floats, zoom: int) -> Floats:
    n = TILE
    return values.reshape(n, zoom, n, zoom, n, zoom).mean(axis=(1, 3, 5)).astype(np.float32)


def train(cache: Path, workers: int, steps: int, *, go_on: bool) -> dict[str, torch.Tensor]:
    """Train and return the averaged weights; with ``go_on`` from those of an earlier training."""
    cases = load_cases(TRAIN_SEEDS, cache, workers)
    rng = np.random.default_rng([SEED, 1 + go_on])
    torch.manual_seed(SEED)
    network = unet3d(**NETWORK).train()
    if go_on:
        network.load_state_dict(load_file(cache / f"{PACK_ID}.safetensors"))
    for parameter in network.parameters():
        if parameter.ndim == 5:
            parameter.data = parameter.data.to(memory_format=torch.channels_last_3d)
    kept = copy.deepcopy(network).eval()
    settings = LoopSettings(steps, SETTINGS.peak_rate, average=SETTINGS.average)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.peak_rate, weight_decay=1e-4)
    objects = Objects(cases, rng)
    sessions = [objects.draw() for _ in range(BATCH)]
    started, recent = time.perf_counter(), []
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, settings)
        seen = np.stack([np.concatenate([s.values[None], s.found[None], prompt_channels(s.prompts)]) for s in sessions])
        truth = torch.from_numpy(np.stack([s.truth for s in sessions])).long()
        logits = network(torch.from_numpy(seen.astype(np.float32)))
        chance = logits.softmax(1)[:, 1]
        common = (chance * truth).sum((1, 2, 3))
        dice = (2 * common + 1) / (chance.sum((1, 2, 3)) + truth.sum((1, 2, 3)) + 1)
        loss = functional.cross_entropy(logits, truth, weight=torch.tensor([1.0, 2.0])) * 2 + (1 - dice).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        with torch.no_grad():
            decay = min(settings.average, (1 + step) / (10 + step))
            for mean, now in zip(kept.state_dict().values(), network.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - decay)
                else:
                    mean.copy_(now)
        found = (chance >= 0.5).detach().numpy()
        for n, session in enumerate(sessions):
            session.found = found[n]
            if len(session.prompts) >= ROUNDS or rng.random() < 0.15 or not objects.go_on(session):
                sessions[n] = objects.draw()
        recent.append(float(dice.detach().mean()))
        if (step + 1) % 50 == 0:
            print(
                f"step {step + 1}: soft Dice {np.mean(recent[-100:]):.4f}, {time.perf_counter() - started:.0f} s",
                flush=True,
            )
            (cache / f"{PACK_ID}.safetensors").write_bytes(
                save({name: value.contiguous() for name, value in kept.state_dict().items()})
            )
    return {name: value.contiguous() for name, value in kept.state_dict().items()}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "phantoms")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=SETTINGS.steps)
    parser.add_argument("--go-on", action="store_true", help="from the weights of an earlier training")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train(options.cache, options.threads, options.steps, go_on=options.go_on)


if __name__ == "__main__":
    main()
