"""``medview doctor``: versions, GPU, memory, self-test. No patient identity."""

from __future__ import annotations

import importlib.metadata
import json as json_module
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

import medview
from medview.cli.output import print_json
from medview.core.errors import MedViewError
from medview.workspace.models import data_folder, model_registry

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

_TORCH_LIMIT_S = 120


@app.command()
def doctor(*, json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout")] = False) -> None:
    """Say what this computer can do and whether MedView is whole."""
    report = examine()
    if json:
        print_json(report)
    else:
        _print(report)
    if not report["ok"]:
        raise MedViewError("Something MedView needs is missing or does not work; see the lines above.")


def examine() -> dict[str, object]:
    """Return what was found, as the documented JSON."""
    packages = {name: _version(name) for name in _PACKAGES}
    registry = model_registry()
    packs = registry.list()
    checks = {
        "packages": all(packages.values()),
        "models": bool(packs) and not registry.damaged,
        "data_folder_writable": _writable(data_folder()),
    }
    torch_report = _torch_self_test()
    checks["network_runs"] = bool(torch_report.get("ok"))
    return {
        "medview": medview.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor_cores": os.cpu_count(),
        "memory_gb": _memory_gb(),
        "free_disk_gb": round(shutil.disk_usage(_existing(data_folder())).free / 1e9, 1),
        "display": bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")),
        "packages": packages,
        "torch": torch_report,
        "models": [f"{p.spec.id}@{p.spec.version}" for p in packs],
        "damaged_models": [d.reason for d in registry.damaged],
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


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _torch_self_test() -> dict[str, object]:
    """Run a small 3-D network in a child, so that a broken driver cannot take this process down."""
    command = [sys.executable, "-m", "medview.ml.runners.self_test"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TORCH_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return {"ok": False, "problem": "the self-test took too long"}
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()
        return {"ok": False, "problem": last[-1] if last else f"ended with code {done.returncode}"}
    return dict(json_module.loads(done.stdout))


def _print(report: dict[str, object]) -> None:
    for name, value in report.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for inner, detail in value.items():
                print(f"  {inner}: {detail}")
        else:
            print(f"{name}: {value}")
