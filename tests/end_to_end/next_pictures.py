"""Pictures of what to label next: ``python -m tests.end_to_end.next_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from medview.core.effort import ModelEffort
from medview.core.reading_rule import ReadingRule
from medview.core.volume import Volume
from medview.gui.dialogs.effort_table import EffortTableDialog
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.ml.next_cases.strategy import Strategy
from medview.phantom.chest import chest
from medview.workspace.label_sets import label_sets
from medview.workspace.new_project import NewProject
from medview.workspace.view_state import Mode

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home

CASES = 6


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    folder.mkdir(parents=True, exist_ok=True)
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        state = workspace.next_cases

        def shoot(name: str, size: tuple[int, int], theme: str = "dark", of: QWidget | None = None) -> None:
            studio.program.use_theme(theme)
            window.resize(*size)
            window.side.show_part("next")
            for _ in range(8):
                app.processEvents()
            window.side.show_part("next")
            app.processEvents()
            (of or window).grab().save(str(folder / f"{name}.png"))

        studio.wait(lambda: workspace.services.project is not None, "the project")
        places = []
        for number in range(CASES):
            made = chest(500 + number, nodules=number % 4)
            identity = SeriesIdentity(
                f"Phantom^{number}",
                f"N-{min(number, 4)}",
                series_description=f"Chest low dose {number + 1}",
                seed=str(number),
            )
            write_series(
                home / "ct" / str(number), Volume(made.hu, made.geometry, modality="CT", unit="HU"), identity, durable=False
            )
            places.append(home / "ct" / str(number))
        wanted = NewProject(
            home / "p" / "Lung.medview", "Lung nodules", label_sets()[0].label_set, ReadingRule(), tuple(places)
        )
        studio.program.switch.make(wanted)
        studio.wait(lambda: len(workspace.worklist.rows) == CASES, "the cases")
        workspace.worklist.changes.set_split([CASES], "test")
        workspace.worklist.open_next()
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the first case")
        workspace.bench.mode = Mode.ANNOTATE
        window.side.show_part("next")
        studio.wait(lambda: state.total, "the models")
        # As when somebody cancels the job that looks up what is known.
        known, packs, pack = state.known, state.packs, state.pack
        state.known, state.packs, state.pack = False, (), None
        state.not_known("That was cancelled.")
        for name, size, theme in (("next-cancelled-dark", SMALL, "dark"), ("next-cancelled-light-large", LARGE, "light")):
            shoot(name, size, theme)
        state.known, state.packs, state.pack = known, packs, pack
        state.try_again()
        studio.wait(lambda: state.known and not state.problem, "what is known")
        organs = next(pack for pack in state.packs if pack.spec.id == "phantom-organs-nodules")
        state.ask(organs.digest)
        studio.wait(lambda: state.pack is not None and state.pack.digest == organs.digest, "the model")
        shoot("next-begin-dark", SMALL)
        state.begin()
        studio.wait(lambda: state.looked >= 3 and state.shown, "three cases", 1500.0)
        shoot("next-looking-dark", SMALL)
        studio.wait(lambda: not state.looking, "all cases", 1500.0)
        studio.wait(lambda: not studio.program.threads.jobs, "the jobs")
        for name, size, theme in (
            ("next-dark", SMALL, "dark"),
            ("next-light", SMALL, "light"),
            ("next-dark-large", LARGE, "dark"),
            ("next-light-large", LARGE, "light"),
        ):
            shoot(name, size, theme)
        state.show(Strategy.FOREGROUND_RANDOM)
        shoot("next-chance-light", SMALL, "light")
        state.show(Strategy.UNCERTAINTY)
        chosen = state.shown[0]
        state.open(chosen)
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the case")
        studio.wait(
            lambda: workspace.worklist.current is not None and workspace.worklist.current.case_id == chosen.case_id, "it"
        )
        shoot("next-opened-dark-large", LARGE)
        workspace.efforts.models = _versions()
        window.efforts.show_table()
        table = window.findChild(EffortTableDialog)
        assert table is not None
        studio.wait(lambda: table.plots is not None, "the curves")
        workspace.efforts.models = _versions()
        workspace.efforts.changed.emit()
        for name, theme in (("next-effort-dark", "dark"), ("next-effort-light", "light")):
            shoot(name, SMALL, theme, table)
        table.close()
        window.close()


def _versions() -> tuple[ModelEffort, ...]:
    """Four versions of one model and one of another, as a project might have them."""
    figures = ((0.31, 9.5), (0.22, 6.4), (0.24, 6.8), (0.09, 3.1))
    own = [
        ModelEffort(
            "lung-nodules-segmentation", f"20261{n}01.101500", "ab" * 32, 5, 10, 10, 0.8 + n / 25, 12.0, 8.0, minutes,
            40_000, round(40_000 * part), f"2026-1{n}-01",
        )
        for n, (part, minutes) in enumerate(figures)
    ]  # fmt: skip
    other = ModelEffort("phantom-nodule", "1.0.0", "cd" * 32, 2, 4, 3, 0.71, 3.0, 1.0, 7.5, 9_000, 4_100, "2026-09-01")
    return (*own, other)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
