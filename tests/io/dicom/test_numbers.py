"""Numbers as text, written in ways the standard does not allow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.tag import Tag

from medview.core.job import Inline
from medview.core.study import Verdict
from medview.io.dicom.scan import scan
from tests.helpers.dicom_series import write_ct

WAYS: dict[str, Callable[[float], str]] = {
    "more than sixteen characters": lambda v: f"{v:.22f}",
    "exponents": lambda v: f"{v:.15e}",
    "a plus sign and blanks": lambda v: f" {v:+.12f}  ",
    "capital exponents": lambda v: f"{v:.12E}",
}
NUMBERS = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleIntercept", "SliceThickness")


def put_text(dataset: FileDataset, keyword: str, text: str) -> None:
    tag = Tag(tag_for_keyword(keyword) or 0)
    value = text.encode() + b" " * (len(text) % 2)
    dataset[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)


@pytest.mark.parametrize("way", WAYS)
def test_numbers_that_break_the_rules_of_their_type_give_the_same_geometry(tmp_path: Path, way: str) -> None:
    def rewritten(k: int, dataset: FileDataset) -> None:
        for keyword in NUMBERS:
            found = dataset[keyword].value
            values = [float(v) for v in (found if dataset[keyword].VM > 1 else [found])]
            put_text(dataset, keyword, "\\".join(WAYS[way](v) for v in values))
        put_text(dataset, "InstanceNumber", f"{k + 1}.0")

    truth = write_ct(tmp_path, change=rewritten)
    (series,) = scan(tmp_path, Inline()).series
    (entry,) = series.volumes
    assert entry.verdict is Verdict.VOLUME
    assert entry.geometry is not None
    np.testing.assert_allclose(entry.geometry.affine_lps, truth, atol=1e-6)
    assert entry.rescale.intercept == -1024.0
