"""Pictures of a report going out and coming in: ``python -m tests.end_to_end.report_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication, QMenu

from medview.core.measurement import MeasurementKind
from medview.workspace.measuring import measurements, rename
from medview.workspace.operations import reports
from tests.end_to_end.measure_pictures import FIGURES, draw_figures

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.helpers.reports import drawn, group, save_report


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        folder.mkdir(parents=True, exist_ok=True)
        said: list[str] = []
        workspace.message.connect(lambda message: said.append(message.text))
        case = draw_figures(studio, home)
        rename(case, next(m for m in measurements(case) if m.kind is MeasurementKind.BIDIRECTIONAL), "Target 1")
        menu = next(m for m in window.findChildren(QMenu) if m.title() == "File")
        menu.ensurePolished()
        menu.adjustSize()
        menu.grab().save(str(folder / "report-menu.png"))
        reports.export_sr(workspace, home / "measurements.dcm")
        studio.wait(lambda: any(text.startswith("Wrote") for text in said), "the report")
        while case.undo() is not None:
            pass
        window.files.read_labels(home / "measurements.dcm")
        studio.wait(lambda: len(measurements(case)) == len(FIGURES), "the measurements to come back")
        studio.shoot("report-back-dark", SMALL)
        studio.shoot("report-back-light-large", LARGE, "light")
        other = save_report(
            home / "other.dcm",
            group("Nodule", drawn("CIRCLE", (200.0, 180.0, 200.0, 200.0), case.image_of(case.view.crosshair_kji[0])[0])),
            group("Liver cyst", drawn("POINT", (10.0, 10.0), "1.2.3")),
        )
        window.files.read_labels(other)
        studio.wait(lambda: any("could not be shown" in text for text in said), "the other report")
        for theme, size in (("dark", SMALL), ("light", LARGE)):
            studio.program.use_theme(theme)
            window.resize(*size)
            for _ in range(5):
                app.processEvents()
            window.grab().save(str(folder / f"report-warning-{theme}.png"))
        print("\n".join(said))
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
