"""The process that draws in three dimensions, as a Qt object."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot

from medview.core.language import in_language
from medview.scene.client import SceneClient
from medview.scene.messages import Answer, Message, Picked, Picture, Unavailable


class SceneLink(QObject):
    """Starts the process when first asked, and brings its answers to the thread of the window.

    Attributes
    ----------
    problem : str
        Why there are no pictures and will be none, or empty.
    """

    drawn = Signal(object)
    """A Picture."""
    picked = Signal(object)
    """A Picked."""
    failed = Signal()
    """There will be no pictures: ``problem`` says why."""
    # Answers come in a thread of the client. Connected to a slot of this object, the signal crosses over.
    _answered = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.problem = ""
        self._clients: list[SceneClient] = []
        self._answered.connect(self._on_answer, Qt.ConnectionType.QueuedConnection)
        # Bound to the list, not to this object: when Qt says that it is destroyed it is too late for its methods.
        self.destroyed.connect(partial(_stop_all, self._clients))
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.stop)

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return bool(self._clients)

    @property
    def pid(self) -> int | None:
        """Number of the process, once it runs."""
        return self._clients[0].pid if self._clients else None

    def start(self) -> None:
        """Start the process unless it runs, or ended by itself before."""
        if self._clients or self.problem:
            return
        client = SceneClient(lambda answer: self._answered.emit(client, answer))
        self._clients.append(client)
        client.start()

    def send(self, message: Message) -> None:
        """Say something to the process, if it runs."""
        for client in self._clients:
            client.send(message)

    @Slot()
    def stop(self) -> None:
        """End the process."""
        _stop_all(self._clients)

    @Slot(object, object)
    def _on_answer(self, client: SceneClient, answer: Answer) -> None:
        if client not in self._clients:
            return  # it was stopped while this was on its way
        if isinstance(answer, Picture):
            self.drawn.emit(answer)
        elif isinstance(answer, Picked):
            self.picked.emit(answer)
        elif isinstance(answer, Unavailable):
            self.problem = in_language(answer.sentence)
            self.stop()
            self.failed.emit()


def _stop_all(clients: list[SceneClient], _destroyed: object = None) -> None:
    while clients:
        clients.pop().stop()
