"""The pack that finds objects from prompts, through the prompt runner: nodules of a phantom it never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from medview.core.box import Box
from medview.core.job import Inline
from medview.core.prompt import PromptKind
from medview.core.prompt_log import NOTHING
from medview.core.volume import Volume
from medview.ml.packs import ModelPack, load_pack
from medview.ml.runners.interactive import find_object
from medview.ml.training.prompter import correction
from medview.phantom.chest import ChestPhantom, chest
from medview.workspace.requests_prompt import grow_first

PACK = Path(__file__).resolve().parents[2] / "resources" / "packs" / "prompted-objects"
LARGEST_BYTES = 10_000_000
UNSEEN = 9100


@pytest.fixture(scope="module")
def pack() -> ModelPack:
    return load_pack(PACK)


@pytest.fixture(scope="module")
def phantom() -> ChestPhantom:
    return chest(UNSEEN, nodules=4)


def test_it_is_small_and_says_what_it_is_for(pack: ModelPack) -> None:
    assert sum(path.stat().st_size for path in PACK.iterdir()) < LARGEST_BYTES
    assert "check what it finds" in pack.spec.notice
    figures = pack.spec.card.metrics
    for clicks in ("1 click", "3 clicks", "5 clicks"):
        assert figures[f"Dice after {clicks}"] > figures[f"Growing alone: Dice after {clicks}"]


def test_nodules_of_a_phantom_it_never_saw_are_found_with_three_clicks(pack: ModelPack, phantom: ChestPhantom) -> None:
    torch.set_num_threads(1)
    volume = Volume(phantom.hu, phantom.geometry, "CT", "HU", series_uid="unseen")
    whole, courses = Box.whole(phantom.labels.shape), []
    for lesion in phantom.lesions:
        box, mask = phantom.lesion_mask(lesion)
        truth = np.zeros(phantom.labels.shape, dtype=bool)
        truth[box.slices] = mask
        found, prompts, dice = np.zeros_like(truth), [], 0.0
        for n in range(3):
            # Near the nodule only: looking through the whole chest for the worst place takes longer than the model.
            near = box.padded((12, 24, 24)).clipped(phantom.labels.shape)
            prompt = correction(
                truth[near.slices], found[near.slices], phantom.geometry.cropped(near), [PromptKind.POINT], prompt_id=str(n)
            )
            if prompt is not None:
                prompts.append(prompt)
                found = find_object(pack, volume, prompts, NOTHING, Inline(), "cpu", grow_first).mask(whole)
            dice = 2 * np.count_nonzero(found & truth) / (np.count_nonzero(found) + np.count_nonzero(truth))
        courses.append(dice)
    assert np.mean(courses) > 0.55
