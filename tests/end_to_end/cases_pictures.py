"""Pictures of projects and the list of cases: ``python -m tests.end_to_end.cases_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication, QDialog, QWidget

from medview.core.reading_rule import ReadingRule
from medview.core.reading_status import ReadingStatus
from medview.core.volume import Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.phantom.chest import chest
from medview.workspace.label_sets import label_sets
from medview.workspace.new_project import NewProject

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.store.many_cases import add_many_cases

_INSTRUCTIONS = """# Lung nodules

Every **solid nodule** of more than 4 mm gets an instance of its own.

- vessels and scars: no
- ground glass: flag the case, a radiologist looks at it

## When a case is done

1. every slice was looked at
2. the form is answered
"""


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    folder.mkdir(parents=True, exist_ok=True)
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        cases = workspace.worklist

        def shoot(name: str, size: tuple[int, int], theme: str = "dark", of: QWidget | None = None) -> None:
            studio.program.use_theme(theme)
            window.resize(*size)
            for _ in range(8):
                app.processEvents()
            (of or window).grab().save(str(folder / f"{name}.png"))

        def both(name: str, of: QWidget | None = None) -> None:
            shoot(f"{name}-dark", SMALL, "dark", of)
            shoot(f"{name}-light", LARGE, "light", of)

        studio.wait(lambda: workspace.services.project is not None, "the project")
        both("cases-start")
        places = []
        for number in range(4):
            made = chest(400 + number, nodules=2)
            identity = SeriesIdentity(
                f"Phantom^{number}", f"P-{number // 2}", series_description=f"Chest low dose {number + 1}", seed=str(number)
            )
            volume = Volume(made.hu, made.geometry, modality="CT", unit="HU")
            write_series(home / "ct" / str(number), volume, identity, durable=False)
            places.append(home / "ct" / str(number))
        window.cases.ask_new(tuple(places))
        dialog = window.findChildren(QDialog)[-1]
        dialog.name.setText("Lung nodules")  # type: ignore[attr-defined]
        both("cases-new", dialog)
        dialog.reject()
        rule = ReadingRule(everybody=False, double_every=5)
        wanted = NewProject(home / "p" / "Lung.medview", "Lung nodules", label_sets()[0].label_set, rule, tuple(places))
        studio.program.switch.make(wanted)
        studio.wait(lambda: len(cases.rows) == 4, "the cases")
        cases.changes.tell(_INSTRUCTIONS)
        cases.open_next()
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the first case")
        project = workspace.services.project
        assert project is not None
        add_many_cases(project, 116)
        window.actions_table.run("segment.add")
        cases.load()
        studio.wait(lambda: len(cases.rows) == 120, "all cases")
        for row in cases.rows[4:38]:
            cases.changes.set_status(row, ReadingStatus.DONE)
        cases.changes.set_status(cases.rows[1], ReadingStatus.DONE)
        cases.changes.set_status(cases.rows[2], ReadingStatus.FLAGGED)
        cases.changes.exclude([4], "motion or artefacts")
        cases.changes.set_split([5, 6, 7], "test")
        studio.wait(lambda: cases.counted[0] == 35 and cases.rows[6].split == "test", "statuses")
        project.add_time(cases.rows[1].readings[0].reading_id, 754)
        cases.load()
        studio.wait(lambda: cases.rows[1].seconds == 754, "the time")
        both("cases-list")
        shoot("cases-list-large-dark", LARGE)
        panel = window.left.cases
        panel.list.setCurrentIndex(panel.model.index(1))
        menu = panel.menu_of(panel.chosen())
        menu.popup(panel.list.viewport().mapToGlobal(panel.list.visualRect(panel.model.index(1)).center()))
        both("cases-menu", menu)
        menu.close()
        panel.bar.search.setText("nothing like it")
        shoot("cases-none-dark", SMALL)
        panel.bar.search.clear()
        for action, name in (
            ("project.instructions", "cases-instructions"),
            ("project.rule", "cases-rule"),
            ("case.exclude", "cases-leave-out"),
        ):
            before = set(window.findChildren(QDialog))
            window.actions_table.run(action)
            (dialog,) = set(window.findChildren(QDialog)) - before
            both(name, dialog)
            dialog.close()
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
