"""Train and judge the pack phantom-prompts, which finds one object from prompts, on phantoms.

    python packaging/train_prompt_pack.py                 train, judge, write tests/packs/phantom-prompts
    python packaging/train_prompt_pack.py --evaluate      print the figures of the pack as it is

Sessions of several prompts go on from step to step: what the network found in one is the mask so far in the next, and a
simulated person points at what is most wrong.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from phantom_cohort import SPACING_MM, held_out_phantom, load_cases
from phantom_recipes import INPUT
from safetensors.torch import load_file, save
from scipy import ndimage
from torch.nn import functional

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.prompt import Prompt, PromptKind
from medview.core.prompt_log import NOTHING, HeldVoxels
from medview.core.prompt_shape import voxels_of
from medview.core.volume import Volume
from medview.edit.prompted_growth import grow_from_prompts
from medview.ml.networks.unet import unet3d
from medview.ml.packs import ModelPack, load_pack, write_pack
from medview.ml.recipes.recipe import ScheduleChoice
from medview.ml.runners.interactive import find_object
from medview.ml.training.averaging import average, decay_at
from medview.ml.training.build import channels_last
from medview.ml.training.cases import TrainingCase
from medview.ml.training.loop import LoopSettings
from medview.ml.training.optimisers import set_rate
from medview.ml.training.prompter import correction
from medview.ml.training.schedules import rate_at
from medview.phantom.chest import HEART, SPINE

ROOT = Path(__file__).resolve().parents[1]
PACKS = ROOT / "tests" / "packs"
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
Find = Callable[[Volume, Sequence[Prompt]], HeldVoxels]


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
    channels_last(network)
    kept = copy.deepcopy(network).eval()
    settings = LoopSettings(steps, SETTINGS.peak_rate, average=SETTINGS.average)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.peak_rate, weight_decay=1e-4)
    objects = Objects(cases, rng)
    sessions = [objects.draw() for _ in range(BATCH)]
    started, recent = time.perf_counter(), []
    for step in range(steps):
        set_rate(optimiser, rate_at(step, settings.steps, settings.peak_rate, ScheduleChoice("cosine", settings.warm_up)))
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
        average(kept, network, decay_at(step, settings.average))
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


NOTICE = "Trained on phantoms. Means nothing on patients."
INTENDED_USE = "Trying the prompt tool with a model on the demo study. Research use. Not a medical device."
LIMITATIONS = (
    "Knows nothing but lungs, nodules, heart and spine of MedView's chest CT phantoms, at 2 mm. Its answers on "
    "a patient's images mean nothing; growing without a model is the better choice there."
)
HELD_OUT = range(9000, 9003)
CLICKS = 5
TOLD = (1, 3, 5)


@dataclass(frozen=True, slots=True)
class Course:
    """What came of the clicks on one object: Dice and seconds after each."""

    kind: str
    dice: tuple[float, ...]
    seconds: tuple[float, ...]


def follow(find: Find, volume: Volume, truth: Mask, kind: str) -> Course:
    """Let a steady hand click where the answer is most wrong."""
    whole, prompts = Box.whole(truth.shape), []
    found, dice, seconds = np.zeros_like(truth), [], []
    for n in range(CLICKS):
        prompt = correction(truth, found, volume.geometry, [PromptKind.POINT], prompt_id=str(n))
        if prompt is not None:
            prompts.append(prompt)
            started = time.perf_counter()
            found = find(volume, prompts).mask(whole)
            seconds.append(time.perf_counter() - started)
        dice.append(float(2 * np.count_nonzero(found & truth) / (np.count_nonzero(found) + np.count_nonzero(truth))))
    return Course(kind, tuple(dice), tuple(seconds))


def courses(find: Find) -> list[Course]:
    """Click on every nodule, the heart and the spine of the held-out phantoms."""
    done = []
    for seed in HELD_OUT:
        phantom = held_out_phantom(seed)
        volume = Volume(phantom.hu, phantom.geometry, modality="CT", unit="HU", series_uid=f"phantom-{seed}")
        for lesion in phantom.lesions:
            box, mask = phantom.lesion_mask(lesion)
            truth = np.zeros(phantom.labels.shape, dtype=np.bool_)
            truth[box.slices] = mask
            if truth.any():
                done.append(follow(find, volume, truth, "nodule"))
        done.append(follow(find, volume, phantom.labels == HEART, "heart"))
        done.append(follow(find, volume, phantom.labels == SPINE, "spine"))
    return done


def told(done: Sequence[Course]) -> dict[str, float]:
    """Return mean Dice by kind and number of clicks, and how long a click took."""
    found = {}
    for kind in ("nodule", "heart", "spine"):
        of_kind = [course for course in done if course.kind == kind]
        for n in TOLD:
            found[f"Dice {kind} after {n}"] = round(float(np.mean([course.dice[n - 1] for course in of_kind])), 4)
    later = [s for course in done for s in course.seconds[1:]]
    found["seconds per click, median"] = round(float(np.median(later)), 3)
    found["seconds per click, 95 %"] = round(float(np.quantile(later, 0.95)), 3)
    return found


def asked(pack: ModelPack) -> Find:
    """Return what asks a pack."""
    return lambda volume, prompts: find_object(pack, volume, prompts, NOTHING, Inline(), "cpu")


def grown(volume: Volume, prompts: Sequence[Prompt]) -> HeldVoxels:
    """Find an object without a model."""
    return grow_from_prompts(volume, prompts, NOTHING, lambda _box: None, Inline())


def pack_up(folder: Path, weights: dict[str, torch.Tensor], metrics: dict[str, float], steps: int) -> ModelPack:
    """Write the pack with its figures."""
    training = (
        f"{len(TRAIN_SEEDS)} chest CT phantoms made by MedView (seeds {TRAIN_SEEDS.start} to {TRAIN_SEEDS.stop - 1}); no "
        f"patient's data. {steps} steps of {BATCH} tiles of {TILE} x {TILE} x {TILE} voxels in sessions of up to {ROUNDS} "
        f"prompts; AdamW, peak rate {SETTINGS.peak_rate:g}, cosine to zero, weights averaged with decay "
        f"{SETTINGS.average:g}, seed {SEED}. Judged on seeds {HELD_OUT.start} to {HELD_OUT.stop - 1}."
    )
    card = {
        "intended_use": INTENDED_USE, "training_data": training, "limitations": LIMITATIONS, "metrics": metrics,
    }  # fmt: skip
    document = {
        "schema_version": 2,
        "id": PACK_ID,
        "name": "One object by prompts (phantom)",
        "version": "1.0.0",
        "task": "interactive",
        "summary": "A lung, a nodule, the heart or the spine of the demo's chest CT phantoms, from prompts.",
        "network": {"name": "unet3d", "kwargs": NETWORK},
        "input": INPUT,
        "tiling": {"tile_kji": [TILE] * 3, "overlap": 0.5, "blend": "gaussian"},
        "output": {
            "prompts": [{"kind": kind.value, "positive": positive} for kind, positive in CHANNELS],
            "previous": True,
            "radius_voxels": RADIUS,
            "decay": DECAY,
            "activation": "softmax",
        },
        "licence": "Apache-2.0",
        "notice": NOTICE,
        "card": card,
    }
    rows = "\n".join(f"| {name} | {value:.3f} |" for name, value in metrics.items())
    text = (
        f"# {document['name']} {document['version']}\n\n**{NOTICE}**\n\n{document['summary']}\n\n"
        f"## Use\n\n{INTENDED_USE}\n\n## Training\n\n{training}\n\n## Figures\n\n"
        f"A simulated person clicks where the answer is most wrong; run through "
        f"MedView's own prompt runner on phantoms that training did not see.\n\n| figure | value |\n|---|---|\n{rows}\n\n"
        f"## Limits\n\n{LIMITATIONS}\n\nLicence: Apache-2.0. Written by `packaging/train_prompt_pack.py`.\n"
    )
    files = {
        "weights.safetensors": save(weights),
        "LICENSE": (ROOT / "LICENSE").read_bytes(),
        "MODEL_CARD.md": text.encode(),
    }
    return write_pack(folder / PACK_ID, document, files)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "phantoms")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=SETTINGS.steps)
    parser.add_argument("--go-on", action="store_true", help="from the weights of an earlier training")
    parser.add_argument("--reuse", action="store_true", help="take the weights of an earlier training as they are")
    parser.add_argument("--evaluate", action="store_true", help="print the figures of the pack as it is, and of growing")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.evaluate:
        print("growing", told(courses(grown)), flush=True)
        print(PACK_ID, told(courses(asked(load_pack(PACKS / PACK_ID)))))
        return
    if options.reuse:
        weights = load_file(options.cache / f"{PACK_ID}.safetensors")
    else:
        weights = train(options.cache, options.threads, options.steps, go_on=options.go_on)
    draft = pack_up(options.cache / "drafts", weights, {}, options.steps)
    metrics = told(courses(asked(draft)))
    print(metrics)
    pack_up(PACKS, weights, metrics, options.steps)


if __name__ == "__main__":
    main()
