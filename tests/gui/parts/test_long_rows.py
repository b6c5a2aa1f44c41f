"""Tests of medview.gui.parts.long_rows."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel
from pytestqt.qtbot import QtBot

from medview.gui.parts.long_rows import MOST_SEEN, LongRows


def rows(qtbot: QtBot, count: int) -> tuple[LongRows, list[int]]:
    made: list[int] = []

    def row(n: int) -> QHBoxLayout:
        made.append(n)
        layout = QHBoxLayout()
        layout.addWidget(QLabel(f"row {n}"))
        return layout

    part = LongRows(row, count)
    qtbot.addWidget(part)
    part.show()
    return part, made


def test_what_is_seen_is_there_at_once_and_the_rest_follows_without_moving_anything(qtbot: QtBot) -> None:
    part, made = rows(qtbot, 118)
    assert made == list(range(MOST_SEEN))
    height = part.height()
    qtbot.waitUntil(lambda: len(made) == 118)
    assert made == list(range(118))
    assert part.height() == height
    inside = part.widget()
    assert inside is not None
    qtbot.waitUntil(lambda: inside.height() > 5 * height)


def test_a_few_rows_take_no_more_room_than_they_need_and_nothing_scrolls(qtbot: QtBot) -> None:
    part, made = rows(qtbot, 3)
    many, _ = rows(qtbot, 50)
    assert made == [0, 1, 2]
    assert part.height() < many.height() / 2
    assert not part.verticalScrollBar().maximum()
