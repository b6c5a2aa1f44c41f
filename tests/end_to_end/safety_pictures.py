"""Pictures of the window while labels are only read or not safe: ``python -m tests.end_to_end.safety_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from medview.core.job import Inline
from medview.gui.commands.project_keeper import Access
from medview.store.entry import SavedKind, SavedState
from medview.store.faults import damaged_database
from medview.store.personal import personal_project
from medview.workspace.demo import make_demo
from medview.workspace.view_state import Mode

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home

STATES = {
    "not-saved": SavedState(
        SavedKind.FAILED, "The disk has no room for personal.medview; free some space and saving goes on by itself.", 12
    ),
    "reserve": SavedState(
        SavedKind.SAVED,
        warning="The disk is full and personal.medview is being saved into its last reserve; "
        "free some space now, or save a copy elsewhere.",
    ),
}


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        first = personal_project(home / "data")
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        place = make_demo(home / "demo", Inline())
        window.files.open(next(p for p in sorted(place.rglob("*")) if p.is_dir() and any(p.glob("*.dcm"))))
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the series")
        workspace.bench.mode = Mode.ANNOTATE
        _both(studio, "second-window")
        first.close()
        studio.wait(window.banner.write.isVisible, "the project to be free")
        _both(studio, "second-window-free")
        window.banner.write.click()
        case = workspace.active
        assert case is not None
        studio.wait(lambda: not case.read_only, "the labels")
        _both(studio, "second-window-writes")
        for name, state in STATES.items():
            window.banner.show_saved(state)
            window.status.saved.show_state(state)
            _grab(studio, name)
        window.banner.show_saved(None)
        window.banner.show_access(Access(damaged_database("personal.medview").sentence, damaged=True))
        _grab(studio, "damaged")
        window.close()


def _both(studio: Studio, name: str) -> None:
    studio.shoot(f"{name}-dark", SMALL)
    studio.shoot(f"{name}-light", LARGE, "light")


def _grab(studio: Studio, name: str) -> None:
    """As ``shoot``, which waits for labels to be saved."""
    for theme, size in (("dark", SMALL), ("light", LARGE)):
        studio.program.use_theme(theme)
        studio.window.resize(*size)
        for _ in range(8):
            QApplication.processEvents()
        path = studio.folder / f"{name}-{theme}.png"
        studio.window.grab().save(str(path))
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
