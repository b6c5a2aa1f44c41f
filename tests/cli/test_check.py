from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, piped, write_ct


def test_a_sound_series_is_told_in_plain_words_and_as_one_document(cli: Cli, ct_folder: Path) -> None:
    told = cli("check", ct_folder)
    assert told.code == 0
    assert told.out.startswith("A volume: all three axes have millimetres.\nFound:\n  7 CT images of 13 \u00d7 10 pixels.")
    assert "Wrong" not in told.out
    document = cli("check", ct_folder, "--json").document
    (volume,) = document["volumes"]
    assert (volume["verdict"], volume["assumed"], volume["wrong"]) == ("volume", [], [])
    assert {finding["code"] for finding in volume["found"]} >= {"IMAGES", "GRID", "MILLIMETRES", "VALUES", "STORAGE"}


def test_a_slice_that_cannot_be_decoded_is_wrong_and_the_command_succeeds(cli: Cli, ct_folder: Path) -> None:
    bad = sorted(ct_folder.iterdir())[3]
    bad.write_bytes(bad.read_bytes()[:-100])
    done = cli("check", ct_folder, "--json")
    assert done.code == 0
    (wrong,) = done.document["volumes"][0]["wrong"]
    assert wrong["code"] == "DAMAGED_SLICE"
    assert bad.name in wrong["text"]
    assert done.document["damaged"][0]["path"] == str(bad)


def test_two_series_are_ambiguous_and_one_of_them_can_be_named(cli: Cli, tmp_path: Path) -> None:
    for seed in ("one", "two"):
        write_ct(tmp_path / "both" / seed, seed)
    refused = cli("check", tmp_path / "both")
    assert (refused.code, refused.out) == (2, "")
    assert "holds 2 series; name one with --series" in refused.err
    uid = refused.err.split("--series: ")[1].split(" ")[0]
    assert cli("check", tmp_path / "both", "--series", uid, "--json").document["series_uid"] == uid


@pytest.mark.parametrize("content", [None, b"just text"])
def test_a_place_without_images_is_one_sentence(cli: Cli, tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "readme.txt").write_bytes(content)
    done = cli("check", tmp_path)
    assert (done.code, done.out) == (1, "")
    assert "holds no images" in done.err


@pytest.mark.data
def test_a_real_uneven_series_says_what_is_wrong(cli: Cli, test_data: Path) -> None:
    done = cli("check", test_data / "ct-gantry-tilt-ge")
    assert done.code == 0
    assert "A stack: it can be looked at" in done.out
    assert "The distance between slices varies from 1.08 to 7.00 mm." in done.out


def test_a_damaged_file_whose_name_is_no_text_is_told_with_escapes(
    ct_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDVIEW_CACHE", str(tmp_path / "cache"))
    victim = ct_folder / "slice-0004.dcm"
    (ct_folder / os.fsdecode(b"K\xf6ln \xc3\xa9.dcm")).write_bytes(victim.read_bytes()[:300])
    for encoding in ("utf-8", "cp1252", "ascii"):
        code, told = piped(monkeypatch, encoding, "check", ct_folder)
        assert code == 0
        assert rb"K\udcf6ln" in told
        assert b"7 CT images" in told
