"""What ``medview doctor`` says, in words and as JSON."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from medview.cli import doctor
from medview.workspace import self_check
from tests.cli.conftest import Cli


def _answering(code: int, out: str = "", err: str = "") -> object:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, code, out, err)

    return run


FINE = (
    '{"ok": true, "version": "2.13.0", "warnings": ["torch uses one of 8 processor cores."], "devices": [{"device": "cpu", '
    '"name": "processor", "memory_gb": null, "right": true, "conv3d_ms": 31.2, "free_gb": 4.5}]}'
)


def test_it_says_in_words_what_works_and_what_is_slow(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_check.subprocess, "run", _answering(0, FINE))
    done = cli("doctor")
    assert done.code == 0
    assert "The processor: a small network gives the right numbers; a 3-D convolution takes 31 ms" in done.out
    assert "Warning: torch uses one of 8 processor cores." in done.out
    assert "models run on this computer" in done.out


@pytest.mark.parametrize(
    ("code", "err", "words"),
    [
        (1, "ModuleNotFoundError: No module named 'torch'", "is not installed"),
        (1, "ImportError: libtorch_cpu.so: cannot open shared object file", "cannot be loaded"),
        (-4, "", "lacks instructions"),
        (-9, "", "Memory ran out"),
    ],
)
def test_a_torch_that_cannot_run_is_one_plain_sentence(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, code: int, err: str, words: str
) -> None:
    monkeypatch.setattr(self_check.subprocess, "run", _answering(code, err=f"Traceback\n{err}"))
    done = cli("doctor", "--json")
    assert done.code == 1
    assert not done.document["checks"]["network_runs"]
    assert words in done.document["torch"]["problem"]
    monkeypatch.setattr(self_check.subprocess, "run", _answering(code, err=f"Traceback\n{err}"))
    assert f"Wrong: {done.document['torch']['problem']}" in cli("doctor").out


def test_a_pack_whose_file_was_altered_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(self_check.subprocess, "run", _answering(0, FINE))
    bundled = next(p for p in doctor.model_registry().list() if p.spec.id == "phantom-nodule-present")
    altered = tmp_path / "user-data" / "models" / "altered"
    altered.mkdir(parents=True)
    for file in bundled.folder.iterdir():
        (altered / file.name).write_bytes(file.read_bytes())
    document = (altered / "model.json").read_text().replace('"id": "phantom-', '"id": "other-')
    (altered / "model.json").write_text(document)
    weights = bytearray((altered / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (altered / "weights.safetensors").write_bytes(weights)
    done = cli("doctor", "--json")
    assert done.code == 1
    assert any("checksum" in text for text in done.document["damaged_models"])
    assert not done.document["checks"]["models"]
