from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
import typer

import medview
from medview.cli.main import COMMANDS
from tests.cli.conftest import Cli


def test_help_lists_every_command_and_nothing_else(cli: Cli) -> None:
    done = cli("--help")
    assert done.code == 0
    listed = {line.split()[1] for line in done.out.splitlines() if line.startswith("  medview ") and "[PATH" not in line}
    assert listed == set(COMMANDS)


def test_every_command_explains_itself(cli: Cli) -> None:
    for name in COMMANDS:
        done = cli(name, "--help")
        assert done.code == 0, name
        assert "Usage" in done.out, name


def test_version_is_the_packages(cli: Cli) -> None:
    assert cli("--version").out.strip() == f"medview {medview.__version__}"


def test_a_word_that_is_neither_command_nor_file_is_wrong_use(cli: Cli) -> None:
    done = cli("frobnicate")
    assert done.code == 2
    assert "frobnicate" in done.err


def test_a_missing_argument_is_wrong_use(cli: Cli) -> None:
    assert cli("scan").code == 2


def test_help_answers_without_torch_qt_or_simpleitk() -> None:
    code = (
        "import sys\nfrom medview.__main__ import run\nrun(['--help'])\n"
        "print([m for m in ('torch', 'PySide6', 'SimpleITK', 'monai', 'pydicom') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_doctor_reports_versions_devices_and_a_network_that_runs(cli: Cli) -> None:
    report = cli("doctor", "--json").document
    assert report["medview"] == medview.__version__
    assert report["torch"]["ok"]
    assert report["torch"]["devices"][0]["device"] == "cpu"
    assert report["checks"]["packages"]
    assert report["checks"]["data_folder_writable"]


def test_a_command_interrupted_before_it_is_read_says_so_in_one_word(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_name: str) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("medview.cli.main.importlib", SimpleNamespace(import_module=interrupted))
    done = cli("scan", "nothing")
    assert (done.code, done.out, done.err) == (1, "", "Interrupted.\n")


def test_a_command_interrupted_at_its_work_has_failed_and_says_so_in_one_word(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @app.command()
    def work() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("medview.cli.main.importlib", SimpleNamespace(import_module=lambda _name: SimpleNamespace(app=app)))
    done = cli("scan")
    assert (done.code, done.out, done.err) == (1, "", "Interrupted.\n")
