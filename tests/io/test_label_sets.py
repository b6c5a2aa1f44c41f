"""Label sets and the label tables of other programs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.sr._concepts_dict import concepts

from medview.core.errors import ReadError
from medview.core.label_set import LabelEntry, LabelSet
from medview.core.resources import resource_path
from medview.core.segmentation import Code, Segment, SegmentRole
from medview.io.colour_tables import read_colour_table
from medview.io.label_sets import read_label_set, write_label_set

SHIPPED = sorted((resource_path("schemas") / "label_sets").glob("*.json"))

# After "Color table file format (.txt, .ctbl)" of the 3D Slicer user guide.
SLICER = """# Color table file /home/someone/Lesions.ctbl
# 4 values
0 Background 0 0 0 0
1 Left_Lung 111 184 210 255
2 right_lung 255 0 12 255

3 (none) 0 0 0 0
7 Nodule 0 151 206 128
"""

# After the header that ITK-SNAP writes over its own files.
SNAP = """################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
# Fields:
#    IDX:   Zero-based index
#    -A-:   Label transparency (0.00 .. 1.00)
################################################
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "Left lung"
    2     0  255    0     0.35  0  1    "Nodule, solid"
"""


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_a_shipped_set_is_sound_and_its_codes_are_dicoms(path: Path) -> None:
    known = {value for entry in concepts["SCT"].values() for value in entry}
    found = read_label_set(path)
    assert found.name
    assert found.description.endswith(".")
    assert len({entry.colour for entry in found.entries}) == len(found.entries), "no two look alike"
    assert [entry.name for entry in found.entries if entry.unsure] == ["Unsure"]
    for entry in found.entries:
        if entry.code is not None:
            assert (entry.code.scheme, entry.code.value in known) == ("SCT", True)


def test_there_are_sets_for_chest_brain_abdomen_lesions_and_radiographs() -> None:
    assert {path.stem for path in SHIPPED} == {"chest-ct", "brain-mr", "abdomen-ct", "lesions", "chest-radiograph"}


def test_a_colour_table_of_slicer_becomes_a_set(tmp_path: Path) -> None:
    found = read_label_set(put(tmp_path, "Lesions.ctbl", SLICER))
    assert found.name == "Lesions"
    assert [(e.name, e.colour) for e in found.entries] == [
        ("Left Lung", (111, 184, 210)),
        ("right lung", (255, 0, 12)),
        ("Nodule", (0, 151, 206)),
    ]


def test_a_label_file_of_itk_snap_becomes_a_set(tmp_path: Path) -> None:
    found = read_label_set(put(tmp_path, "labels.txt", SNAP))
    assert [(e.name, e.colour) for e in found.entries] == [("Left lung", (255, 0, 0)), ("Nodule, solid", (0, 255, 0))]


def test_a_set_comes_back_as_it_was_written(tmp_path: Path) -> None:
    label_set = LabelSet(
        "Böden",
        (
            LabelEntry("Lunge", (1, 2, 3), "Organe", Code("39607008", "SCT", "Lung")),
            LabelEntry("Unklar", None, unsure=True),
        ),
        "Zum Üben.",
    )
    write_label_set(label_set, tmp_path / "set.json")
    assert read_label_set(tmp_path / "set.json") == label_set


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "its JSON is damaged"),
        ("[]", "line 1 is neither"),
        ('{"name": "A"}', "it has no list of labels"),
        ('{"labels": [{"name": "A"}]}', "it has no name"),
        ('{"name": "A", "labels": []}', "it has no labels"),
        ('{"name": "A", "labels": ["B"]}', "label 1 is not an object with a name"),
        ('{"name": "A", "labels": [{"name": "B"}, {}]}', "label 2 has no name"),
        ('{"name": "A", "labels": [{"name": "B"}, {"name": "b "}]}', "labels 1 and 2 are both called b"),
        ('{"name": "A", "labels": [{"name": 7}]}', "the name of label 1 is not a short text"),
        ('{"name": "A", "labels": [{"name": "B", "colour": [1, 2, 256]}]}', "the colour of label 1 is not three whole"),
        ('{"name": "A", "labels": [{"name": "B", "colour": [1, 2, true]}]}', "the colour of label 1 is not three whole"),
        ('{"name": "A", "labels": [{"name": "B", "code": {"value": "1"}}]}', "the code of label 1 lacks its value"),
        ('{"name": "A", "labels": [{"name": "B", "unsure": "no"}]}', "whether label 1 is unsure is neither"),
        ('{"name": "A", "labels": [{"name": "B\\u0007"}]}', "the name of label 1 is too long or holds"),
        ("1 Lung 1 2 3\n", "line 1 is neither a line of a 3D Slicer colour table nor one of an ITK-SNAP"),
        ("# only a comment\n", "it has no labels"),
        ("1 Lung 1 2 999 255\n", "line 1 has a colour beyond 255"),
        (b"\xff\xfe\x00", "it is not written in UTF-8"),
        ("[" * 100_000, "line 1 is neither"),
        ('{"a":' * 100_000, "its JSON is damaged"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_label_set(put(tmp_path, "mine.json", text))
    assert said in caught.value.sentence
    assert caught.value.sentence.startswith("mine.json is no label set: ")
    assert caught.value.sentence.endswith(".")


def test_a_file_that_is_not_there_or_too_large_is_said_too(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"gone\.json could not be read"):
        read_label_set(tmp_path / "gone.json")
    with pytest.raises(ReadError, match=r"large\.json is too large"):
        read_label_set(put(tmp_path, "large.json", b" " * (2 << 20)))


@given(st.text())
def test_any_text_is_a_table_or_one_sentence(text: str) -> None:
    with suppress(ValueError):
        entries = read_colour_table(text)
        assert len({entry.name.casefold() for entry in entries}) == len(entries)


def test_a_set_made_of_segments_has_each_kind_of_thing_once() -> None:
    code = Code("27925004", "SCT", "Nodule")
    segments = [
        Segment("a", "Nodule", (1, 1, 1), 0, 1, code=code, group="Nodule"),
        Segment("b", "Nodule 2", (2, 1, 1), 0, 2, code=code, group="Nodule"),
        Segment("c", "Lung", (3, 1, 1), 0, 3),
        Segment("d", "Lobe 3", (4, 1, 1), 0, 4),
        Segment("e", "Blur", (5, 1, 1), 0, 5, role=SegmentRole.IGNORE),
    ]
    found = LabelSet.of("Mine", segments)
    assert [(e.name, e.unsure) for e in found.entries] == [
        ("Nodule", False), ("Lung", False), ("Lobe 3", False), ("Blur", True)
    ]  # fmt: skip
    assert [e.name for e in found.missing(segments[:3])] == ["Lobe 3", "Blur"]
