from __future__ import annotations

from pathlib import Path

from medview.workspace.settings import Settings, load_settings, save_settings


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    saved = Settings(notice_seen=True, theme="light", brush_radius_mm=3.5, recent=("/a", "/b"))
    save_settings(saved, tmp_path / "config" / "settings.json")
    assert load_settings(tmp_path / "config" / "settings.json") != Settings()
    assert load_settings(tmp_path / "config" / "settings.json") == saved


def test_a_damaged_settings_file_means_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"theme": "light", "recent": [')
    assert load_settings(file) == Settings()


def test_values_of_the_wrong_kind_and_unknown_keys_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"theme": 7, "notice_seen": true, "from_the_future": 1}')
    assert load_settings(file) == Settings(notice_seen=True)


def test_a_recent_place_opened_again_moves_to_the_front_once(tmp_path: Path) -> None:
    settings = Settings(recent=("/a", "/b")).with_recent("/b")
    assert settings.recent == ("/b", "/a")


def test_settings_that_cannot_be_written_cost_nothing_but_comfort(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    save_settings(Settings(theme="light"), blocker / "settings.json")
    assert blocker.read_text() == ""
