"""``medview project next``: what to label next in a project that is not open."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.core.job import Inline
from medview.core.reading_status import ReadingStatus
from medview.io.library import Library
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.case_adding import AddCases, WantedPlace
from tests.cli.conftest import Cli
from tests.ml.small_packs import document, small_pack
from tests.workspace.queued import TILES, write_small_ct

PATIENTS = ("a", "a", "b", "c", "d", "e")
"""Of the cases, in the order of the list."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Six cases of five patients; one of d's is for testing, and e's is done."""
    path = tmp_path / "p.medview"
    for number, patient in enumerate(PATIENTS):
        write_small_ct(tmp_path / "ct", f"s{number}", study=f"study-{patient}")
    with Project.create(path) as made:
        wanted = [WantedPlace(tmp_path / "ct" / f"s{n}") for n in range(len(PATIENTS))]
        AddCases(made, tuple(wanted), InlinePool(), Library(tmp_path / "cache")).run(Inline())
        rows = made.cases()
        assert len({row.patient for row in rows}) == 5
        made.worklist.set_split([rows[4].case_id], "test")
        images = made.worklist.images(rows[5].case_id)
        reading = made.reading(images.key, images.geometry, images.sources)
        made.set_status(reading.reading_id, ReadingStatus.DONE)
    return path


@pytest.fixture
def model(cli: Cli, tmp_path: Path) -> str:
    del cli  # It has set where models are.
    pack = small_pack(tmp_path / "user-data" / "models" / "small", tiling=TILES)
    return pack.spec.id


def test_it_proposes_cases_nobody_began_one_per_patient_and_names_those_held_out(
    cli: Cli, project: Path, model: str
) -> None:
    before = (project / "project.db").read_bytes()
    done = cli("project", "next", project, "--model", model, "--json")
    assert done.code == 0, done.err
    found = done.document
    assert (found["scored"], found["from_cache"], found["labelled"]) == (4, 0, 1)
    chosen = [case["case"] for case in found["cases"]]
    assert len(chosen) == 3
    assert len({case["patient"] for case in found["cases"]}) == 3
    assert found["held_out"] == [{"case": 5, "split": "test"}]
    assert set(chosen) <= {1, 2, 3, 4}
    for case in found["cases"]:
        assert "uncertain on slices" in case["reason"]
        assert all(1 <= one["first"] <= one["best"] <= one["last"] <= 9 for one in case["slices"])
        assert 0 < case["minutes_in_slices"] <= case["minutes"]
    assert found["control"]["strategy"] == "foreground-random"
    assert found["rate"]["grounds"] == "guess"
    assert (project / "project.db").read_bytes() == before


def test_what_was_worked_out_is_kept_and_the_same_seed_gives_the_same_cases(cli: Cli, project: Path, model: str) -> None:
    first = cli("project", "next", project, "--model", model, "--count", "2", "--json").document
    files = sorted((project / "next").rglob("*.npz"))
    assert len(files) == 4
    again = cli("project", "next", project, "--model", model, "--count", "2", "--json").document
    assert again["from_cache"] == 4
    assert again["cases"] == first["cases"]
    # One that was damaged is worked out anew.
    files[0].write_bytes(files[0].read_bytes()[:100])
    repaired = cli("project", "next", project, "--model", model, "--count", "2", "--json").document
    assert (repaired["from_cache"], repaired["cases"]) == (3, first["cases"])


def test_another_model_is_asked_anew_and_an_unknown_strategy_is_refused(
    cli: Cli, project: Path, model: str, tmp_path: Path
) -> None:
    assert cli("project", "next", project, "--model", model, "--json").code == 0
    small_pack(tmp_path / "other", seed=9, tiling=TILES)
    other = cli("project", "next", project, "--model", tmp_path / "other", "--strategy", "random", "--json").document
    assert other["from_cache"] == 0
    assert all(case["reason"].startswith("Drawn by chance") for case in other["cases"])
    refused = cli("project", "next", project, "--model", model, "--strategy", "badge")
    assert refused.code == 2
    assert "foreground-random" in refused.err


def test_a_model_for_other_images_says_so_instead_of_proposing_any(cli: Cli, project: Path, tmp_path: Path) -> None:
    small_pack(tmp_path / "mr", input={**document()["input"], "modality": ["MR"]}, tiling=TILES)
    failed = cli("project", "next", project, "--model", tmp_path / "mr")
    assert failed.code == 1
    assert "is for MR" in failed.err


def test_a_device_there_is_none_of_is_wrong_use(cli: Cli, tmp_path: Path) -> None:
    cli("project", "create", tmp_path / "p.medview")
    done = cli("project", "next", tmp_path / "p.medview", "--device", "gpu")
    assert (done.code, done.out, done.err) == (2, "", "--device gpu is none; choose auto, cpu or cuda.\n")
