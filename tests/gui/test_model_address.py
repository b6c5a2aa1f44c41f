"""Adding a model from a web address in the window."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from medview.gui.dialogs.model_address import ModelAddressDialog
from medview.ml.download import Address
from medview.workspace.operations import files
from medview.workspace.workspace import Workspace
from tests.helpers.file_server import Served, http_files
from tests.ml.small_packs import small_pack


def test_an_address_that_is_none_is_said_beneath_and_can_be_mended(qtbot: QtBot) -> None:
    dialog = ModelAddressDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.add.isEnabled()
    dialog.url.setText("http://models.example/organs.zip")
    dialog.add.click()
    assert dialog.isVisible()
    assert "give an https address" in dialog.problem.text()
    dialog.url.setText("https://models.example/organs.zip")
    dialog.checksum.setText("12")
    dialog.add.click()
    assert "64 hexadecimal digits" in dialog.problem.text()
    dialog.checksum.clear()
    dialog.add.click()
    assert not dialog.isVisible()
    assert dialog.address == Address("https://models.example/organs.zip")


def test_what_was_fetched_is_installed_offered_and_its_licence_said(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDVIEW_DATA", str(tmp_path / "data"))
    pack = small_pack(tmp_path / "pack")
    with zipfile.ZipFile(tmp_path / "organs.zip", "w") as opened:
        for file in pack.folder.iterdir():
            opened.write(file, file.name)
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    changed: list[int] = []
    workspace.models_changed.connect(lambda: changed.append(1))
    with http_files(Served((tmp_path / "organs.zip").read_bytes())) as url:
        files.add_model(workspace, Address.parse(url))
    assert said == [f"{pack.spec.name} {pack.spec.version} is installed. Licence: {pack.spec.licence}."]
    assert changed == [1]
    assert pack.spec.id in {one.spec.id for one in workspace.services.registry.list()}
