"""Trained folders with something changed at random: a pack, or one sentence, and never anything else."""

from __future__ import annotations

import copy
import json
import random
import warnings
from pathlib import Path
from typing import Any

import pytest

from medview.core.errors import MedViewError
from medview.ml.convert import nnunet
from medview.ml.packs import load_pack
from tests.ml.convert.nnunet_folders import (
    configuration,
    dataset_json,
    network,
    old_configuration,
    plans_json,
    trained_folder,
)

ODD: list[Any] = [None, True, -1, 0, 3, 1e308, float("nan"), 2**70, 10**400, "", "x" * 5000, "os.system"]
ODD += [[], [[]], {}, {"a": 1}, [1, "2"]]


def places(content: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the ways to everything inside of a document."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    found = [way] if way else []
    for key, value in inner:
        found += places(value, (*way, key))
    return found


def disturbed(content: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    content = copy.deepcopy(content)
    for _ in range(dice.randint(1, 2)):
        *way, last = dice.choice(places(content))
        inner: Any = content
        for key in way:
            inner = inner[key]
        if dice.random() < 0.3:
            del inner[last]
        else:
            inner[last] = copy.deepcopy(dice.choice(ODD))
        if not places(content):
            break
    return content


@pytest.mark.parametrize("file", ["dataset.json", "plans.json", "checkpoint"])
def test_nothing_but_a_pack_or_a_sentence_comes_of_a_disturbed_folder(tmp_path: Path, file: str) -> None:
    dice = random.Random(file)
    regions = {"labels": {"background": 0, "a": [1, 2], "b": 2}, "regions_class_order": [1, 2]}
    plain = {"3d_fullres": configuration()}, {"3d_fullres": old_configuration()}
    trained = trained_folder(tmp_path, [network().state_dict()])
    weights = trained / "fold_0" / "checkpoint_final.pth"
    whole = weights.read_bytes()
    said: list[str] = []
    for n in range(30):
        dataset, plans = dataset_json(**(regions if n % 2 else {})), plans_json(dice.choice(plain))
        if file == "dataset.json":
            dataset = disturbed(dataset, dice)
        elif file == "plans.json":
            plans = disturbed(plans, dice)
        else:
            torn = bytearray(whole)
            for _ in range(dice.randint(1, 30)):
                torn[dice.randrange(len(torn))] = dice.randrange(256)
            weights.write_bytes(torn[: dice.choice([len(torn), len(torn), dice.randrange(len(torn))])])
        (trained / "dataset.json").write_text(json.dumps(dataset))
        (trained / "plans.json").write_text(json.dumps(plans))
        try:
            with warnings.catch_warnings():
                # torch remarks on what torn files say of themselves.
                warnings.simplefilter("ignore")
                nnunet.convert(trained, tmp_path / "pack")
            load_pack(tmp_path / "pack")
        except MedViewError as error:
            said.append(error.sentence)
    assert len(said) > 5
    assert not [sentence for sentence in said if "\n" in sentence or len(sentence) > 600]
