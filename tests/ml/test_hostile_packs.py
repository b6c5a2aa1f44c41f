"""Two hundred hostile models: none runs, none crashes, each is refused in one sentence or does no harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.timing import allowed_s

REAL_CHILD = os.environ.get("MEDVIEW_HOSTILE_DOOR") == "child"
MOST_SECONDS = 60.0 if REAL_CHILD else 10.0
LIMIT_S = 3600 if REAL_CHILD else 570
HARMLESS = (
    "bundle-weights-elsewhere", "bundle-weights-script", "bundle-import-list", "bundle-initialize", "bundle-unused-code",
    "bundle-mode-debug", "bundle-requires", "bundle-deep-brackets", "document-tile-huge",
    "document-tile-tiny-overlap", "document-spacing-fine", "document-network-other", "files-beside-pack", "header-double",
)  # fmt: skip
"""Beginnings of names of what may be added, since nothing bad comes of it."""


pytestmark = pytest.mark.timeout(LIMIT_S + 30)


@pytest.fixture(scope="module")
def trap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trap") / "sprung"


@pytest.fixture(scope="module")
def told(trap: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("hostile")
    command = [sys.executable, "-m", "tests.ml.hostile.door", str(folder), str(trap)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    last = lines[-1]["name"] if lines else "none"
    assert done.returncode == 0, f"after {last}: {done.stderr[-3000:]}"
    return lines


def test_nothing_a_model_brings_is_run(told: list[dict[str, Any]], trap: Path) -> None:
    assert len(told) >= 200
    assert sorted(path.name for path in trap.parent.iterdir()) == []
    assert not Path("/tmp/medview-evil.json").exists()
    assert {one["name"]: one["announced"] for one in told if one["announced"]} == {}


def test_each_refusal_is_one_sentence(told: list[dict[str, Any]]) -> None:
    assert {one["name"]: one["outcome"] for one in told if one["outcome"].startswith("crashed")} == {}
    for one in told:
        if one["outcome"] != "ran":
            sentence = one["sentence"]
            assert sentence.endswith((".", ").")), one
            assert sentence.isprintable(), one
            assert 20 < len(sentence) < 400, one


def test_what_is_hostile_is_not_installed(told: list[dict[str, Any]]) -> None:
    added = {one["name"] for one in told if one["outcome"] != "refused" and not one["name"].startswith(HARMLESS)}
    # These are honest packs until their weights are looked at, which happens before the first run.
    late = {name for name in added if name.startswith(("header-", "document-kwargs"))}
    ran = {one["name"] for one in told if one["outcome"] == "ran"}
    assert late & ran == set()
    assert added - late == set()


def test_nothing_takes_long(told: list[dict[str, Any]]) -> None:
    most = allowed_s(MOST_SECONDS)
    assert {one["name"]: one["seconds"] for one in told if one["seconds"] > most} == {}
