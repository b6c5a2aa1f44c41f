"""Every text for people goes through one function, and is gathered for translators."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from medview.__main__ import speak
from medview.core.geometry import Geometry
from medview.core.language import _, in_language, plural, use_language
from medview.core.prediction import Prediction, Proposal
from medview.core.source import Source, SourceKind
from medview.gui.parts.identity import message_text
from medview.gui.parts.proposal_card import ProposalCard
from medview.workspace.events import Message, Severity
from medview.workspace.settings import Settings, save_settings
from tests.helpers.pseudo_language import CODE, marked, texts_script, write_pseudo_language
from tests.helpers.visible_texts import bare_texts, source_files

_ROOT = Path(__file__).resolve().parent.parent

_DATA = frozenset({
    # patient and series of the phantom, the modality
    "Doe", "Jane", "ID", "CT",
    # the card of the model, which its author wrote
    "Organs", "example", "organs", "Lungs", "Nodule", "Apache",
    # names of key schemes and of keys
    "PACS", "Slicer", "ITK", "SNAP", "OHIF", "Ctrl", "Shift", "Alt", "Del", "Home", "End", "Up", "Down", "Left",
    "Right", "Space", "Return",
    "PgUp", "PgDown",
    # units and abbreviations
    "mm", "kV", "HU", "GB", "CPU", "GPU", "SD", "MIP", "MinIP",
    # the program, the libraries it is made of, and a transfer syntax as DICOM calls it
    "MedView", "Essentials", "numpy", "pydicom", "highdicom", "SimpleITK", "torch", "cpu", "SQLAlchemy",
    "Explicit", "VR", "Little", "Endian",
})  # fmt: skip
"""Words that are the same in every language."""


@pytest.fixture
def pseudo(tmp_path: Path) -> Iterator[None]:
    use_language(CODE, write_pseudo_language(tmp_path / "languages"))
    yield
    use_language("en")


def test_no_text_for_people_stands_outside_the_function() -> None:
    bare = [
        f"{name}:{node.lineno}: {ast.unparse(node)}"
        for name, path in source_files(_ROOT / "medview", ("gui", "workspace"))
        for node in bare_texts(ast.parse(path.read_text(encoding="utf-8")), name)
    ]
    assert not bare, "\n".join(bare)


def test_the_template_for_translators_is_up_to_date() -> None:
    kept = (_ROOT / "resources" / "locale" / "medview.pot").read_text(encoding="utf-8")
    assert texts_script().pot() == kept, "run `make texts`"


def test_english_is_spoken_where_a_language_is_not_there() -> None:
    use_language("tlh")
    assert _("Undo") == "Undo"
    assert plural("{n} note", "{n} notes", 1) == "{n} note"
    assert plural("{n} note", "{n} notes", 3) == "{n} notes"
    assert in_language("There is nothing to undo.") == "There is nothing to undo."


def test_the_environment_names_the_language_before_the_settings_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medview.core.language.resource_path", lambda _name: write_pseudo_language(tmp_path / "languages"))
    monkeypatch.setenv("MEDVIEW_CONFIG", str(tmp_path))
    monkeypatch.delenv("MEDVIEW_LANGUAGE", raising=False)
    save_settings(Settings(language=CODE))
    try:
        speak()
        assert _("Undo") == marked("Undo")
        monkeypatch.setenv("MEDVIEW_LANGUAGE", "en")
        speak()
        assert _("Undo") == "Undo"
    finally:
        use_language("en")


def test_nothing_with_texts_is_imported_before_the_language_is_known() -> None:
    script = (
        "import sys, medview.__main__, medview.workspace.settings; print(*sorted(m for m in sys.modules if 'medview' in m))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=_ROOT, capture_output=True, text=True, check=True)
    early = {m for m in done.stdout.split() if not m.startswith("medview.core")}
    assert early == {"medview", "medview.__main__", "medview.workspace", "medview.workspace.settings"}


def test_a_damaged_catalogue_leaves_english(tmp_path: Path) -> None:
    file = write_pseudo_language(tmp_path / "languages") / CODE / "LC_MESSAGES" / "medview.mo"
    file.write_bytes(file.read_bytes()[:2000])
    use_language(CODE, tmp_path / "languages")
    assert _("Undo") == "Undo"


@pytest.mark.usefixtures("pseudo")
def test_a_sentence_made_in_english_is_found_again_with_what_was_filled_in() -> None:
    assert in_language("Stored voxels are damaged.") == marked("Stored voxels are damaged.")
    said = in_language("x.nii is no label map: it holds fractions.")
    assert said == marked("{name} is no label map: it holds fractions.").replace("{name}", "x.nii")
    assert in_language("Nobody has written this.") == "Nobody has written this."


@pytest.mark.usefixtures("pseudo")
def test_names_that_a_person_gave_stay_as_they_are() -> None:
    # There is a window of that name.
    assert in_language("Lung") == marked("Lung")
    assert in_language("Delete Lung") == marked("Delete {name}").replace("{name}", "Lung")
    assert in_language("Values are in HU.") == marked("Values are {unit}.").replace("{unit}", "[íń HU]")


@pytest.mark.usefixtures("pseudo")
def test_a_message_in_another_language_names_no_file_while_the_identity_is_hidden() -> None:
    wrote = Message(_("Wrote {path}.").format(path="Doe.nii"), Severity.INFO, False)
    assert "Doe" in message_text(wrote, hidden=False)
    assert "Doe" not in message_text(wrote, hidden=True)
    copied = _("Copied the picture.")
    assert message_text(Message(copied, Severity.INFO, False), hidden=True) == copied


@pytest.mark.usefixtures("pseudo")
def test_what_is_filled_into_a_sentence_may_hold_braces_and_lines() -> None:
    assert "{0}\n1" in in_language("{0}\n1 is no label map: it holds fractions.")


def test_a_translation_that_fills_in_what_there_is_not_is_refused() -> None:
    script = texts_script()
    good, bad = 'msgid "{n} a"\nmsgstr "{n} b"\n', 'msgid "{n} a"\nmsgstr "{m} b"\n'
    assert not script.wrong_fields(script.read_po(good))
    assert script.wrong_fields(script.read_po(bad)) == ["{n} a"]


def test_a_compiled_translation_says_what_was_written(tmp_path: Path) -> None:
    script = texts_script()
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
    text = head + '\nmsgid "Undo"\nmsgstr ""\n"Rück"\n"gängig"\n\nmsgid "{n} note"\nmsgid_plural "{n} notes"\n'
    text += 'msgstr[0] "{n} Hinweis"\nmsgstr[1] "{n} Hinweise"\n\nmsgid "Redo"\nmsgstr ""\n'
    file = tmp_path / "de" / "LC_MESSAGES" / "medview.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(script.mo(script.read_po(text)))
    use_language("de", tmp_path)
    try:
        assert [_("Undo"), _("Redo")] == ["Rückgängig", "Redo"]
        assert plural("{n} note", "{n} notes", 2).format(n=2) == "2 Hinweise"
    finally:
        use_language("en")


def test_the_translations_that_are_shipped_fill_in_what_there_is() -> None:
    script = texts_script()
    for path in (_ROOT / "resources" / "locale").glob("*/LC_MESSAGES/medview.po"):
        entries = script.read_po(path.read_text(encoding="utf-8"))
        assert not script.wrong_fields(entries), path.parts[-3]
        assert path.with_suffix(".mo").read_bytes() == script.mo(entries), "run `make texts`"


@pytest.mark.usefixtures("pseudo")
def test_what_a_result_warns_of_is_shown_in_the_language_in_use(qtbot: QtBot) -> None:
    warning = "The headers name no contrast agent; trained on images with one."
    source = Source(SourceKind.MODEL, "organs", "1.0.0", "ab" * 32, "job-1")
    geometry = Geometry.from_spacing((2, 3, 4), (1.0, 1.0, 1.0))
    found = Prediction("classification", "Organs", source, geometry, scores={"Nodule": 0.5}, warnings=(warning,))
    card = ProposalCard(Proposal("p1", found), read_only=False)
    qtbot.addWidget(card)
    texts = [label.text() for label in card.findChildren(QLabel)]
    assert marked(warning) in texts
    assert warning not in texts


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("window")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MEDVIEW_CONFIG": str(folder / "config")}
    languages = write_pseudo_language(folder / "languages")
    command = [sys.executable, "-m", "tests.helpers.speaking_window", str(languages), str(folder)]
    done = subprocess.run(command, env=environment, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    texts: dict[str, list[str]] = json.loads(done.stdout)
    return texts


def english_words(text: str) -> list[str]:
    """Return the words of a text that no mark has been put on and that are no data."""
    unmarked = re.findall(r"\b[A-Za-z]{2,}\b", text.replace("Trained on phantoms; means nothing on patients.", ""))
    return [word for word in unmarked if word not in _DATA]


def test_a_window_in_another_language_shows_no_english(shown: dict[str, list[str]]) -> None:
    assert any("[" in text for text in shown["open"])
    left = {f"{where}: {text}" for where, texts in shown.items() for text in texts if english_words(text)}
    assert not left, "\n".join(sorted(left))


def test_a_hidden_identity_stays_hidden_in_another_language(shown: dict[str, list[str]]) -> None:
    assert any("Doe" in text for text in shown["open"])
    assert not [text for text in shown["hidden"] if "Doe" in text or "ID1" in text]
