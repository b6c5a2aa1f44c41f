"""Texts of foreign models, as packs take them."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.ml.convert.bundle_output import labels_of
from medview.ml.texts import LONGEST_NAME, different, first_line, licence_in, plain


def test_a_text_is_one_printable_line() -> None:
    assert plain(" a\tb\nc\u200b\x9b\u00a0") == "a b c"
    assert plain("abc def", 4) == "abc"


@pytest.mark.parametrize(
    "names",
    [
        ["a" * 56, "a" * 56 + " (3)", "a" * 56],
        ["a" * 70] * 20,
        ["x", "x (2)", "x", "x (2)", "x (3)"],
        ["", "", "Label 1"],
        ["", "Label 1", ""],
    ],
)
def test_names_become_different_and_keep_their_order(names: list[str]) -> None:
    found = different(names, "Label")
    assert len(set(found)) == len(names)
    assert all(0 < len(name) <= LONGEST_NAME and name == plain(name) for name in found)
    assert [name[:1] for name in found] == [name[:1] or "L" for name in names]


def test_names_that_differ_already_stay() -> None:
    assert different(["liver", "tumour", "Liver"], "Label") == ["liver", "tumour", "Liver"]
    assert different(["x", "x", ""], "Label") == ["x", "x (2)", "Label 3"]


def test_labels_whose_names_contain_one_anothers_numbers_come_to_an_end() -> None:
    name = "a" * 56
    assert len(set(labels_of(["background", name, name + " (3)", name], "softmax", 4))) == 3


def test_a_licence_is_named_by_its_first_line_that_says_anything() -> None:
    assert first_line("\n \t\n\u2028  MIT\tLicence \nmore") == "MIT Licence"
    assert first_line("\n\t\n") == ""


def test_only_a_licence_that_lies_there_itself_is_read(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_bytes(b"MIT \xff\n")
    (tmp_path / "link").symlink_to(tmp_path / "LICENSE")
    assert licence_in(tmp_path / "LICENSE") == "MIT \ufffd"
    assert licence_in(tmp_path / "link") == licence_in(tmp_path / "none") == licence_in(tmp_path) == ""
