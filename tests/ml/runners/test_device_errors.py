"""What torch, drivers and systems say, as they say it, becomes one sentence with the way out."""

from __future__ import annotations

import builtins
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

from medview.core.errors import DeviceError, GraphicsError, ModelError
from medview.ml.runners import quiet_import
from medview.ml.runners.device_errors import TROUBLES, explained, no_graphics, not_loaded, trouble_of, trouble_of_exit


class OutOfMemoryError(RuntimeError):
    """As torch calls its own."""


GRAPHICS = [
    (OutOfMemoryError("any text"), "gpu_memory"),
    (
        RuntimeError(
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.79 GiB of which 1.12 GiB is "
            "free. Process 4242 has 6.66 GiB memory in use."
        ),
        "gpu_memory",
    ),
    (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"), "gpu_memory"),
    (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "gpu_memory"),
    (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "gpu_memory"),
    (
        RuntimeError(
            "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver by "
            "downloading and installing a new version from the URL: http://www.nvidia.com/Download/index.aspx"
        ),
        "old_driver",
    ),
    (RuntimeError("CUDA error: CUDA driver version is insufficient for CUDA runtime version"), "old_driver"),
    (
        RuntimeError(
            "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from "
            "http://www.nvidia.com/Download/index.aspx"
        ),
        "no_driver",
    ),
    (RuntimeError("CUDA driver initialization failed, you might not have a CUDA gpu."), "no_driver"),
    (RuntimeError("No CUDA GPUs are available"), "no_gpu"),
    (AssertionError("Torch not compiled with CUDA enabled"), "no_gpu"),
    (RuntimeError("CUDA error: invalid device ordinal"), "no_gpu"),
    (RuntimeError("CUDA error: no kernel image is available for execution on the device"), "old_gpu"),
    (RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable"), "gpu_busy"),
    (
        RuntimeError(
            "Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() "
            "that might have already set an error? Error 804: forward compatibility was attempted on non supported HW"
        ),
        "gpu_not_ready",
    ),
    (RuntimeError("CUDA error: an illegal memory access was encountered"), "gpu_fault"),
    (RuntimeError("CUDA error: the launch timed out and was terminated"), "gpu_fault"),
    (RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"), "gpu_fault"),
    (RuntimeError("CUDA error: uncorrectable ECC error encountered"), "gpu_fault"),
]
OTHERS = [
    (MemoryError(), "memory"),
    (
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
            "allocate 412316860416 bytes. Error code 12 (Cannot allocate memory)"
        ),
        "memory",
    ),
    (RuntimeError("[enforce fail at ..\\c10\\core\\impl\\alloc_cpu.cpp:72] data. DefaultCPUAllocator: not enough memory: "
                  "you tried to allocate 4294967296 bytes."), "memory"),
    (RuntimeError("could not create a primitive"), "processor"),
    (
        RuntimeError(
            "Intel MKL FATAL ERROR: This system does not meet the minimum requirements for use of the Intel(R) Math Kernel "
            "Library."
        ),
        "processor",
    ),
    (ModuleNotFoundError("No module named 'torch'"), "no_torch"),
    (ModuleNotFoundError("No module named 'torch._C'"), "broken_torch"),
    (ImportError("libtorch_cpu.so: cannot open shared object file: No such file or directory"), "broken_torch"),
    (ImportError("libcudnn.so.9: cannot open shared object file: No such file or directory"), "broken_torch"),
    (
        OSError(
            '[WinError 126] The specified module could not be found. Error loading "C:\\Python\\Lib\\site-packages\\torch'
            '\\lib\\fbgemm.dll" or one of its dependencies.'
        ),
        "broken_torch",
    ),
    (RuntimeError("Numpy is not available"), "broken_torch"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code"), GRAPHICS, ids=[code for _, code in GRAPHICS])
def test_what_is_the_graphics_cards_fault_offers_the_processor(error: BaseException, code: str) -> None:
    trouble = trouble_of(error)
    assert trouble is not None
    assert trouble.code == code
    told = explained("Organs", error)
    assert isinstance(told, GraphicsError)
    assert "processor" in told.sentence
    assert told.detail


@pytest.mark.parametrize(("error", "code"), OTHERS, ids=[code for _, code in OTHERS])
def test_what_is_the_computers_fault_offers_no_processor(error: BaseException, code: str) -> None:
    trouble = trouble_of(error)
    assert trouble is not None
    assert trouble.code == code
    told = explained("Organs", error)
    assert isinstance(told, DeviceError)
    assert not isinstance(told, GraphicsError)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1"),
        RuntimeError("Given groups=1, weight of size [4, 1, 3, 3, 3], expected input[1, 2, 8, 8, 8] to have 1 channels"),
        ValueError("illegal value"),
    ],
)
def test_what_is_the_models_fault_blames_no_device(error: BaseException) -> None:
    assert trouble_of(error) is None
    told = explained("Organs", error)
    assert type(told) is ModelError
    assert "Organs" in told.sentence


def test_every_row_is_one_sentence_that_says_what_to_do() -> None:
    for row in TROUBLES:
        told = row.sentence.format(name="Organs")
        assert told.endswith(".")
        assert told.count(". ") == 0
        assert "Organs" in told
        assert ";" in told
    assert no_graphics("Organs").sentence.startswith("This computer has no graphics card")


@pytest.mark.parametrize(
    ("code", "told", "expected"),
    [
        (-4, "", "processor"),
        (0xC000001D, "", "processor"),
        (-9, "", "memory"),
        (1, "ModuleNotFoundError: No module named 'torch'", "no_torch"),
        (1, "ImportError: libc10.so: undefined symbol: _ZN3c105ErrorE", "broken_torch"),
    ],
)
def test_a_child_that_ended_is_explained_by_its_code_or_its_last_words(code: int, told: str, expected: str) -> None:
    trouble = trouble_of_exit(code, told)
    assert trouble is not None
    assert trouble.code == expected


def test_a_missing_torch_is_one_sentence_and_not_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_torch(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> object:
        if name == "torch" or name.startswith("torch."):
            raise ModuleNotFoundError(f"No module named '{name}'")
        return real(name, globals, locals, fromlist or (), level)

    for name in [m for m in sys.modules if m == "torch" or m.startswith("medview.ml.runners.run")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without_torch)
    monkeypatch.setattr(quiet_import, "_open_libraries", lambda: None)
    with pytest.raises(DeviceError, match="is not installed; install MedView again"):
        quiet_import.import_torch()
    assert not isinstance(not_loaded(RuntimeError("No CUDA GPUs are available")), GraphicsError)


def test_the_table_needs_no_torch() -> None:
    code = "import sys; import medview.ml.runners.device_errors; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
