"""The self-test computes what is stored, and notices where a computer does not."""

from __future__ import annotations

import pytest
import torch

from medview.ml.networks import unet
from medview.ml.runners import self_test
from medview.ml.runners.self_test import CPU_TOLERANCE, EXPECTED, probe


def test_the_stored_numbers_are_those_of_twice_the_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judged by the same arithmetic in float64, where rounding and the order of sums play no part."""

    class InDouble(unet.UNet3D):
        def forward(self, volume: torch.Tensor) -> torch.Tensor:
            return unet.UNet3D.forward(self.double(), volume.double())

    monkeypatch.setattr(self_test, "unet3d", lambda i, c, channels: InDouble(i, c, channels))
    off = max(abs(a - b) for a, b in zip(probe("cpu"), EXPECTED, strict=True))
    assert off < 1e-5


def test_this_computer_gives_the_stored_numbers_and_says_how_fast() -> None:
    found = self_test.self_test()
    assert found["ok"]
    (processor, *_) = found["devices"]  # type: ignore[misc]
    assert processor["device"] == "cpu"
    assert processor["right"]
    assert processor["off_by"] < CPU_TOLERANCE / 10
    assert processor["conv3d_ms"] > 0
    assert processor["free_gb"] > 0
    assert found["onednn"]


def test_wrong_arithmetic_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = self_test.unet3d

    def off_by_a_little(*arguments: object) -> torch.nn.Module:
        network = real(*arguments)  # type: ignore[arg-type]
        network.head.register_forward_hook(lambda _module, _inputs, output: output * 1.001)
        return network

    monkeypatch.setattr(self_test, "unet3d", off_by_a_little)
    found = self_test.self_test()
    assert not found["ok"]
    assert "cannot be trusted" in found["devices"][0]["problem"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("could not create a primitive"), "lacks instructions"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes."), "Memory ran out"),
        (RuntimeError("something else"), "does not run here"),
    ],
)
def test_a_device_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
    def broken(_device: str) -> list[float]:
        raise error

    monkeypatch.setattr(self_test, "probe", broken)
    found = self_test.self_test()
    assert not found["ok"]
    assert words in found["devices"][0]["problem"]  # type: ignore[index]


def test_known_slow_builds_and_processors_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", "2.9.1+cpu")
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    monkeypatch.setattr(self_test.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(self_test, "_timed", lambda _device: 5000.0)
    monkeypatch.setattr(self_test, "free_memory_bytes", lambda: 500_000_000)
    told = " ".join(self_test.self_test()["warnings"])  # type: ignore[arg-type]
    for word in ("2.9", "MKL", "oneDNN", "AVX2", "5000 ms", "0.5 GB"):
        assert word in told
    monkeypatch.setattr(self_test.platform, "machine", lambda: "arm64")
    told = " ".join(self_test.self_test()["warnings"])  # type: ignore[arg-type]
    assert "MKL" not in told
    assert "AVX2" not in told


def test_a_card_that_torch_cannot_use_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "_tested", lambda name: {"device": name, "name": name, "right": True})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(self_test.Path, "exists", lambda _path: True)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert any("made for processors only" in text for text in self_test.self_test()["warnings"])  # type: ignore[attr-defined]

    def old() -> None:
        raise RuntimeError("The NVIDIA driver on your system is too old (found version 11040).")

    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "init", old)
    assert any("too old" in text for text in self_test.self_test()["warnings"])  # type: ignore[attr-defined]
