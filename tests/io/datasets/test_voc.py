from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import GeometryError, MedViewError, ReadError, RefusedError
from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.reading import load_labels
from medview.io.datasets.table import list_dataset
from tests.io.datasets.pictures import COLUMNS, ROWS, save_picture

OBJECT = (
    "<object><name>cell</name><difficult>1</difficult><bndbox><xmin>3</xmin><ymin>5</ymin><xmax>12</xmax><ymax>5</ymax>"
    "</bndbox></object>"
)


def dataset(folder: Path, inner: str = OBJECT, head: str = "") -> Path:
    save_picture(folder / "JPEGImages" / "a.png")
    (folder / "Annotations").mkdir()
    size = f"<size><width>{COLUMNS}</width><height>{ROWS}</height><depth>1</depth></size>"
    text = f"{head}<annotation><path>/home/me/../a.png</path><filename>../b.png</filename>{size}{inner}</annotation>"
    (folder / "Annotations" / "a.xml").write_text(text)
    return folder


def test_boxes_count_pixels_from_one_and_hold_the_last(tmp_path: Path) -> None:
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Main" / "val.txt").write_text("a\n")
    found = list_dataset("voc", DatasetRequest(dataset(tmp_path)))
    labels = load_labels(found.cases[0])
    (box,) = labels.boxes
    low, high = box.bounds_kji(labels.geometry)
    np.testing.assert_allclose([*low, *high], [0, 4, 2, 1, 5, 12])
    assert [(one.name, one.words) for one in box.attributes] == [("difficult", "yes")]
    assert found.cases[0].split == "val"
    assert not labels.notes


def test_a_box_beyond_the_picture_is_cut_with_a_word(tmp_path: Path) -> None:
    more = OBJECT.replace("<xmax>12<", "<xmax>120<")
    labels = load_labels(list_dataset("voc", DatasetRequest(dataset(tmp_path, more))).cases[0])
    assert labels.boxes[0].bounds_kji(labels.geometry)[1][2] == COLUMNS
    assert labels.notes == ("In a.xml 1 box reaches beyond the picture and was cut at its edge.",)


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    dataset(tmp_path)
    save_picture(tmp_path / "JPEGImages" / "a.png", ROWS, COLUMNS - 1)
    with pytest.raises(GeometryError, match=r"a\.xml is of 38 x 23 pixels"):
        load_labels(list_dataset("voc", DatasetRequest(tmp_path)).cases[0])


LAUGHS = (
    '<!DOCTYPE annotation [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
OUTSIDE = '<!DOCTYPE annotation [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("head", [LAUGHS, OUTSIDE, '<!DOCTYPE annotation SYSTEM "http://127.0.0.1:9/a.dtd">'])
def test_entities_and_document_types_are_refused(tmp_path: Path, head: str) -> None:
    with pytest.raises(RefusedError, match=r"a\.xml defines a document type or entities"):
        list_dataset("voc", DatasetRequest(dataset(tmp_path, "&j;&x;", head)))


@pytest.mark.parametrize(
    "inner",
    [
        "<object><name>cell</name></object>",
        OBJECT.replace(">3<", ">x<"),
        OBJECT.replace(">3<", ">nan<"),
        OBJECT.replace(">3<", ">99<"),
        OBJECT.replace(">cell<", "><"),
        "<object>",
        "<a>" * 100 + "</a>" * 100,
        OBJECT * 20_001,
        "&nothing;",
    ],
)
def test_damaged_files_are_named(tmp_path: Path, inner: str) -> None:
    with pytest.raises(MedViewError, match=r"a\.xml"):
        list_dataset("voc", DatasetRequest(dataset(tmp_path, inner)))


def test_another_kind_of_xml_is_named(tmp_path: Path) -> None:
    dataset(tmp_path)
    (tmp_path / "Annotations" / "a.xml").write_text("<project/>")
    with pytest.raises(ReadError, match="holds no Pascal VOC boxes"):
        list_dataset("voc", DatasetRequest(tmp_path))
