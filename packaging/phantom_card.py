"""The card of a bundled pack, written from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from phantom_cohort import HELD_OUT_SEEDS, TRAIN_SEEDS, TUNE_SEEDS
from phantom_figures import Figure
from phantom_recipes import BOXES, NOTICE, Recipe

INTENDED_USE = "Trying MedView out on its demo study. Research use. Not a medical device."
LIMITATIONS = (
    "Knows nothing but MedView's chest CT phantoms: round nodules of 6 to 20 mm, no other disease, no motion, no metal, no "
    "fissures. Its answers on a patient's images mean nothing."
)


def training_data(recipe: Recipe) -> str:
    """Say in one paragraph what the pack was trained on, and how."""
    plan, settings = recipe.phase.plan, recipe.phase.settings
    patch = " x ".join(map(str, plan.size_kji))
    return (
        f"{len(TRAIN_SEEDS)} chest CT phantoms made by MedView (seeds {_range(TRAIN_SEEDS)}); no patient's data. "
        f"Tuned on seeds {_range(TUNE_SEEDS)}, judged on seeds {_range(HELD_OUT_SEEDS)}. "
        f"{settings.steps} steps of {plan.batch} patches of {patch} voxels; AdamW, peak rate {settings.peak_rate:g}, "
        f"cosine to zero, weights averaged with decay {settings.average:g}, seed {recipe.seed}."
        + (f" Started from the weights of {BOXES.pack_id}." if recipe.starts_from else "")
    )


def card(recipe: Recipe, figures: Sequence[Figure]) -> dict[str, Any]:
    """Return the ``card`` of model.json."""
    metrics: dict[str, float] = {}
    for figure in figures:
        metrics[figure.name] = round(figure.value, 4)
        metrics[f"{figure.name} (95 % low)"] = round(figure.low, 4)
        metrics[f"{figure.name} (95 % high)"] = round(figure.high, 4)
    return {
        "intended_use": INTENDED_USE,
        "training_data": training_data(recipe),
        "limitations": LIMITATIONS,
        "metrics": metrics,
    }


def model_card(recipe: Recipe, figures: Sequence[Figure]) -> str:
    """Return MODEL_CARD.md."""
    document = recipe.document
    rows = "\n".join(f"| {f.name} | {f.value:.3f} | {f.low:.3f} to {f.high:.3f} |" for f in figures)
    return f"""# {document["name"]} {document["version"]}

**{NOTICE}**

{document["summary"]}

## Use

{INTENDED_USE}

## Training

{training_data(recipe)}

## Figures

On {len(HELD_OUT_SEEDS)} phantoms that neither training nor tuning saw, run through MedView's own inference; intervals are
percentile bootstraps over scans.

| figure | value | 95 % interval |
|---|---|---|
{rows}

## Limits

{LIMITATIONS}

Licence: {document["licence"]}. Written by `packaging/train_phantom_packs.py`.
"""


def _range(seeds: range) -> str:
    return f"{seeds.start} to {seeds.stop - 1}"
