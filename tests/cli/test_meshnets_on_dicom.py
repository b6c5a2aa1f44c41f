"""The real MeshNet for tissue on a DICOM series made from the real head: the volumes its source states."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.helpers.dciodvfy import errors
from tests.helpers.head_series import write_head

pytestmark = pytest.mark.data

WHITE_ML, GREY_ML = 518.0, 735.0
"""What the weights' source gives on this head, see README of the test data."""


def test_white_and_grey_matter_of_a_dicom_series_have_their_known_volumes(
    cli: Cli, test_data: Path, tmp_path: Path
) -> None:
    head = write_head(test_data, tmp_path / "mr")
    card = cli("models", "add", test_data / "weights-brainchop" / "meshnet" / "model5_gw_ae", "--json").document
    done = cli("predict", card["id"], head, "-o", tmp_path / "out", "--json")
    volumes = {segment["name"]: segment["volume_ml"] for segment in done.document["segments"]}
    assert volumes == {
        "White Matter": pytest.approx(WHITE_ML, rel=0.02),
        "Grey Matter": pytest.approx(GREY_ML, rel=0.02),
    }
    assert errors(tmp_path / "out" / "labels.dcm") == []
