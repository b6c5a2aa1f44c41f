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


def test_it_is_scrolled_as_far_as_another_one_was_once_its_rows_are_there(qtbot: QtBot) -> None:
    part, made = rows(qtbot, 60)
    qtbot.waitUntil(lambda: len(made) == 60 and part.verticalScrollBar().maximum() > 5 * part.height() - 100)
    bar = part.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    follower, _ = rows(qtbot, 59)
    follower.scroll_to(part.scrolled_px)
    assert follower.scrolled_px == part.scrolled_px
    qtbot.waitUntil(lambda: follower.verticalScrollBar().value() == bar.value())
    # Who stood at the very end stands there again, although it lies less far down.
    bar.setValue(bar.maximum())
    follower, _ = rows(qtbot, 30)
    follower.scroll_to(part.scrolled_px)
    end = follower.verticalScrollBar()
    qtbot.waitUntil(lambda: 0 < end.value() == end.maximum())
    few, _ = rows(qtbot, 3)
    few.scroll_to(part.scrolled_px)
    assert few.scrolled_px == 0
