"""``medview doctor``: versions, GPU, memory, self-test. No patient identity."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

import medview
from medview.cli.output import print_json, show
from medview.core.errors import MedViewError
from medview.workspace.models import data_folder, model_registry
from medview.workspace.self_check import altered_packs, free_memory_gb, networks_run, writable

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_PACKAGES = (
    "PySide6-Essentials",
    "torch",
    "pydicom",
    "highdicom",
    "SimpleITK",
    "imagecodecs",
    "numpy",
)

_FAILED = {
    "packages": "A package is missing; install MedView again.",
    "data_folder_writable": "The folder for labels and settings cannot be written; set MEDVIEW_DATA to one that can.",
    "model_folder_writable": "The folder for models cannot be written; set MEDVIEW_DATA to a folder that can.",
}


@app.command()
def doctor(*, json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout")] = False) -> None:
    """Say what this computer can do and whether MedView is whole."""
    report = examine()
    if json:
        print_json(report)
    else:
        for line in lines(report):
            show(line)
    if not report["ok"]:
        raise MedViewError("Something MedView needs is missing or does not work; see the lines above.")


def examine() -> dict[str, object]:
    """Return what was found, as the documented JSON."""
    packages = {name: _version(name) for name in _PACKAGES}
    registry = model_registry()
    altered = altered_packs(registry)
    packs = registry.list()
    torch_report = networks_run()
    checks = {
        "packages": all(packages.values()),
        "models": bool(packs) and not altered,
        "data_folder_writable": writable(data_folder()),
        "model_folder_writable": writable(data_folder() / "models"),
        "network_runs": bool(torch_report.get("ok")),
    }
    return {
        "medview": medview.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor_cores": os.cpu_count(),
        "memory_gb": _memory_gb(),
        "free_memory_gb": free_memory_gb(),
        "free_disk_gb": round(shutil.disk_usage(_existing(data_folder())).free / 1e9, 1),
        "display": bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")),
        "packages": packages,
        "torch": torch_report,
        "models": [f"{p.spec.id}@{p.spec.version}" for p in packs],
        "damaged_models": altered,
        "checks": checks,
        "ok": all(checks.values()),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _existing(folder: Path) -> Path:
    return next(p for p in (folder, *folder.parents) if p.exists())


def lines(report: Mapping[str, Any]) -> list[str]:
    """Return what was found in words, what is wrong last."""
    torch = report["torch"]
    said = [
        f"MedView {report['medview']}, Python {report['python']}, {report['system']}",
        f"{report['processor_cores']} processor cores, {_gb(report['memory_gb'])} memory of which "
        f"{_gb(report['free_memory_gb'])} are free, {_gb(report['free_disk_gb'])} free on the disk",
        "Packages: " + ", ".join(f"{name} {version or 'MISSING'}" for name, version in report["packages"].items()),
        f"Models: {', '.join(report['models']) or 'none'}",
        *(_device_line(device) for device in torch.get("devices", ())),
    ]
    said += [f"Warning: {text}" for text in torch.get("warnings", ())]
    said += [f"Wrong: {text}" for text in report["damaged_models"]]
    said += [f"Wrong: {device['problem']}" for device in torch.get("devices", ()) if device.get("problem")]
    said += [f"Wrong: {torch['problem']}" for _ in "1" if torch.get("problem")]
    said += [f"Wrong: {_FAILED[name]}" for name, fine in report["checks"].items() if not fine and name in _FAILED]
    if report["ok"]:
        said.append("MedView is whole, and models run on this computer.")
    return said


def _device_line(device: Mapping[str, Any]) -> str:
    name = "The processor" if device["device"] == "cpu" else f"{device['name']} ({device['device']})"
    if not device["right"]:
        return f"{name}: a small network does not run rightly"
    free = f", {_gb(device['free_gb'])} memory free" if "free_gb" in device else ""
    return f"{name}: a small network gives the right numbers; a 3-D convolution takes {device['conv3d_ms']:.0f} ms{free}"


def _gb(number: float | None) -> str:
    return "an unknown amount of" if number is None else f"{number:.1f} GB"
