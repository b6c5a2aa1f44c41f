"""Ties widgets to fields of evented values, so that no widget holds a fact of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from psygnal import SignalInstance
from PySide6.QtCore import QObject, QSignalBlocker
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

Slot = Callable[..., Any]
Listener = TypeVar("Listener", bound=QObject)


class Subscriptions:
    """Connections to psygnal signals that end together: at ``clear``, or when the Qt object that listens is destroyed."""

    def __init__(self, listener: QObject) -> None:
        self._held: list[tuple[SignalInstance, Slot]] = []
        held = self._held
        listener.destroyed.connect(lambda: _drop(held))

    def add(self, signal: SignalInstance, slot: Slot) -> None:
        """Call ``slot`` whenever ``signal`` is emitted."""
        signal.connect(slot)
        self._held.append((signal, slot))

    def clear(self) -> None:
        """End all connections made so far."""
        _drop(self._held)


def _drop(held: list[tuple[SignalInstance, Slot]]) -> None:
    for signal, slot in held:
        signal.disconnect(slot, missing_ok=True)
    held.clear()


def field_signal(model: Any, name: str) -> SignalInstance:
    """Return the change signal of a field of an evented dataclass: one with ``events``, which share no base class."""
    signal: SignalInstance = model.events[name]
    return signal


def follow(listener: QObject, model: object, name: str, show: Callable[[Any], object]) -> None:
    """Call ``show`` with the value of a field now and after every change, as long as ``listener`` lives."""
    Subscriptions(listener).add(field_signal(model, name), lambda value: show(value))
    show(getattr(model, name))


def bind(
    widget: QWidget | QAction,
    model: object,
    name: str,
    *,
    to_widget: Callable[[Any], Any] = lambda value: value,
    from_widget: Callable[[Any], Any] = lambda value: value,
) -> None:
    """Show a field of an evented dataclass in a widget and write back what the person does there.

    Parameters
    ----------
    widget : QWidget or QAction
        A button or action (checked), slider or spin box (value), line edit (text), or combo box (data of the current item).
    to_widget, from_widget : callable
        Conversions between the field and the widget, e.g. 0 to 1 and per cent.
    """

    def show(value: Any) -> None:
        blocker = QSignalBlocker(widget)
        _write(widget, to_widget(value))
        blocker.unblock()

    def store(*_args: object) -> None:
        setattr(model, name, from_widget(_read(widget)))

    edited = _edited(widget)
    follow(widget, model, name, show)
    edited.connect(store)


def _edited(widget: QWidget | QAction) -> Any:
    if isinstance(widget, QAbstractButton | QAction):
        return widget.toggled
    if isinstance(widget, QLineEdit):
        return widget.editingFinished
    if isinstance(widget, QComboBox):
        return widget.currentIndexChanged
    if isinstance(widget, QAbstractSlider | QSpinBox | QDoubleSpinBox):
        return widget.valueChanged
    raise TypeError(f"{type(widget).__name__} has nothing to bind to")


def _read(widget: QWidget | QAction) -> object:
    if isinstance(widget, QAbstractButton | QAction):
        return widget.isChecked()
    if isinstance(widget, QLineEdit):
        return widget.text()
    if isinstance(widget, QComboBox):
        return widget.currentData()
    assert isinstance(widget, QAbstractSlider | QSpinBox | QDoubleSpinBox)
    return widget.value()


def _write(widget: QWidget | QAction, value: Any) -> None:
    if isinstance(widget, QAbstractButton | QAction):
        widget.setChecked(bool(value))
    elif isinstance(widget, QLineEdit):
        widget.setText(str(value))
    elif isinstance(widget, QComboBox):
        widget.setCurrentIndex(widget.findData(value))
    else:
        assert isinstance(widget, QAbstractSlider | QSpinBox | QDoubleSpinBox)
        widget.setValue(value)
