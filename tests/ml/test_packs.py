"""Packs on disk: checked, unpacked safely, and never run."""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import zipfile
from pathlib import Path

import pytest

from medview.core.errors import PackError, WriteError
from medview.ml.packs import load_pack, refuse_pickle, unpack, write_pack
from tests.ml.small_packs import document, small_pack


def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_pack_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    again = load_pack(tmp_path / "pack")
    assert again.spec == pack.spec
    assert again.digest == pack.digest
    assert again.sha256 == hashlib.sha256(again.weights.read_bytes()).hexdigest()
    assert again.available


def test_one_changed_byte_of_the_weights_is_noticed(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    weights = bytearray(pack.weights.read_bytes())
    weights[-1] ^= 1
    pack.weights.write_bytes(weights)
    with pytest.raises(PackError, match="wrong checksum"):
        load_pack(tmp_path / "pack")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    (pack.folder / "LICENSE").unlink()
    with pytest.raises(PackError, match="lacks its file LICENSE"):
        load_pack(tmp_path / "pack")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    elsewhere = tmp_path / "elsewhere"
    pack.weights.rename(elsewhere)
    pack.weights.symlink_to(elsewhere)
    with pytest.raises(PackError, match="lacks its file"):
        load_pack(tmp_path / "pack")


def test_a_folder_without_description_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="not a model pack"):
        load_pack(tmp_path)


def test_an_unknown_network_makes_a_pack_unavailable_not_unreadable(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    odd = document(network={"name": "transformer9000", "kwargs": {}})
    files = {name: content for name, content in contents(pack.folder).items() if name != "model.json"}
    odd_pack = write_pack(tmp_path / "odd", odd, files)
    assert not odd_pack.available
    assert "transformer9000" in odd_pack.reason


class Bomb:
    """Unpickling this leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickled_weights_are_refused_and_never_run(tmp_path: Path, protocol: int) -> None:
    trap = tmp_path / "trap"
    weights = pickle.dumps({"a": Bomb(trap)}, protocol=protocol)
    with pytest.raises(PackError, match="pickle"):
        write_pack(tmp_path / "pack", document(), {"weights.safetensors": weights})
    assert not trap.exists()


def test_a_zip_of_torch_is_refused_as_pickle(tmp_path: Path) -> None:
    file = zipped(tmp_path / "weights.safetensors", {"archive/data.pkl": b"\x80\x02."})
    with pytest.raises(PackError, match="pickle"):
        refuse_pickle(file)


def test_safetensors_whose_header_length_looks_like_a_pickle_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    header = b"{" + b" " * (0x0280 - 2) + b"}"
    file.write_bytes(len(header).to_bytes(8, "little") + header)
    assert file.read_bytes().startswith(b"\x80\x02")
    refuse_pickle(file)


@pytest.mark.parametrize("prefix", ["", "some-model/"])
def test_a_zip_holds_the_pack_at_its_top_or_in_one_folder(tmp_path: Path, prefix: str) -> None:
    pack = small_pack(tmp_path / "pack")
    archive = zipped(tmp_path / "a.zip", {prefix + name: content for name, content in contents(pack.folder).items()})
    target = tmp_path / "out"
    target.mkdir()
    unpack(archive, target)
    assert load_pack(target).digest == pack.digest


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:evil", "deep/er/evil", "..", "con:", "a/../evil"],
)
def test_a_zip_with_a_path_in_it_writes_nothing(tmp_path: Path, name: str) -> None:
    archive = zipped(tmp_path / "a.zip", {name: b"x", "model.json": b"{}"})
    target = tmp_path / "inner" / "out"
    target.mkdir(parents=True)
    with pytest.raises(PackError, match=r"a\.zip"):
        unpack(archive, target)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.zip", "inner", "out"]


def test_a_zip_with_a_link_writes_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        link = zipfile.ZipInfo("model.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(PackError, match="would not stay inside"):
        unpack(archive, target)
    assert not list(target.iterdir())


def test_a_zip_that_inflates_without_bound_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"weights.safetensors": bytes(50 << 20)}, zipfile.ZIP_DEFLATED)
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(PackError, match="inflates"):
        unpack(archive, target)
    assert not list(target.iterdir())


def test_a_zip_that_lies_about_its_sizes_is_refused(tmp_path: Path) -> None:
    content = zipped(tmp_path / "a.zip", {"weights.safetensors": bytes(70_001)}, zipfile.ZIP_DEFLATED).read_bytes()
    size = (70_001).to_bytes(4, "little")
    assert content.count(size) == 2
    (tmp_path / "a.zip").write_bytes(content.replace(size, (16).to_bytes(4, "little")))
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(PackError, match=r"a\.zip"):
        unpack(tmp_path / "a.zip", target)


def test_a_text_file_called_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("hello")
    with pytest.raises(PackError, match="not a readable zip"):
        unpack(tmp_path / "a.zip", tmp_path)


def test_a_truncated_zip_is_refused(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    archive = zipped(tmp_path / "a.zip", contents(pack.folder))
    archive.write_bytes(archive.read_bytes()[:-60])
    with pytest.raises(PackError, match="not a readable zip"):
        unpack(archive, tmp_path / "pack")


def test_a_pack_that_medview_would_not_read_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(PackError):
        write_pack(tmp_path / "pack", document(id="NO"), {"weights.safetensors": b""})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_may_not_be_written_gives_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WriteError):
        small_pack(tmp_path / "file" / "pack")


def test_writing_again_replaces_the_whole_pack(tmp_path: Path) -> None:
    first = small_pack(tmp_path / "pack", seed=1)
    second = small_pack(tmp_path / "pack", seed=2)
    assert first.sha256 != second.sha256
    assert load_pack(tmp_path / "pack").sha256 == second.sha256
    assert [p.name for p in tmp_path.iterdir()] == ["pack"]


def test_every_member_of_an_ensemble_has_to_be_safetensors_and_counts_in_the_checksum(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    weights = pack.weights.read_bytes()
    both = document(network=dict(pack.spec.document)["network"], ensemble=["weights.safetensors", "fold_1.safetensors"])
    others = {"LICENSE": b"x", "MODEL_CARD.md": b"x"}
    made = write_pack(tmp_path / "both", both, {**others, "weights.safetensors": weights, "fold_1.safetensors": weights})
    assert made.sha256 not in (pack.sha256, made.digest)
    torn = {**others, "weights.safetensors": weights, "fold_1.safetensors": pickle.dumps({"a": 1}, protocol=2)}
    with pytest.raises(PackError, match=r"fold_1\.safetensors are a Python pickle"):
        write_pack(tmp_path / "torn", both, torn)
