"""Train, tune and judge the packs under resources/packs, all on phantoms.

    python packaging/train_phantom_packs.py                 train all three, write them with their measured figures
    python packaging/train_phantom_packs.py --only ID       one of them
    python packaging/train_phantom_packs.py --evaluate      print the figures of the packs as they are

About half an hour on two cores. Seeds, settings and figures go into model.json and MODEL_CARD.md from here; nobody types
them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from phantom_card import card, model_card
from phantom_cohort import HELD_OUT_SEEDS, TRAIN_SEEDS, TUNE_SEEDS, load_cases
from phantom_figures import Figure, figures, matched, presence, run_pack
from phantom_recipes import BOXES, RECIPES, Recipe
from safetensors.torch import load_file, save
from scipy.optimize import minimize

from medview.ml.outputs import ClassificationOutput, DetectionOutput
from medview.ml.packs import ModelPack, load_pack, write_pack
from medview.ml.spec import Task
from medview.ml.training.loop import fit
from medview.ml.training.patches import draw_patches

ROOT = Path(__file__).resolve().parents[1]
PACKS = ROOT / "resources" / "packs"

LOWEST_SCORE = 0.05
"""Boxes below this are not looked at when the sensitivity at a number of false positives is searched."""

Weights = dict[str, torch.Tensor]


def train(recipe: Recipe, cache: Path, workers: int) -> Weights:
    """Train a recipe and return its weights."""
    cases = load_cases(TRAIN_SEEDS, cache, workers)
    boxes = cache / f"{BOXES.pack_id}.safetensors"
    network = recipe.network(load_file(boxes) if recipe.starts_from else {})
    started = time.perf_counter()
    recent: list[float] = []

    def report(step: int, loss: float) -> None:
        recent.append(loss)
        if (step + 1) % 100 == 0:
            mean = sum(recent[-100:]) / 100
            print(f"{recipe.pack_id} step {step + 1}: loss {mean:.4f}, {time.perf_counter() - started:.0f} s", flush=True)

    batches = draw_patches(cases, recipe.phase.plan, np.random.default_rng([recipe.seed, 4]))
    network = fit(network, batches, recipe.phase.loss, recipe.phase.settings, report)
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    (cache / f"{recipe.pack_id}.safetensors").write_bytes(save(weights))
    return weights


def pack_up(
    folder: Path, recipe: Recipe, weights: Weights, output: Mapping[str, Any], found: Sequence[Figure]
) -> ModelPack:
    """Write a pack with its figures into ``folder``."""
    document = {**recipe.document, "output": output, "card": card(recipe, found)}
    files = {
        "weights.safetensors": save(weights),
        "LICENSE": (ROOT / "LICENSE").read_bytes(),
        "MODEL_CARD.md": model_card(recipe, found).encode(),
    }
    return write_pack(folder / recipe.pack_id, document, files)


def tune(recipe: Recipe, weights: Weights, drafts: Path) -> dict[str, Any]:
    """Set what training leaves open on the tuning seeds; return the ``output`` of model.json.

    For boxes the score threshold with the best F1; for presence the two numbers that make the score a probability, which
    are changed in ``weights``.
    """
    output = dict(recipe.document["output"])
    pack = pack_up(drafts, recipe, weights, output, [])
    if pack.spec.task is Task.DETECTION:
        scans = [matched(scan) for scan in run_pack(with_all_scores(pack), TUNE_SEEDS)]
        scores = np.concatenate([scan.scores for scan in scans])
        hits = np.concatenate([scan.hits for scan in scans])
        nodules = sum(scan.nodules for scan in scans)
        candidates = np.arange(0.1, 0.91, 0.05)
        f1 = [2 * (hits & (scores >= t)).sum() / ((scores >= t).sum() + nodules) for t in candidates]
        best = np.flatnonzero(np.isclose(f1, max(f1)))
        output["score_threshold"] = round(float(candidates[best].mean()), 2)
    if pack.spec.task is Task.CLASSIFICATION:
        probability, present = presence(run_pack(pack, TUNE_SEEDS))
        gain, bias = calibration(probability, present)
        print(f"{recipe.pack_id}: gain {gain:.3f}, bias {bias:.3f}")
        weights["gain"], weights["bias"] = torch.tensor([gain]), torch.tensor([bias])
    return output


def calibration(
    probability: np.ndarray[Any, np.dtype[np.float64]], present: np.ndarray[Any, np.dtype[np.bool_]]
) -> tuple[float, float]:
    """Return gain and bias that turn log odds into calibrated ones (Platt 1999, with his softened targets)."""
    clipped = np.clip(probability, 1e-7, 1 - 1e-7)
    odds = np.log(clipped / (1 - clipped))
    yes, no = present.sum(), (~present).sum()
    target = np.where(present, (yes + 1) / (yes + 2), 1 / (no + 2))

    def loss(x: np.ndarray[Any, np.dtype[np.float64]]) -> float:
        calibrated = x[0] * odds + x[1]
        return float((np.logaddexp(0, calibrated) - target * calibrated).mean())

    gain, bias = minimize(loss, [1.0, 0.0], method="Nelder-Mead").x
    return float(gain), float(bias)


def with_all_scores(pack: ModelPack) -> ModelPack:
    """Return a detection pack that gives its doubtful boxes too."""
    assert isinstance(pack.spec.output, DetectionOutput)
    return replace(pack, spec=replace(pack.spec, output=replace(pack.spec.output, score_threshold=LOWEST_SCORE)))


def judge(pack: ModelPack) -> list[Figure]:
    """Measure a pack on the held-out seeds."""
    output, threshold = pack.spec.output, 0.0
    if isinstance(output, DetectionOutput):
        threshold, pack = output.score_threshold, with_all_scores(pack)
    if isinstance(output, ClassificationOutput):
        threshold = output.threshold
    found = figures(pack.spec.task, run_pack(pack, HELD_OUT_SEEDS), threshold)
    print(f"\n{pack.spec.key} on {len(HELD_OUT_SEEDS)} held-out phantoms:")
    for figure in found:
        print(f"  {figure}")
    return found


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(RECIPES), action="append")
    parser.add_argument("--evaluate", action="store_true", help="train nothing, print the figures of the packs as they are")
    parser.add_argument("--reuse", action="store_true", help="take the weights of an earlier training from the cache")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "phantoms")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for pack_id in options.only or RECIPES:
        if options.evaluate:
            judge(load_pack(PACKS / pack_id))
            continue
        recipe, stored = RECIPES[pack_id], options.cache / f"{pack_id}.safetensors"
        weights = load_file(stored) if options.reuse else train(recipe, options.cache, options.threads)
        drafts = options.cache / "drafts"
        output = tune(recipe, weights, drafts)
        found = judge(pack_up(drafts, recipe, weights, output, []))
        pack_up(PACKS, recipe, weights, output, found)


if __name__ == "__main__":
    main()
