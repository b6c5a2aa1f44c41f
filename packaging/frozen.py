"""Builds a small bundle of the command line that needs no Python, and runs it on a study with a damaged file in it.

What it proves: reader processes start inside a frozen program, and a damaged file costs itself only. PyInstaller is
installed into a temporary folder for this one run; the window and the networks are left out to keep it quick.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pydicom import dcmread

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = ("torch", "monai", "PySide6", "shiboken6", "qtawesome", "pytest", "mypy", "sklearn")
COLLECTED = ("imagecodecs",)
"""Packages that find their own parts by name, which no look at their imports tells."""

ENTRY = """
from medview.__main__ import main
main()
"""


def main() -> int:
    """Build, run, say what came of it, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="medview-frozen-") as folder:
        place = Path(folder)
        program = build(place)
        say(f"Built {program.parent} ({_megabytes(program.parent)} MB)")
        check(program, place)
    say("The frozen program reads, converts and survives a damaged file.")
    return 0


def build(place: Path) -> Path:
    """Return the program of a new bundle under ``place``."""
    tools = place / "tools"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--target", str(tools)]
    subprocess.run([*pip, "pyinstaller"], check=True)
    entry = place / "medview_command.py"
    entry.write_text(ENTRY, encoding="utf-8")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--onedir", "--name", "medview", "--log-level", "ERROR"]
    command += ["--paths", str(ROOT), "--distpath", str(place / "dist"), "--workpath", str(place / "build")]
    command += ["--specpath", str(place), "--add-data", f"{ROOT / 'resources'}{os.pathsep}medview/_resources"]
    # Commands, readers and decoders are imported by name.
    command += ["--collect-submodules", "medview.cli", "--collect-submodules", "medview.io"]
    for name in COLLECTED:
        command += ["--collect-all", name]
    for name in LEFT_OUT:
        command += ["--exclude-module", name]
    subprocess.run([*command, str(entry)], check=True, env={**os.environ, "PYTHONPATH": str(tools)})
    return place / "dist" / "medview" / ("medview.exe" if os.name == "nt" else "medview")


def check(program: Path, place: Path) -> None:
    """Scan and convert a study whose fourth file is cut short. Raises AssertionError where it differs."""
    study = place / "study"
    victim = make_study(study)
    scanned = run(program, place, "scan", study, "--json")
    document = json.loads(scanned.stdout)
    assert scanned.returncode == 0, scanned.stderr
    assert document["files"]["seen"] == 12, document["files"]
    (volume,) = document["series"][0]["volumes"]
    assert volume["shape"] == [12, 64, 48], volume
    converted = run(program, place, "convert", study, place / "out.nii.gz")
    assert converted.returncode == 0, converted.stderr
    assert (place / "out.nii.gz").stat().st_size > 1000
    alone = run(program, place, "convert", victim, place / "none.nii.gz")
    assert alone.returncode == 1, alone.stdout
    assert len(alone.stderr.strip().splitlines()) == 1, alone.stderr
    assert victim.name in alone.stderr, alone.stderr
    assert run(program, place, "--help").returncode == 0


def make_study(folder: Path) -> Path:
    """Write a CT of twelve slices of which one has lost its end; return that one."""
    import numpy as np

    from medview.core.geometry import Geometry
    from medview.core.volume import Rescale, Volume
    from medview.io.dicom.write_series import SeriesIdentity, write_series

    k, j, i = np.indices((12, 64, 48))
    stored = (1000 + 40 * k + 7 * j + i).astype(np.int16)
    geometry = Geometry.from_spacing(stored.shape, (5.0, 0.9, 0.6), (-3.0, 4.0, 50.0))
    volume = Volume(stored, geometry, modality="CT", unit="HU", rescale=Rescale(1.0, -1024.0))
    write_series(folder, volume, SeriesIdentity("Phantom^Frozen", "FROZEN-1", series_description="frozen", seed="frozen"))
    victim = sorted(folder.iterdir())[3]
    whole = victim.read_bytes()
    assert dcmread(victim, stop_before_pixels=True).Rows == 64
    victim.write_bytes(whole[:-500])
    return victim


def run(program: Path, place: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program without the Python of this process, its own files under ``place``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept["MEDVIEW_CACHE"] = kept["MEDVIEW_DATA"] = kept["MEDVIEW_CONFIG"] = str(place / "home")
    command = [str(program), *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=kept, check=False)


def say(text: str) -> None:
    """Tell the person who runs this."""
    print(text, flush=True)


def _megabytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) >> 20


if __name__ == "__main__":
    sys.exit(main())
