"""MONAI bundles with something changed at random: a pack, or one sentence, and never anything else."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from medview.core.errors import MedViewError
from medview.ml.convert import monai_bundle
from medview.ml.packs import load_pack
from tests.ml.convert.bundles import UNET, monai_network, on_answer, spleen_like, write_bundle
from tests.ml.convert.test_nnunet_fuzz import disturbed

pytest.importorskip("monai")

PARTS = ("network_def", "preprocessing", "inferer", "postprocessing", "image_key")
LAST = [
    on_answer("KeepLargestConnectedComponentd", applied_labels=[1], is_onehot=False, connectivity=1, num_components=1),
    on_answer("RemoveSmallObjectsd", by_measure=True, min_size=3, connectivity=1, independent_channels=True),
]


@pytest.mark.parametrize("file", ["metadata.json", "inference.json"])
def test_nothing_but_a_pack_or_a_sentence_comes_of_a_disturbed_bundle(tmp_path: Path, file: str) -> None:
    dice = random.Random(file)
    about, program = spleen_like()
    program = {key: program[key] for key in PARTS}
    program["postprocessing"]["transforms"][3:] = LAST
    bundle = write_bundle(tmp_path / "b", about, program, monai_network(UNET))
    monai_bundle.convert(bundle, tmp_path / "whole")
    whole = {"metadata.json": about, "inference.json": program}[file]
    packs, said = 0, []
    for n in range(60):
        (bundle / "configs" / file).write_text(json.dumps(disturbed(whole, dice)))
        try:
            monai_bundle.convert(bundle, tmp_path / f"pack-{n}")
            load_pack(tmp_path / f"pack-{n}")
            packs += 1
        except MedViewError as error:
            said.append(error.sentence)
    assert packs > 5
    assert len(said) > (5 if file == "inference.json" else 0)
    assert not [sentence for sentence in said if not sentence.isprintable() or len(sentence) > 600]
