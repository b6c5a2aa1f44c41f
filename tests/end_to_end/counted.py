"""Hands that count what they do: each click, double click, drag, key chord or chosen file is one action."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.end_to_end.driver import Driver


class Counted:
    """A Driver that counts.

    Attributes
    ----------
    figures : dict
        Flow -> (actions it took, most it may take), in the order they were done.
    """

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.figures: dict[str, tuple[int, int]] = {}
        self._count = 0

    @contextmanager
    def flow(self, name: str, most: int) -> Iterator[None]:
        """Count what is done inside; more than ``most`` actions fail."""
        self._count = 0
        yield
        self.figures[name] = (self._count, most)
        print(f"{name}: {self._count} of {most}")
        assert self._count <= most, f"{name} took {self._count} actions, not {most}"

    def click(self, name: str) -> None:
        self._count += 1
        self.driver.click(name)

    def click_at(self, place: dict[str, Any]) -> None:
        self._count += 1
        self.driver.click_at(place)

    def double_click(self, place: dict[str, Any]) -> None:
        self._count += 1
        self.driver.click_at(place, times=2)

    def drag(self, places: list[dict[str, Any]], *, button: int = 1) -> None:
        self._count += 1
        self.driver.drag(places, button=button)

    def wheel(self, place: dict[str, Any], steps: int) -> None:
        """One turn of the hand, however many notches."""
        self._count += 1
        self.driver.wheel(place, steps)

    def key(self, chord: str) -> None:
        self._count += 1
        self.driver.keys(chord)

    def choose_file(self, path: Path) -> None:
        self._count += 1
        self.driver.choose_file(path)
