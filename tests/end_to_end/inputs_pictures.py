"""Pictures of a model and what it is given, on a real study: ``python -m tests.end_to_end.inputs_pictures DIR``."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QApplication

from medview.gui.dialogs.model_run import ModelRunDialog
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.open import open_series

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.ml.inputs.packs import several

DATA = Path(os.environ.get("MEDVIEW_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")

CHECKS = {
    "spacing_kji_mm": {"k": [0.8, 6.0], "j": [0.4, 1.2], "i": [0.4, 1.2]},
    "values": [0.0, 900.0],
    "contrast": False,
}
TUMOUR = {"name": "Brain tumour (four pictures)", "id": "brain-tumour"}
STRIPPER = {"name": "Brain mask (T1)", "id": "brain-mask"}


class DialogStudio(Studio):
    """A camera that also sees what stands before the window."""

    def shoot_with(self, name: str, dialog: ModelRunDialog, size: tuple[int, int], theme: str = "dark") -> None:
        """Write a picture of the window with a dialog over its middle, as a window manager puts it."""
        self.program.use_theme(theme)
        self.window.resize(*size)
        self.wait(lambda: not self.program.threads.jobs, "the jobs to end")
        for _ in range(5):
            self._app.processEvents()
        picture = QPixmap(self.window.grab())
        front = dialog.grab()
        painter = QPainter(picture)
        x, y = (picture.width() - front.width()) // 2, (picture.height() - front.height()) // 2
        painter.drawPixmap(x, y, front)
        painter.drawRect(x - 1, y - 1, front.width() + 1, front.height() + 1)
        painter.end()
        self._folder.mkdir(parents=True, exist_ok=True)
        picture.save(str(self._folder / f"{name}.png"))
        print(self._folder / f"{name}.png")


def opened(studio: Studio, description: str) -> OpenCase:
    """Open a series of the study by its name."""
    workspace = studio.program.workspace
    series = next(one for one in workspace.series if one.description == description)
    open_series(workspace, series)
    studio.wait(lambda: workspace.active and workspace.active.series is series and workspace.active.ready, description)
    assert workspace.active is not None
    return workspace.active


def dialog_of(studio: Studio) -> ModelRunDialog:
    """Return the dialog that is open, once it knows what a run takes."""
    (dialog,) = [one for one in studio.window.findChildren(ModelRunDialog) if one.isVisible()]
    studio.wait(lambda: not dialog.estimate.text().endswith("..."), "the estimate")
    return dialog


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home(), tempfile.TemporaryDirectory() as made:
        studio = DialogStudio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        registry = workspace.services.registry
        registry.add(several(Path(made) / "four", checks=CHECKS, **TUMOUR).folder)
        registry.add(several(Path(made) / "one", [{"name": "T1", "modality": ["MR"]}], checks=CHECKS, **STRIPPER).folder)
        window.files.open(DATA / "mr-brain-t1-t1c-t2-flair")
        studio.wait(lambda: workspace.series, "the brain")
        t1 = opened(studio, "T1pre_reg")
        window.side.show_part("models")
        studio.shoot("inputs-cards-dark", SMALL)
        cards = window.side.models.cards
        cards["brain-tumour@1.0.0"].run.click()
        dialog = dialog_of(studio)
        studio.shoot_with("inputs-four-dark", dialog, SMALL)
        studio.shoot_with("inputs-four-dark-large", dialog, LARGE)
        studio.shoot_with("inputs-four-light", dialog, SMALL, "light")
        studio.shoot_with("inputs-four-light-large", dialog, LARGE, "light")
        combo = dialog.combos[3]
        combo.setCurrentIndex(0)
        combo.activated.emit(0)
        studio.shoot_with("inputs-missing-dark", dialog, SMALL)
        dialog.reject()
        window.side.models.cards["brain-mask@1.0.0"].run.click()
        dialog = dialog_of(studio)
        studio.shoot_with("inputs-one-dark", dialog, SMALL)
        studio.shoot_with("inputs-one-light", dialog, SMALL, "light")
        dialog.run.click()
        studio.wait(lambda: t1.labels.proposals, "the proposal")
        window.side.show_part("models")
        studio.shoot("inputs-after-dark-large", LARGE)
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
