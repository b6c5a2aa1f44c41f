"""Can this computer run a network, and rightly? Printed as JSON; run as a child by ``medview doctor``."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import torch

from medview.ml.free_memory import free_memory_bytes
from medview.ml.networks.unet import unet3d
from medview.ml.runners.device_errors import trouble_of

EXPECTED = (-0.767737, 5.677656, 0.063651, 1.185583, -0.935036, -5.138030, -0.073461, -0.176024)
"""What ``probe`` gives on a processor: mean, spread and six single logits."""

CPU_TOLERANCE = 1e-4
GPU_TOLERANCE = 2e-2
"""Largest difference, as a part of the spread. TF32 on recent GPUs keeps ten bits of mantissa."""

SLOW_MS = 1000.0
"""One convolution of 3.6 thousand million multiplications; two cores of an old laptop take a tenth of that."""

LITTLE_BYTES = 2_000_000_000

CHANNELS, SIDE, KERNEL = 16, 64, 3

_PLACES = ((0, 1, 2, 3), (1, 4, 5, 6), (2, 7, 1, 9), (0, 8, 11, 2), (1, 2, 10, 12), (2, 9, 6, 4))
_SLOW_TORCH = "2.9"


def self_test() -> dict[str, object]:
    """Run a small known network on every device, compare with stored numbers, and time one 3-D convolution.

    Returns
    -------
    dict
        ``ok``; ``version`` of torch; ``threads``; ``instructions`` of the processor that torch uses; ``mkl``, ``onednn``,
        ``cuda`` (which one torch was built for, or null); ``devices``: name, memory and free memory in GB, milliseconds of
        a 16-channel 3 x 3 x 3 convolution over 64^3, whether the network gave the ``right`` numbers, by how much of their
        spread they were ``off_by``, ``problem`` in words; ``warnings`` in words.
    """
    warnings = [*_build_warnings()]
    devices = [_tested("cpu")]
    names, problem = _cards()
    if problem:
        warnings.append(problem)
    devices += [_tested(name) for name in names]
    for found in devices:
        warnings += _device_warnings(found)
    return {
        "ok": all(bool(d["right"]) for d in devices),
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "instructions": _instructions(),
        "mkl": torch.backends.mkl.is_available(),
        "onednn": torch.backends.mkldnn.is_available(),
        "cuda": torch.version.cuda,
        "devices": devices,
        "warnings": warnings,
    }


def probe(device: str) -> list[float]:
    """Return mean, spread and six single logits of a network whose weights and input follow from sines alone."""
    network = unet3d(1, 3, [4, 6, 8]).eval()
    with torch.no_grad():
        for number, (name, tensor) in enumerate(sorted(network.state_dict().items())):
            if not tensor.is_floating_point() or "running" in name:
                continue
            steps = torch.arange(tensor.numel(), dtype=torch.float64)
            scale = 1.5 / math.sqrt(max(1, tensor[0].numel())) if tensor.ndim > 1 else 0.2
            # Weights of norms lie around one, or nothing would be left after a few layers.
            middle = 1.0 if tensor.ndim == 1 and name.endswith("weight") else 0.0
            values = middle + scale * torch.sin(0.7 * steps + 1.3 * number)
            tensor.copy_(values.reshape(tensor.shape))
        place = torch.arange(10 * 12 * 14, dtype=torch.float64).reshape(1, 1, 10, 12, 14)
        image = (torch.sin(0.31 * place) + torch.cos(0.017 * place)).float()
        logits = network.to(device)(image.to(device)).cpu().double()[0]
    single = [float(logits[place]) for place in _PLACES]
    return [float(logits.mean()), float(logits.std()), *single]


def _tested(device: str) -> dict[str, object]:
    found: dict[str, object] = {"device": device, "name": "processor", "memory_gb": None, "right": False}
    try:
        if device.startswith("cuda"):
            free, total = torch.cuda.mem_get_info(device)
            found |= {"name": torch.cuda.get_device_name(device), "memory_gb": total / 1e9, "free_gb": round(free / 1e9, 2)}
        else:
            found["free_gb"] = round(free_memory_bytes() / 1e9, 2)
        off = max(abs(a - b) for a, b in zip(probe(device), EXPECTED, strict=True)) / EXPECTED[1]
        limit = GPU_TOLERANCE if device.startswith("cuda") else CPU_TOLERANCE
        found |= {"off_by": round(off, 7), "right": off <= limit}
        if not off <= limit:
            found["problem"] = "A small network gives other numbers here than it should; results cannot be trusted."
        found["conv3d_ms"] = round(_timed(device), 2)
    except (RuntimeError, AssertionError, MemoryError) as error:
        trouble = trouble_of(error)
        sentence = trouble.sentence.format(name="a small network") if trouble else "A small network does not run here."
        found |= {"right": False, "problem": sentence, "detail": str(error)[:400]}
    return found


def _timed(device: str) -> float:
    """Return the milliseconds of one convolution: the middle of three, after one that warms up."""
    layer = torch.nn.Conv3d(CHANNELS, CHANNELS, KERNEL, padding=1).to(device)
    image = torch.zeros(1, CHANNELS, SIDE, SIDE, SIDE, device=device)
    times = []
    with torch.inference_mode():
        for _ in range(4):
            started = time.perf_counter()
            layer(image)
            if device.startswith("cuda"):
                torch.cuda.synchronize()
            times.append((time.perf_counter() - started) * 1000.0)
    return statistics.median(times[1:])


def _cards() -> tuple[list[str], str]:
    """Return the graphics cards torch can use, and why it can use none although the system has one."""
    with contextlib.suppress(RuntimeError, AssertionError):
        if torch.cuda.is_available():
            return [f"cuda:{number}" for number in range(torch.cuda.device_count())], ""
    if not Path("/proc/driver/nvidia/version").exists():
        return [], ""
    if torch.version.cuda is None:
        return (
            [],
            "There is a graphics card, but the installed torch is made for processors only; models run on the processor.",
        )
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        trouble = trouble_of(error)
        return [], trouble.sentence.format(name="models") if trouble else "The graphics card cannot be used by torch."
    return [], "The graphics card cannot be used by torch; models run on the processor."


def _build_warnings() -> list[str]:
    warnings = []
    ordinary = platform.machine().lower() in ("x86_64", "amd64")
    if torch.__version__.startswith(_SLOW_TORCH):
        warnings.append(
            "The installed torch 2.9 is many times slower than others at 3-D networks; install another version."
        )
    if ordinary and not torch.backends.mkl.is_available():
        warnings.append("The installed torch was built without MKL; models run slower on the processor than they could.")
    if not torch.backends.mkldnn.is_available():
        warnings.append("The installed torch was built without oneDNN; models run slower on the processor than they could.")
    if ordinary and _instructions() in ("DEFAULT", "NO AVX"):
        warnings.append("The processor lacks AVX2, or torch may not use it; models run many times slower here.")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if torch.get_num_threads() == 1 and cores > 2:
        warnings.append(f"torch uses one of {cores} processor cores; see whether OMP_NUM_THREADS is set.")
    return warnings


def _device_warnings(found: dict[str, object]) -> list[str]:
    warnings = []
    milliseconds, free = found.get("conv3d_ms"), found.get("free_gb")
    where = "the processor" if found["device"] == "cpu" else str(found["name"])
    if isinstance(milliseconds, float) and milliseconds > SLOW_MS:
        warnings.append(
            f"3-D networks are slow on {where}: {milliseconds:.0f} ms for what takes other computers under 100 ms."
        )
    if isinstance(free, float) and free * 1e9 < LITTLE_BYTES:
        warnings.append(f"Only {free:.1f} GB of memory are free on {where}; large series may not fit.")
    return warnings


def _instructions() -> str:
    return str(torch.backends.cpu.get_cpu_capability())


if __name__ == "__main__":
    json.dump(self_test(), sys.stdout)
