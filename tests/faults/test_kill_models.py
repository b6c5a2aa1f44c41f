"""``kill -9`` while a model becomes a version of its project: one with its whole pack, or none; again it ends well.

``MEDVIEW_FAULTS_SEED`` says when.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from medview.store.project import Project, verify_folder
from tests.faults.killed import VERSION, doomed, take_version
from tests.store.test_model_book import pack

SEED = int(os.environ.get("MEDVIEW_FAULTS_SEED", "5"))
KILLS = int(os.environ.get("MEDVIEW_MODEL_KILLS", "6"))

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="whoever is killed is forked, and there is no fork here"),
]


def test_a_version_is_there_with_its_whole_pack_or_not_at_all(tmp_path: Path) -> None:
    made = tmp_path / "made"
    pack(made / "pack", os.urandom(1 << 20))
    Project.create(made / "p.medview", "Test").close()
    moments, outcomes = random.Random(SEED), set()
    with doomed() as at_work:
        calls = at_work.calls_of(Path(shutil.copytree(made, tmp_path / "whole")), VERSION)
        for number in range(KILLS):
            place = Path(shutil.copytree(made, tmp_path / str(number)))
            # Opening the project takes most of the calls; the last ones close it.
            at_work.kill_at(int(calls * moments.uniform(0.2, 0.98)), place, VERSION)
            report = verify_folder(place / "p.medview")
            assert report.problems == ()
            with Project.open(place / "p.medview") as project:
                rows = project.models.versions()
                assert len(project.models.choices()) == len(rows) == report.models
                outcomes.add(len(rows))
                assert not list((place / "p.medview" / "models").glob(".*")), "what was half done is swept away"
                assert take_version(place, project).version == 1
                assert len(project.models.versions()) == 1
                assert project.verify().problems == ()
    assert outcomes <= {0, 1}
