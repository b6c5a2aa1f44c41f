"""The scripted loop goes on where it was broken off, and what is asked of it is so where it was played."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from medview.ml.recipes.reader import recipe_document
from tests.accuracy.loop.asked import asked_of
from tests.accuracy.loop.bench import LoopBench
from tests.accuracy.loop.page import read_results
from tests.accuracy.loop.rows import ROWS
from tests.accuracy.loop.scene import Scene
from tests.accuracy.loop.sizes import Sizes
from tests.helpers.loop_data import PHANTOMS, write_phantoms
from tests.helpers.segmentation_training import tiny_recipe

TINY = Sizes(held_out=3, parent=3, parent_steps=2, rounds=1, per_round=1, round_steps=2, worse_steps=2, worse_rate=1.0)


@pytest.mark.timeout(600)
def test_a_loop_that_is_broken_off_goes_on_and_trains_and_corrects_nothing_twice(tmp_path: Path) -> None:
    write_phantoms(tmp_path, 24)
    told: list[str] = []

    def stop(line: str) -> None:
        told.append(line)
        if "round-1: training" in line:
            raise KeyboardInterrupt

    bench = LoopBench(
        tmp_path / "work", tmp_path, say=stop, volumes=PHANTOMS, whole_sizes=TINY, recipe=recipe_document(tiny_recipe())
    )
    row = ROWS["rounds"]
    with pytest.raises(KeyboardInterrupt):
        bench.play(row, 0)
    assert bench.played(row, 0) is None
    scene = bench.scene(row, 0)
    before = _stamps(scene)
    assert sorted(name.split("/")[0] for name in before) == ["parent", "work"]
    bench = replace(bench, say=told.append)
    found = bench.play(row, 0)
    assert [line.split(": ")[0].rsplit(", ", 1)[1] for line in told] == ["parent", "round-1", "round-1"]
    assert _stamps(scene).items() >= before.items()
    first, second = found["found"]["rounds"]
    assert first["verdict"] == "first"
    assert second["verdict"] in ("promoted", "kept")
    assert second["counts"] == ("v2" if second["verdict"] == "promoted" else "v1")
    assert second["cases"] == 4
    assert len(second["effort"]) == len(second["first"]) == 1
    # The first model made these proposals, so it would have taken what it took.
    assert second["effort"][0]["changed"] == second["first"][0]["changed"]
    assert set(first["dices"]) == set(scene.patients.val)
    assert bench.play(row, 0) == found
    assert len(told) == 3


def _stamps(scene: Scene) -> dict[str, int]:
    """Return when what a loop comes to step by step was written."""
    files = [*scene.shared.glob("runs/*/result.json"), *scene.folder.glob("project/work/*.json")]
    return {f"{file.parent.name}/{file.name}": file.stat().st_mtime_ns for file in files}


@pytest.mark.skipif(
    "MEDVIEW_ACCURACY_ROWS" in os.environ and bool(os.environ["MEDVIEW_ACCURACY_ROWS"]), reason="other rows"
)
def test_what_is_asked_of_the_loop_is_so_where_it_was_played() -> None:
    missed = [f"{one.asked}: {one.value}" for one in asked_of(read_results()) if one.reached is False]
    assert not missed, "; ".join(missed)
