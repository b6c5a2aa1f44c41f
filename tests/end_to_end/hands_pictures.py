"""Pictures of finding actions, changing keys and reading tags: ``python -m tests.end_to_end.hands_pictures DIR``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from medview.core.job import Inline
from medview.gui.dialogs.keys import KeysDialog
from medview.gui.dialogs.palette import Palette
from medview.gui.dialogs.scheme_editor import SchemeEditor
from medview.gui.dialogs.tags import TagsDialog
from medview.workspace.demo import make_demo
from medview.workspace.scheme_edits import with_keys
from medview.workspace.view_state import Mode

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home

THEMES = {"dark": SMALL, "light": LARGE}


class Album:
    """Takes pictures of the window with a dialog over it."""

    def __init__(self, app: QApplication, studio: Studio, folder: Path) -> None:
        self._app, self._studio, self._folder = app, studio, folder

    def dialog(self, kind: type[QWidget], action_id: str) -> QWidget:
        """Open a dialog by its action and return it."""
        window = self._studio.window
        window.actions_table.run(action_id)
        self._studio.wait(lambda: any(d.isVisible() for d in window.findChildren(kind)), action_id)
        return next(d for d in window.findChildren(kind) if d.isVisible())

    def take(self, name: str, kind: type[QWidget], action_id: str, do: Callable[[QWidget], object]) -> None:
        """Write one picture per theme and size."""
        window = self._studio.window
        for theme, size in THEMES.items():
            self._studio.program.use_theme(theme)
            window.resize(*size)
            self._settle()
            dialog = self.dialog(kind, action_id)
            do(dialog)
            self._settle()
            picture = window.grab()
            if dialog.isWindow():
                painter = QPainter(picture)
                corner = dialog.mapToGlobal(QPoint(0, 0)) - window.mapToGlobal(QPoint(0, 0))
                painter.drawPixmap(corner, dialog.grab())
                painter.end()
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{name}-{theme}.png"
            picture.save(str(path))
            print(path)
            dialog.close()
            self._settle()

    def _settle(self) -> None:
        for _ in range(12):
            self._app.processEvents()
        self._studio.wait(lambda: not self._studio.program.threads.jobs, "the jobs to end")


def typed(text: str, then: Callable[[QWidget], object] = lambda _dialog: None) -> Callable[[QWidget], None]:
    """Return what types into the first field of a dialog."""

    def do(dialog: QWidget) -> None:
        field = dialog.findChild(QLineEdit)
        assert field is not None
        field.setText(text)
        then(dialog)

    return do


def quarrel(dialog: QWidget) -> None:
    """Give a key to a second action."""
    assert isinstance(dialog, SchemeEditor)
    dialog._take(with_keys(dialog.draft, "tool.angle", [Mode.READ], ("L",)))
    dialog.table.choose("tool.angle")


def mouse(dialog: QWidget) -> None:
    """Show what the mouse does."""
    assert isinstance(dialog, SchemeEditor)
    dialog.tabs.setCurrentIndex(1)


def look_now(dialog: QWidget) -> None:
    """Do not wait for the pause after typing."""
    assert isinstance(dialog, TagsDialog)
    dialog.look()


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        album = Album(app, studio, folder)
        album.take("find-nothing-open", Palette, "help.find", lambda _dialog: None)
        place = make_demo(home / "demo", Inline())
        window.files.open(next(p for p in sorted(place.rglob("*")) if p.is_dir() and any(p.glob("*.dcm"))))
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the series")
        album.take("find", Palette, "help.find", lambda _dialog: None)
        album.take("find-typed", Palette, "help.find", typed("lung"))
        album.take("find-greyed", Palette, "help.find", typed("prop acc"))
        album.take("keys", KeysDialog, "help.keys", lambda _dialog: None)
        album.take("change-keys", SchemeEditor, "settings.keys", lambda _dialog: None)
        album.take("change-keys-quarrel", SchemeEditor, "settings.keys", typed("angle", quarrel))
        album.take("change-mouse", SchemeEditor, "settings.keys", mouse)
        album.take("tags", TagsDialog, "case.tags", lambda _dialog: None)
        album.take("tags-typed", TagsDialog, "case.tags", typed("position", look_now))
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
