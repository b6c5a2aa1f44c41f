"""Structure sets that others drew leave a project in every format, and come back with the same voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.core.job import Inline
from medview.core.segmentation import Segmentation
from medview.io.datasets.neutral_read import read_neutral
from medview.io.imported_labels import Target
from medview.io.label_files import read_on
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.export_selection import ExportRun, Include
from medview.workspace.exporting import FORMS, export_as
from medview.workspace.label_export import LABEL_FORMS
from tests.cli.conftest import Cli, cli
from tests.helpers.dciodvfy import errors

__all__ = ["cli"]

pytestmark = [pytest.mark.data, pytest.mark.timeout(600)]


@pytest.mark.parametrize("folder", ["rt-dicompyler", "rtstruct-rt-utils"])
def test_real_regions_come_back_voxel_for_voxel(cli: Cli, test_data: Path, tmp_path: Path, folder: str) -> None:
    place = tmp_path / "p.medview"
    assert cli("project", "create", place).code == 0
    assert cli("project", "import", place, test_data / folder, "--format", "rtstruct").code == 0
    with Project.open(place, read_only=True) as project:
        (row,) = project.readings()
        drawn = project.load_reading(row.reading_id).labels.segmentation
        assert any(drawn.count(segment) for segment in drawn.segments)
        for form in (*LABEL_FORMS, "dataset"):
            assert form in FORMS
            out = tmp_path / form
            export_as(ExportRun(form, include=Include.ALL), project, out, Inline(), InlinePool(), lambda _said: None)
            if form == "dataset":
                _same_layers(out, drawn)
                continue
            (found,) = out.glob("case_*")
            uids = row.sources.sop_instance_uids
            target = Target(drawn.geometry, row.key.series_uid, row.key.study_uid, uids)
            masks = {}
            for path in sorted(found.glob("labels*")):
                if path.suffix == ".dcm":
                    assert errors(path) == []
                if path.suffix != ".json":
                    read = read_on(str(path), target)
                    masks |= {s.name: read.layers[s.layer_id] == s.value for s in read.segments}
            for segment in drawn.segments:
                if drawn.count(segment):
                    np.testing.assert_array_equal(
                        masks[segment.name], drawn.mask(segment), err_msg=f"{form} {segment.name}"
                    )


def _same_layers(out: Path, drawn: Segmentation) -> None:
    (case,) = read_neutral(out).cases
    layers = case.layers()
    assert layers is not None
    for told, segment in zip(case.said["segments"], drawn.segments, strict=True):
        np.testing.assert_array_equal(layers[told["layer"]] == told["value"], drawn.mask(segment), err_msg=segment.name)
