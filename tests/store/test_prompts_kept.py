"""Prompts survive in the journal and in snapshots; projects without any are written as before."""

from __future__ import annotations

import json

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.changes import Command, PromptChange
from medview.core.errors import StoreError
from medview.core.geometry import Geometry
from medview.core.marks import Marks
from medview.core.prompt import Prompt, PromptKind
from medview.core.prompt_log import HeldVoxels, PromptLog
from medview.store.codec import CODEC_VERSION, decode, encode
from medview.store.replay import ReplayedCase
from medview.store.snapshots import pack_snapshot, unpack_snapshot

GRID = Geometry.from_spacing((7, 9, 11), (3.0, 0.8, 0.9))


def _log(count: int) -> PromptLog:
    mask = np.random.default_rng(5).random((4, 5, 6)) > 0.4
    prompts = tuple(
        Prompt(
            f"p{n}",
            PromptKind.LASSO,
            n % 2 == 0,
            ((0.1 + n, 1 / 3, 2.0), (4.0, 5.0, 6.0), (7.0, 8.0, 9.5)),
            (0.6, 0.0, 0.8),
            2.5,
        )
        for n in range(count)
    )
    return PromptLog(
        "seg", "model@1.0", "ab" * 32, prompts[1:], HeldVoxels.of(Box((1, 2, 3), (5, 7, 9)), mask), "f", prompts[:1]
    )


def test_a_command_with_prompts_comes_back_as_it_was():
    command = Command("Prompt Nodule", (PromptChange(None, _log(2)), PromptChange(_log(2), _log(3))), "prompt")
    stored = encode(command)
    assert decode(stored.document, stored.payload, stored.blobs.__getitem__) == command
    assert json.loads(stored.document)["v"] == CODEC_VERSION


def test_damaged_prompts_are_an_error_of_the_store():
    stored = encode(Command("Prompt", (PromptChange(None, _log(2)),), "prompt"))
    document = json.loads(stored.document)
    document["changes"][0]["after"]["prompts"][0]["points_lps_mm"] = [[1.0, 2.0]]
    with pytest.raises(StoreError):
        decode(json.dumps(document), stored.payload, stored.blobs.__getitem__)
    with pytest.raises(StoreError):
        decode(stored.document, stored.payload[:-3], stored.blobs.__getitem__)


def test_a_snapshot_holds_prompts():
    case = ReplayedCase(GRID)
    case.labels.marks = Marks(frozenset({2}))
    case.labels.prompts["seg"] = _log(3)
    data, blobs = pack_snapshot(case)
    back = unpack_snapshot(data, GRID, blobs.__getitem__)
    assert back.labels.prompts == case.labels.prompts
    assert back.labels.marks == case.labels.marks
