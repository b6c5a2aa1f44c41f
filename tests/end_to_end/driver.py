"""Drives MedView from outside: a virtual screen, a process, real mouse and key events."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]

_SOON_S = 2.0
_POLL_S = 0.05
_START_S = 60.0
_MOST_NOTCHES = 40


def missing_tools() -> list[str]:
    """Programs the driver needs that this computer lacks."""
    return [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]


@contextmanager
def virtual_screen(size: tuple[int, int] = (1280, 800)) -> Iterator[str]:
    """Start an X server without a screen; yield its display name."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp"],
        pass_fds=(write,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as numbers:
            number = numbers.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


class Driver:
    """One run of MedView and the hands of its user.

    Parameters
    ----------
    display : str
        From ``virtual_screen``.
    home : Path
        Where settings, models and labels of this user are; kept between runs.
    user : str
        Login name; that of who runs the tests unless given.

    Attributes
    ----------
    home : Path
    """

    def __init__(self, display: str, home: Path, *places: Path, user: str = "") -> None:
        self._name = str(home / f"peephole-{time.monotonic_ns()}")
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self._env = {
            **os.environ,
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "QT_ACCESSIBILITY": "0",
            "MEDVIEW_DATA": str(home / "data"),
            "MEDVIEW_CONFIG": str(home / "config"),
            "OMP_NUM_THREADS": "2",
            **({"LOGNAME": user} if user else {}),
        }
        self._log = (home / "window.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.end_to_end.driven", self._name, *map(str, places)],
            cwd=REPOSITORY,
            env=self._env,
            stdout=self._log,
            stderr=self._log,
        )
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60.0)
        self._lines = b""
        self._at = ("", "")
        self._connect()

    # ------------------------------------------------------------------------------------ questions

    def ask(self, question: str, **details: object) -> Any:
        """Put a question to the peephole."""
        self._socket.sendall(json.dumps({"ask": question, **details}).encode() + b"\n")
        while b"\n" not in self._lines:
            received = self._socket.recv(1 << 20)
            if not received:
                raise ConnectionError("MedView has ended")
            self._lines += received
        line, _, self._lines = self._lines.partition(b"\n")
        return json.loads(line)

    @property
    def state(self) -> dict[str, Any]:
        """What is open and what has been done."""
        return dict(self.ask("state"))

    @property
    def case(self) -> dict[str, Any]:
        """The active case."""
        return dict(self.state["case"])

    def wait(self, condition: Callable[[], Any], what: str, timeout_s: float = 30.0) -> Any:
        """Wait until a condition holds and return its value."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(_POLL_S)
        raise AssertionError(f"waited {timeout_s:.0f} s in vain for: {what}; the window: {self.ask('state')}")

    def wait_saved(self) -> None:
        """Wait until the dot says that everything is on disk."""
        self.wait(lambda: self.state["saved"] == "saved" and self.state["waiting"] == 0, "the saved dot")

    # ------------------------------------------------------------------------------------ hands

    def focus_front(self) -> None:
        """Give the keys to the front window; there is no window manager that would."""
        front = self.wait(lambda: self.ask("front"), "a window")
        if not front["active"]:
            self._xdotool("windowfocus", "--sync", str(front["window"]))
            self.wait(lambda: self.ask("front")["active"], "the window to be active")

    def wait_front(self, kind: str) -> None:
        """Wait until a window of a class is in front and give it the keys."""
        self.wait(lambda: (front := self.ask("front")) and front["class"] == kind, f"a {kind}")
        self.focus_front()

    def click(self, name: str, *, button: int = 1) -> None:
        """Click the middle of a widget."""
        self._scroll_to(name)
        place = self.wait(lambda: (w := self.ask("widget", name=name)) and w["enabled"] and w, f"the widget {name!r}")
        self.click_at(place, button=button)

    def _scroll_to(self, name: str) -> None:
        """Turn the wheel over the side column until a widget is in sight."""
        for _ in range(_MOST_NOTCHES):
            beyond = self.ask("beyond", name=name)
            if beyond is None:
                return
            self._xdotool(*self._to(beyond), "click", "5" if beyond["down"] else "4")

    def click_at(self, place: dict[str, Any], *, button: int = 1, times: int = 1) -> None:
        """Click a point of the screen."""
        self._xdotool(*self._to(place), "click", "--repeat", str(times), "--delay", "60", str(button))

    def move_to(self, place: dict[str, Any]) -> None:
        """Put the pointer somewhere."""
        self._xdotool(*self._to(place))

    def drag(self, places: list[dict[str, Any]], *, button: int = 1) -> None:
        """Press at the first place, move through the others, release."""
        first, *rest = places
        self._xdotool(*self._to(first), "mousedown", str(button))
        for place in rest:
            self._xdotool(*self._to(place), "sleep", "0.03")
        self._xdotool("mouseup", str(button))

    def wheel(self, place: dict[str, Any], steps: int) -> None:
        """Turn the wheel over a place; away from the person is positive."""
        self.move_to(place)
        self._xdotool("click", "--repeat", str(abs(steps)), "--delay", "20", "4" if steps > 0 else "5")

    def keys(self, *chords: str) -> None:
        """Press key chords such as ``ctrl+z``."""
        self.focus_front()
        self._xdotool("key", "--clearmodifiers", *chords)

    def hold(self, key: str) -> None:
        """Press a key and keep it down."""
        self.focus_front()
        self._xdotool("keydown", key)

    def release(self, key: str) -> None:
        """Let a key go."""
        self._xdotool("keyup", key)

    def write(self, text: str) -> None:
        """Type a text."""
        self.focus_front()
        self._xdotool("type", "--delay", "4", text)

    def menu(self, *titles: str) -> None:
        """Click through the menus: ``menu("File", "Export NIfTI")``."""
        for title in titles:
            place = self.wait(lambda t=title: (e := self.ask("entry", text=t)) and e["enabled"] and e, f"the entry {title}")
            self.click_at(place)

    def choose_file(self, path: Path) -> None:
        """Type a path into the file dialog that is open and confirm."""
        self.wait_front("QFileDialog")
        # Where the pointer rests it would choose from the list of completions.
        self.move_to({"x": 0, "y": 0})
        for _ in range(3):
            self.keys("ctrl+a")
            self.write(str(path))
            if self._typed(str(path)):
                break
        for _ in range(3):
            self.keys("Return")
            # The list of completions may come up late, and the key closes that.
            if self._soon(lambda: self.ask("front")["class"] != "QFileDialog"):
                break
        self.wait(lambda: self.ask("front")["class"] == "MainWindow", "the file dialog to close")

    def _typed(self, text: str) -> bool:
        """Whether the field of the file dialog holds a text; a busy machine may swallow keys."""
        return self._soon(lambda: (field := self.ask("widget", name="fileNameEdit")) is not None and field["text"] == text)

    @staticmethod
    def _soon(condition: Callable[[], bool]) -> bool:
        end = time.monotonic() + _SOON_S
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(_POLL_S)
        return False

    # ------------------------------------------------------------------------------------ the end

    def kill(self) -> None:
        """End the process as a power cut would."""
        self.process.kill()
        self._ended()

    def close(self) -> int:
        """Close the window with Ctrl+Q and return the exit code."""
        self.keys("ctrl+q")
        code = self.process.wait(timeout=60)
        self._ended()
        return code

    def stop(self) -> None:
        """End the process whatever it is doing."""
        if self.process.poll() is None:
            self.kill()

    def _ended(self) -> None:
        self.process.wait(timeout=60)
        self._socket.close()
        self._log.close()

    def _connect(self) -> None:
        end = time.monotonic() + _START_S
        while True:
            try:
                self._socket.connect(self._name)
                break
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError("MedView did not start; see window.log") from error
                time.sleep(_POLL_S)
        self.wait(lambda: self.ask("state"), "the window", _START_S)

    def _to(self, place: dict[str, Any]) -> tuple[str, ...]:
        """Return what moves the pointer to a place and waits until it is there."""
        point = (str(place["x"]), str(place["y"]))
        # Where nothing moves it would wait for many seconds.
        sync, self._at = () if point == self._at else ("--sync",), point
        return ("mousemove", *sync, *point)

    def _xdotool(self, *arguments: str) -> None:
        subprocess.run(["xdotool", *arguments], env=self._env, check=True, timeout=30)
