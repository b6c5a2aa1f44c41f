"""Can this computer run a network? Printed as JSON; run as a child by ``medview doctor``."""

from __future__ import annotations

import json
import sys
import time

import torch


def self_test() -> dict[str, object]:
    """Time one 3-D convolution on every device and compare the results.

    Returns
    -------
    dict
        ``ok``, ``devices``: name, memory in GB, milliseconds of a 16-channel 3 x 3 x 3 convolution over 64^3.
    """
    torch.manual_seed(0)
    layer = torch.nn.Conv3d(16, 16, 3, padding=1)
    image = torch.randn(1, 16, 64, 64, 64)
    with torch.inference_mode():
        truth = layer(image)
        names = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
        devices = [_timed(name, layer, image, truth) for name in names]
    return {"ok": all(bool(d["right"]) for d in devices), "version": torch.__version__, "devices": devices}


def _timed(device: str, layer: torch.nn.Module, image: torch.Tensor, truth: torch.Tensor) -> dict[str, object]:
    on_gpu = device.startswith("cuda")
    there, moved = layer.to(device), image.to(device)
    result = there(moved)
    if on_gpu:
        torch.cuda.synchronize()
    started = time.perf_counter()
    result = there(moved)
    if on_gpu:
        torch.cuda.synchronize()
    milliseconds = (time.perf_counter() - started) * 1000.0
    # TF32 on recent GPUs keeps ten bits of mantissa.
    right = torch.allclose(result.cpu(), truth, atol=2e-2 if on_gpu else 1e-5)
    name = torch.cuda.get_device_name(device) if on_gpu else "processor"
    memory = torch.cuda.get_device_properties(device).total_memory / 1e9 if on_gpu else None
    layer.to("cpu")
    return {"device": device, "name": name, "memory_gb": memory, "conv3d_ms": round(milliseconds, 2), "right": right}


if __name__ == "__main__":
    json.dump(self_test(), sys.stdout)
