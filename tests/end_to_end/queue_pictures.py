"""Pictures of the queue of models: ``python -m tests.end_to_end.queue_pictures DIR``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication, QDialog, QWidget

from medview.core.errors import GraphicsError
from medview.core.volume import Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.phantom.chest import chest
from medview.workspace.operations.device import reporting
from medview.workspace.queue import QueueTask, TaskState
from medview.workspace.run_rules import RunRule, run_on_open, use_run_rules

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.workspace.queued import place_of

MODELS = ("phantom-organs-nodules", "phantom-nodule-boxes", "phantom-nodule-present")


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    folder.mkdir(parents=True, exist_ok=True)
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace

        def shoot(name: str, size: tuple[int, int], theme: str = "dark", of: QWidget | None = None) -> None:
            studio.program.use_theme(theme)
            window.resize(*size)
            for _ in range(8):
                app.processEvents()
            (of or window).grab().save(str(folder / f"{name}.png"))

        places = []
        for number in range(3):
            made = chest(400 + number, nodules=2)
            identity = SeriesIdentity(
                f"Phantom^{number}", f"P-{number}", series_description=f"Chest low dose {number + 1}", seed=str(number)
            )
            volume = Volume(made.hu, made.geometry, modality="CT", unit="HU")
            write_series(home / "ct" / str(number), volume, identity, durable=False)
            places.append(place_of(home / "ct" / str(number)))
        window.files.open(home / "ct")
        studio.wait(lambda: len(workspace.series) == 3, "the series")
        window.files.open_series(workspace.series[0], None)
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the first series")
        window.studies.tree.selectAll()
        window.queue.ask(window.studies.chosen())
        dialog = window.findChildren(QDialog)[-1]
        for theme, size in (("dark", SMALL), ("light", LARGE)):
            shoot(f"queue-dialog-{theme}", size, theme, dialog)
        dialog.reject()
        tasks = [QueueTask(f"{model}@1.0.0", place) for place in places for model in MODELS[:2]]
        workspace.queue.add(tasks)
        studio.wait(lambda: sum(not t.open for t in workspace.queue.queue.tasks) >= 2, "two tasks")
        workspace.queue.pause()
        failed = replace(
            workspace.queue.queue.tasks[0], state=TaskState.FAILED,
            sentence="Memory ran out while Organs and nodules ran; close other programs and series.",
        )  # fmt: skip
        skipped = replace(
            workspace.queue.queue.tasks[-1], state=TaskState.SKIPPED, sentence="Brain is for MR; this series is CT."
        )
        workspace.queue.put(workspace.queue.queue.with_task(failed).with_task(skipped))
        workspace.queue.go_on()
        for name, size, theme in (
            ("queue-running-dark", SMALL, "dark"),
            ("queue-running-dark-large", LARGE, "dark"),
            ("queue-running-light", SMALL, "light"),
        ):
            window.side.show_part("queue")
            shoot(name, size, theme)
        studio.wait(lambda: not workspace.queue.queue.open, "the queue")
        window.side.show_part("queue")
        shoot("queue-done-dark", SMALL)
        use_run_rules(workspace, [RunRule(MODELS[0], ("chest", "thorax"), ("scout",))])
        run_on_open(workspace, on=True)
        window.queue.show_rules()
        rules = window.findChildren(QDialog)[-1]
        for theme, size in (("dark", SMALL), ("light", LARGE)):
            shoot(f"queue-rules-{theme}", size, theme, rules)
        rules.reject()
        case = workspace.active
        assert case is not None
        error = GraphicsError(
            "Graphics memory ran out while Organs and nodules ran; run it on the processor, or close other programs."
        )
        reporting(workspace, case.key, lambda: None)(error)
        window.side.show_part("models")
        for name, size, theme in (("queue-way-out-dark", SMALL, "dark"), ("queue-way-out-light-large", LARGE, "light")):
            shoot(name, size, theme)
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
