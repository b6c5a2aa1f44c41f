"""What went wrong with the computer while a model ran, in plain words with the way out. No torch here.

torch tells such things in the text of a RuntimeError, and the texts of drivers reach us through it unchanged; so the table
goes by what they say. What is in no row was not the computer's fault.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from medview.core.errors import DeviceError, GraphicsError, ModelError

WINDOWS_ILLEGAL_INSTRUCTION = 0xC000001D
"""Exit code of a process that met an instruction its processor lacks."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One row.

    Attributes
    ----------
    code : str
        For documents: ``gpu_memory``.
    told : pattern
        What the error says somewhere in its text.
    sentence : str
        With ``{name}`` for the model.
    graphics : bool
        It is the graphics card's: the processor would do the same work.
    """

    code: str
    told: re.Pattern[str]
    sentence: str
    graphics: bool = True


def _row(code: str, told: str, sentence: str, *, graphics: bool = True) -> Trouble:
    return Trouble(code, re.compile(told, re.IGNORECASE), sentence, graphics)


TROUBLES: tuple[Trouble, ...] = (
    _row(
        "gpu_memory",
        r"CUDA out of memory|CUDA error: out of memory|CU(DNN|BLAS)_STATUS_ALLOC_FAILED|HIP out of memory",
        "Graphics memory ran out while {name} ran; run it on the processor, or close other programs that use it.",
    ),
    _row(
        "memory",
        r"can't allocate memory|Cannot allocate memory|DefaultCPUAllocator: not enough memory|Unable to allocate",
        "Memory ran out while {name} ran; close other programs and series, or run it on a smaller series.",
        graphics=False,
    ),
    _row(
        "old_driver",
        r"NVIDIA driver on your system is too old|CUDA driver version is insufficient",
        "The driver of the graphics card is too old for this MedView; update it, or run {name} on the processor.",
    ),
    _row(
        "no_driver",
        r"Found no NVIDIA driver|CUDA driver initialization failed|libcuda\.so\.1: cannot open|nvcuda\.dll",
        "No working driver of an NVIDIA graphics card is installed; install one, or run {name} on the processor.",
    ),
    _row(
        "no_gpu",
        r"No CUDA GPUs are available|no CUDA-capable device is|invalid device ordinal|Torch not compiled with CUDA",
        "This computer has no graphics card that MedView can use; run {name} on the processor.",
    ),
    _row(
        "old_gpu",
        r"no kernel image is available|CUDA capability sm_\d+ is not compatible|device kernel image is invalid",
        "The graphics card is of a generation that the installed torch has no code for; run {name} on the processor.",
    ),
    _row(
        "gpu_busy",
        r"devices? (is|are) busy or unavailable|CUDA-capable device\(s\) is/are busy",
        "Another program has taken the graphics card for itself; close that one, or run {name} on the processor.",
    ),
    _row(
        "gpu_not_ready",
        r"Error 80[2-4]:|system not yet initialized|forward compatibility was attempted|driver/library version mismatch",
        "The driver of the graphics card does not fit its libraries, as after an update; restart the computer, "
        "or run {name} on the processor.",
    ),
    _row(
        "gpu_fault",
        r"CUDA error:|CUDNN_STATUS|CUBLAS_STATUS|CUDA driver error|NVRTC|HIP error:|error from cudaGetDeviceCount",
        "The graphics card failed while {name} ran; restart MedView to use it again, or run {name} on the processor.",
    ),
    _row(
        "processor",
        r"illegal instruction|does not meet the minimum requirements for use of the Intel|could not create a primitive"
        r"|CPU (does not support|lacks)|requires? (AVX|SSE4)",
        "The processor of this computer lacks instructions that {name} needs; run it on another computer.",
        graphics=False,
    ),
    _row(
        "no_torch",
        r"No module named '?torch'?$",
        "The part of MedView that runs models (torch) is not installed; install MedView again to run {name}.",
        graphics=False,
    ),
    _row(
        "broken_torch",
        r"libtorch|libc10|torch_cpu|torch_python|[\\/]torch[\\/]lib|No module named '?torch\.|Numpy is not available"
        r"|lib(cudart|cudnn|cublas|nccl|cusparse|gomp|mkl)\S*: cannot open shared object|undefined symbol"
        r"|partially initialized module '?torch|Intel MKL FATAL ERROR|circular import.*torch|WinError (126|127|193|1114)",
        "The part of MedView that runs models (torch) cannot be loaded; install MedView again to run {name}.",
        graphics=False,
    ),
)
"""The first row that fits counts."""

_ROWS = {trouble.code: trouble for trouble in TROUBLES}


def trouble_of(error: BaseException | str) -> Trouble | None:
    """Return what an error, or what a child wrote before it ended, says about the computer; None where it says nothing."""
    if isinstance(error, MemoryError):
        return _ROWS["memory"]
    if type(error).__name__ == "OutOfMemoryError":
        # torch's own class, without importing torch.
        return _ROWS["gpu_memory"]
    text = str(error)
    return next((row for row in TROUBLES if row.told.search(text)), None)


def trouble_of_exit(code: int, told: str) -> Trouble | None:
    """Return why a child that used torch ended: by its exit code, and by the last lines it wrote."""
    if code in (
        -getattr(signal, "SIGILL", 4),
        128 + 4,
        WINDOWS_ILLEGAL_INSTRUCTION,
        WINDOWS_ILLEGAL_INSTRUCTION - (1 << 32),
    ):
        return _ROWS["processor"]
    if code in (-getattr(signal, "SIGKILL", 9), 128 + 9):
        # What the system does to the largest program when memory runs out.
        return _ROWS["memory"]
    return trouble_of(told)


def explained(name: str, error: BaseException) -> ModelError:
    """Return the sentence for an error that ended a model.

    Parameters
    ----------
    name : str
        Of the model.

    Returns
    -------
    ModelError
        A GraphicsError where the processor would do, another DeviceError where the computer was to blame.
    """
    trouble = trouble_of(error)
    if trouble is None:
        return ModelError(f"{name} failed on this series; the log says why.", detail=repr(error))
    kind = GraphicsError if trouble.graphics else DeviceError
    return kind(trouble.sentence.format(name=name), detail=repr(error))


def no_graphics(name: str) -> GraphicsError:
    """Return the error for a model that was to run on a graphics card where there is none."""
    return GraphicsError(_ROWS["no_gpu"].sentence.format(name=name))


def not_loaded(error: BaseException) -> DeviceError:
    """Return the error for a torch that could not be imported; whatever it says, it cannot be used."""
    trouble = trouble_of(error)
    known = trouble if trouble is not None and not trouble.graphics else _ROWS["broken_torch"]
    return DeviceError(known.sentence.format(name="models"), detail=repr(error))
