"""A line across the window while labels are not safe, or cannot be changed: why, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from medview.core.language import _, in_language, plural
from medview.gui.commands.project_keeper import Access
from medview.gui.parts.controls import icon_button, set_role, text_button, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.store.entry import SavedKind, SavedState


class ProjectBanner(QFrame):
    """Red while changes are not on disk, amber while hardly anything fits any more or the project is only read."""

    retry_wanted = Signal()
    copy_wanted = Signal()
    write_wanted = Signal()
    recover_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("project banner")
        self._state: SavedState | None = None
        self._access = Access()
        self._dismissed = ""
        self.label = words("")
        self.label.setObjectName("project banner text")
        self.label.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        self.retry = text_button(_("Try now"), _("Try to save at once; it is also tried again by itself"))
        self.copy = text_button(
            _("Save a copy elsewhere..."), _("Save the project with everything done up to now in another place")
        )
        self.write = text_button(
            _("Open for writing"), _("Read the newest labels from the project and go on in it"), role="primary"
        )
        self.recover = text_button(
            _("Recover"),
            _("Write everything that can be had into a sound project and go on in it; the damaged one is kept"),
            role="primary",
        )
        self.dismiss = icon_button("mdi6.close", _("Hide this line"))
        for name in ("retry", "copy", "write", "recover", "dismiss"):
            getattr(self, name).setObjectName(f"project banner {name}")
        self.retry.clicked.connect(self.retry_wanted)
        self.copy.clicked.connect(self.copy_wanted)
        self.write.clicked.connect(self.write_wanted)
        self.recover.clicked.connect(self.recover_wanted)
        self.dismiss.clicked.connect(self._on_dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 3, GRID_PX, GRID_PX * 2, GRID_PX)
        layout.setSpacing(GRID_PX * 2)
        layout.addWidget(self.label, 1)
        for button in (self.retry, self.copy, self.write, self.recover, self.dismiss):
            layout.addWidget(button)
        self._refresh()

    def show_saved(self, state: SavedState | None) -> None:
        """Take in whether everything is on disk."""
        # While it is tried again the line stays: it would flicker.
        if state is not None and state.kind is SavedKind.WRITING and self._failed:
            return
        self._state = state
        self._refresh()

    def show_access(self, access: Access) -> None:
        """Take in why the project is only read, or that it is not."""
        self._access = access
        self._refresh()

    @property
    def _failed(self) -> bool:
        return self._state is not None and self._state.kind is SavedKind.FAILED

    def _refresh(self) -> None:
        state, failed = self._state, self._failed
        warning = state.warning if state is not None else ""
        text = in_language(warning or self._access.reason)
        if state is not None and failed:
            kept = plural(
                "{n} change is kept in memory and not on disk.",
                "{n} changes are kept in memory and not on disk.",
                state.waiting,
            )
            text = _("Not saved. {reason} {kept}").format(
                reason=in_language(state.reason), kept=kept.format(n=state.waiting)
            )
        self.label.setText(text)
        set_role(self, "alarm" if failed else "caution")
        set_role(self.label, "error" if failed else "warning")
        self.retry.setVisible(failed)
        self.copy.setVisible(failed or bool(warning))
        self.write.setVisible(self._access.free and not failed)
        self.recover.setVisible(self._access.damaged and not failed)
        self.dismiss.setVisible(not failed)
        self.setVisible(bool(text) and (failed or text != self._dismissed))

    def _on_dismiss(self) -> None:
        # What is not saved cannot be waved away; anything else comes again when it is something new.
        self._dismissed = self.label.text()
        self._refresh()
