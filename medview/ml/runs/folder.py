"""The folder of one training, and the settings it was started with."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medview.core.atomic import replacing, write_error
from medview.core.errors import ModelError, ReadError
from medview.ml.recipes.reader import read_recipe, recipe_document
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import Task

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

FORMAT, VERSION = "MedView training", 1
_AGAIN_S = 0.05
"""Between two tries to lock a folder."""


class RunBusyError(ModelError):
    """A training is running already."""


def nothing_kept(run: RunFolder) -> ModelError:
    """Return the error of a training that is to end with what it has before it has anything."""
    name = run.path.name
    return ModelError(f"{name} has made no steps to keep anything of; go on with medview train --run {name}.")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What a training was started with; never changed after.

    Attributes
    ----------
    target : str or None
        Classification: the question or label that is learnt.
    minutes : float or None
        Wall time of the whole command; None for the steps of the recipe.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    parent : str
        Id and version of the model whose weights the training begins with; empty for none.
    model_id, model_name, model_version : str
        Of the pack that comes out.
    frozen_seconds : float
        What making this folder took; counts as part of ``minutes``.
    dataset_sha256, splits_sha256 : str
    versions : mapping of str to str
        Of what computes.
    unfinished : bool
        Whether cases nobody marked done are learnt from as well.
    left_out : tuple of str
        Keys of examples that neither training nor validation sees: their pictures or patients stand in another split too,
        or nobody approved their case where that was asked for.
    samples : bool
        Whether what is found on a few validation slices is kept at each look, for somebody who watches.
    renames : mapping of str to str
        Name of a class in the parent -> name now, as somebody said.
    """

    task: Task
    recipe: Recipe
    seed: int
    model_id: str
    model_name: str
    model_version: str
    created_utc: str
    target: str | None = None
    minutes: float | None = None
    device: str = "auto"
    parent: str = ""
    frozen_seconds: float = 0.0
    dataset_sha256: str = ""
    splits_sha256: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    unfinished: bool = False
    left_out: tuple[str, ...] = ()
    samples: bool = False
    renames: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the settings ready for JSON."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "task": self.task.value,
            "target": self.target,
            "recipe": recipe_document(self.recipe),
            "seed": self.seed,
            "minutes": self.minutes,
            "device": self.device,
            "parent": self.parent or None,
            "model": {"id": self.model_id, "name": self.model_name, "version": self.model_version},
            "created_utc": self.created_utc,
            "frozen_seconds": self.frozen_seconds,
            "dataset_sha256": self.dataset_sha256,
            "splits_sha256": self.splits_sha256,
            "versions": dict(self.versions),
            "unfinished": self.unfinished,
            "left_out": list(self.left_out),
            "samples": self.samples,
            "renames": dict(self.renames),
        }

    @classmethod
    def of_document(cls, content: Mapping[str, Any]) -> RunSettings:
        """Inverse of ``document``. Raises KeyError, TypeError or ValueError on anything else, RecipeError on its recipe."""
        if content["format"] != FORMAT:
            raise ValueError("no training")
        minutes, target, model = content["minutes"], content["target"], content["model"]
        return cls(
            task=Task(content["task"]),
            recipe=read_recipe(json.dumps(content["recipe"])),
            seed=int(content["seed"]),
            model_id=str(model["id"]),
            model_name=str(model["name"]),
            model_version=str(model["version"]),
            created_utc=str(content["created_utc"]),
            target=None if target is None else str(target),
            minutes=None if minutes is None else float(minutes),
            device=str(content["device"]),
            parent=str(content["parent"] or ""),
            frozen_seconds=float(content["frozen_seconds"]),
            dataset_sha256=str(content["dataset_sha256"]),
            splits_sha256=str(content["splits_sha256"]),
            versions={str(name): str(one) for name, one in content["versions"].items()},
            unfinished=bool(content["unfinished"]),
            left_out=tuple(str(key) for key in content["left_out"]),
            samples=bool(content.get("samples", False)),
            # Trainings made before there were any lack it.
            renames={str(old): str(new) for old, new in content.get("renames", {}).items()},
        )


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where the files of one training are.

    ::

        run.json  dataset/  guards.json  parent/  borrowed.json  plan.json  pace.json  cache/  checkpoints/  events.jsonl
        log.txt  control.json  samples/  tensorboard/  pack/  report.html  report.json  result.json  line.json
        current/  judged/  gate.json  taken.json
    """

    path: Path

    @property
    def settings_file(self) -> Path:
        """Settings; written last when a run is made, so that a folder with it is complete."""
        return self.path / "run.json"

    @property
    def dataset(self) -> Path:
        """The frozen dataset folder."""
        return self.path / "dataset"

    @property
    def guards(self) -> Path:
        """What was found of the labels before, and what was told of them (``told``), as JSON."""
        return self.path / "guards.json"

    @property
    def parent(self) -> Path:
        """The pack whose weights the training begins with, where it does."""
        return self.path / "parent"

    @property
    def borrowed(self) -> Path:
        """What became of the parent's weights."""
        return self.path / "borrowed.json"

    @property
    def plan(self) -> Path:
        """What the task made of recipe and data."""
        return self.path / "plan.json"

    @property
    def pace(self) -> Path:
        """How many steps are made, with which precision, and the trial that says so."""
        return self.path / "pace.json"

    @property
    def cache(self) -> Path:
        """Prepared examples; may be deleted, and is made again then. Removed when all is done."""
        return self.path / "cache"

    @property
    def checkpoints(self) -> Path:
        """The last two states of the training; removed when all is done."""
        return self.path / "checkpoints"

    @property
    def events(self) -> Path:
        """One JSON line per event."""
        return self.path / "events.jsonl"

    @property
    def log(self) -> Path:
        """What the process says beside its events."""
        return self.path / "log.txt"

    @property
    def control(self) -> Path:
        """What somebody asks of the training that runs; there until it is obeyed."""
        return self.path / "control.json"

    @property
    def samples(self) -> Path:
        """What was found on a few validation slices at each look, where that was wanted."""
        return self.path / "samples"

    @property
    def tensorboard(self) -> Path:
        """Scalars for TensorBoard."""
        return self.path / "tensorboard"

    @property
    def pack(self) -> Path:
        """The model pack that came out."""
        return self.path / "pack"

    @property
    def report(self) -> Path:
        """The evaluation, as JSON."""
        return self.path / "report.json"

    @property
    def report_page(self) -> Path:
        """The evaluation, for people."""
        return self.path / "report.html"

    @property
    def line(self) -> Path:
        """Of a training of a project: which model line it goes on, and what is known of what its weights have seen."""
        return self.path / "line.json"

    @property
    def current(self) -> Path:
        """The pack that counts in the project, where it is not the parent."""
        return self.path / "current"

    @property
    def judged(self) -> Path:
        """What is known of the models that are compared on single cases; may be deleted, and is made again then."""
        return self.path / "judged"

    @property
    def gate(self) -> Path:
        """Whether the model takes the place of the one that counts, and why."""
        return self.path / "gate.json"

    @property
    def taken(self) -> Path:
        """Which version of its project the model became; there once the project has taken it."""
        return self.path / "taken.json"

    @property
    def result(self) -> Path:
        """What ``medview train --json`` prints; there once everything is done."""
        return self.path / "result.json"

    def settings(self) -> RunSettings:
        """Return the settings.

        Raises
        ------
        ReadError
            When the folder holds no training, one that was never made whole, or one of a newer MedView.
        """
        content = self.read_json(self.settings_file)
        if content is None:
            raise ReadError(
                f"{self.path.name} holds no training; start one with medview train P --task T -o {self.path.name}."
            )
        try:
            if int(content["version"]) > VERSION:
                raise ReadError(f"{self.path.name} was made by a newer MedView; go on with it there.")
            return RunSettings.of_document(content)
        except ModelError as error:
            # Of a newer MedView, say, with options that are not known here.
            raise ReadError(f"The recipe of {self.path.name} cannot be used here. {error.sentence}") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ReadError(f"run.json of {self.path.name} is damaged; start again.", detail=repr(error)[:200]) from error

    def read_json(self, file: Path) -> dict[str, Any] | None:
        """Return a document of the run; None where it is not there. Raises ReadError when it is damaged."""
        try:
            content = json.loads(file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise _damaged(self, file, str(error)) from error
        if not isinstance(content, dict):
            raise _damaged(self, file)
        return content

    def write_json(self, file: Path, content: Mapping[str, Any]) -> None:
        """Write a document of the run, whole or not at all. Raises WriteError."""
        with replacing(file) as opened:
            opened.write((json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())

    @contextmanager
    def held(self, patience_s: float = 0.0) -> Iterator[None]:
        """Keep other processes of this computer from training in the folder meanwhile; a killed holder lets go.

        Parameters
        ----------
        patience_s : float
            Seconds to go on trying: who asks whether it is busy holds it for a moment.

        Raises
        ------
        RunBusyError
            When one does.
        WriteError
            When the folder cannot be written.
        """
        try:
            opened = (self.path / "lock").open("a+b")
        except OSError as error:
            raise write_error(self.path / "lock", error) from error
        with opened:
            until = time.monotonic() + patience_s
            while not _lock(opened.fileno()):
                if time.monotonic() >= until:
                    raise RunBusyError(f"{self.path.name} is being trained already; follow it with medview train --watch.")
                time.sleep(_AGAIN_S)  # a lock that waits by itself would wait for a whole training, with no end
            try:
                yield
            finally:
                _unlock(opened.fileno())

    def busy(self) -> bool:
        """Whether a process of this computer is training in the folder, which need not be writable. Raises ReadError."""
        try:
            opened = (self.path / "lock").open("rb")
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ReadError(f"lock of {self.path.name} cannot be read; check the folder.", detail=str(error)) from error
        with opened:
            # Others who ask at this moment are no training.
            if not _lock(opened.fileno(), alone=False):
                return True
            _unlock(opened.fileno())
        return False


def _damaged(run: RunFolder, file: Path, detail: str = "") -> ReadError:
    again = file in (run.plan, run.pace, run.guards, run.borrowed)
    advice = "delete it and resume" if again else "restore it from a copy or start again"
    return ReadError(f"{file.name} of {run.path.name} is damaged; {advice}.", detail=detail)


def _lock(descriptor: int, *, alone: bool = True) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unlock(descriptor: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
