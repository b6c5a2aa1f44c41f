"""What is being worked on: one line with progress, remaining time and Cancel."""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from medview.core.language import _
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.parts.bind import follow
from medview.gui.parts.controls import icon_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.identity import job_text
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.durations import duration
from medview.workspace.jobs import Job, JobStatus, Lane
from medview.workspace.view_state import Bench

_SHOW_AFTER_S = 0.4
"""Quicker jobs would only flicker."""


_LABEL_PX = 220


class JobStrip(QWidget):
    """Shows the oldest running job; the others are counted, with their names in the tooltip."""

    def __init__(self, threads: JobThreads, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._threads, self._bench = threads, bench
        self._shown: Job | None = None
        self.label = ElidedLabel()
        self.label.setObjectName("job")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(96)
        self.remaining = words("", "quiet")
        self.remaining.setWordWrap(False)
        self.more = words("", "quiet")
        self.more.setWordWrap(False)
        self.cancel = icon_button("mdi6.close-circle-outline", _("Cancel this job"))
        self.cancel.setObjectName("job cancel")
        self.cancel.clicked.connect(self._cancel)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX * 2)
        self.label.setFixedWidth(_LABEL_PX)
        layout.addWidget(self.label)
        for widget in (self.bar, self.remaining, self.cancel, self.more):
            layout.addWidget(widget)
        self._tick = QTimer(self)
        self._tick.setInterval(250)
        self._tick.timeout.connect(self.refresh)
        threads.jobs_changed.connect(self.refresh)
        follow(self, bench, "identity_hidden", lambda _hidden: self.refresh())

    @Slot()
    def refresh(self) -> None:
        """Show the present state of the jobs."""
        # Looks at trainings come every second and are over at once.
        jobs = [job for job in self._threads.jobs if job.lane is not Lane.FOLLOW]
        now = time.monotonic()
        running = [j for j in jobs if j.status is JobStatus.RUNNING and now - j.started >= _SHOW_AFTER_S]
        self._shown = running[0] if running else None
        for widget in (self.label, self.bar, self.remaining, self.cancel, self.more):
            widget.setVisible(self._shown is not None)
        if jobs and not self._tick.isActive():
            self._tick.start()
        elif not jobs:
            self._tick.stop()
        if self._shown is not None:
            self._show(self._shown, [j for j in jobs if j is not self._shown], now)

    def _show(self, job: Job, others: list[Job], now: float) -> None:
        hidden = self._bench.identity_hidden
        self.label.setText(job_text(job, hidden=hidden))
        self.bar.setValue(round(job.fraction * 1000))
        left = job.remaining_seconds(now)
        self.remaining.setText(_("{duration} left").format(duration=duration(left)) if left is not None else "")
        self.more.setText(f"+{len(others)}" if others else "")
        self.more.setToolTip("\n".join(dict.fromkeys(job_text(j, hidden=True) if hidden else j.title for j in others)))

    def _cancel(self) -> None:
        if self._shown is not None:
            self._shown.cancel()
