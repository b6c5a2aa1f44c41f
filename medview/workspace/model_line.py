"""The models a project trained, version by version, and which of them counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medview.core.errors import MedViewError, ModelError
from medview.core.language import _
from medview.ml.packs import ModelPack, load_pack

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.model_book import VersionRow
    from medview.store.project import Project


class Verdict(Enum):
    """What became of a version when it came."""

    FIRST = "first"
    """There was none to compare it with, so it counts."""
    PROMOTED = "promoted"
    KEPT = "kept"
    """It was not shown to be better: the one before it was kept."""
    CHOSEN = "chosen"
    """It was not promoted, and a person chose it all the same."""


ROLLED_BACK = "rolled back"
"""How a version comes to count again."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a line.

    Attributes
    ----------
    key, digest : str
        ``id@version`` and identity of its pack.
    folder : Path or None
        The pack in the project; None where it is gone.
    run : str
        Name of its training in the project's ``runs``, or path of one elsewhere; empty where nobody knows.
    parent : int or None
        The version it was compared with.
    reason : str
        One sentence.
    gate : dict or None
        How it was compared, as ``RUN/gate.json``.
    who : str
        Who chose it, where a person did.
    learnt : dict
        Which cases its weights have seen, those it began from included: ``pixels`` (hashes) and ``patients``.
    """

    line: str
    version: int
    key: str
    digest: str
    folder: Path | None
    run: str
    parent: int | None
    utc: str
    verdict: Verdict
    reason: str
    gate: dict[str, Any] | None = None
    who: str = ""
    learnt: Mapping[str, Any] | None = None

    @property
    def title(self) -> str:
        """What it is called beside other versions."""
        return f"v{self.version}"

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON, without the cases it learnt from."""
        told = ("line", "version", "key", "digest", "run", "parent", "utc", "reason", "gate")
        folder = None if self.folder is None else str(self.folder)
        return {
            **{name: getattr(self, name) for name in told},
            "folder": folder,
            "verdict": self.verdict.value,
            "who": self.who or None,
        }


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """That a version counts from a moment on.

    Attributes
    ----------
    kind : str
        A value of ``Verdict``, or ``rolled back``.
    who : str
        The person; empty where nobody was asked.
    """

    version: int
    kind: str
    reason: str
    who: str
    utc: str

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"version": self.version, "kind": self.kind, "reason": self.reason, "who": self.who or None, "utc": self.utc}


class ModelLines:
    """Reads and continues the model lines of an open project. Its methods may be called from any thread."""

    def __init__(self, project: Project) -> None:
        self._project, self._book = project, project.models

    def lines(self) -> tuple[str, ...]:
        """Return the names of all lines."""
        return tuple(dict.fromkeys(row.made.line for row in self._book.versions()))

    def versions(self, line: str) -> tuple[ModelVersion, ...]:
        """Return the versions of a line, refused ones too, oldest first."""
        chosen = {one.version: one for one in self._book.choices() if (one.line, one.kind) == (line, Verdict.CHOSEN.value)}
        found = []
        for row in self._book.versions():
            if row.made.line == line:
                version, choice = self._version(row), chosen.get(row.version)
                if choice is not None and version.verdict is Verdict.KEPT:
                    version = replace(version, verdict=Verdict.CHOSEN, who=choice.who)
                found.append(version)
        return tuple(found)

    def history(self, line: str) -> tuple[ModelChoice, ...]:
        """Return which versions of a line counted, oldest first."""
        return tuple(
            ModelChoice(one.version, one.kind, one.reason, one.who, one.created_utc)
            for one in self._book.choices()
            if one.line == line
        )

    def current(self, line: str) -> ModelVersion | None:
        """Return the version of a line that counts; None where none does."""
        history = self.history(line)
        wanted = history[-1].version if history else 0
        return next((one for one in self.versions(line) if one.version == wanted), None)

    def before(self, line: str) -> ModelVersion | None:
        """Return the version a line is rolled back to; None where nothing counted before."""
        counted = _stack(self.history(line))
        wanted = counted[-2] if len(counted) > 1 else 0
        return next((one for one in self.versions(line) if one.version == wanted), None)

    def of_pack(self, digest: str) -> ModelVersion | None:
        """Return the version that is a pack; None where none is."""
        row = next((row for row in self._book.versions() if row.made.digest == digest), None)
        return None if row is None else next(one for one in self.versions(row.made.line) if one.version == row.version)

    def packs(self) -> tuple[ModelPack, ...]:
        """Return the packs that count, each named with its version; those that cannot be read are left out."""
        found = []
        for line in self.lines():
            current = self.current(line)
            if current is not None and (pack := pack_of_version(current)) is not None:
                found.append(pack)
        return tuple(found)

    def add(
        self,
        line: str,
        pack: ModelPack,
        verdict: Verdict,
        *,
        reason: str,
        run: str = "",
        gate: Mapping[str, Any] | None = None,
        learnt: Mapping[str, Any] | None = None,
        compared: int = 0,
        counting: int | None = None,
    ) -> ModelVersion:
        """Take a pack in as the next version of a line; it is copied into the project, and counts from now on unless kept.

        Parameters
        ----------
        verdict : Verdict
            ``FIRST`` or ``PROMOTED``; with ``KEPT`` the version that counts stays as it is.
        compared : int
            The version it was compared with; 0 for none.
        counting : int, optional
            The version that has to count still, 0 for none; whichever does unless given.

        Raises
        ------
        OvertakenError
            When another one does.
        StoreError
            When the project cannot be written, or the pack is damaged; nothing changed then.
        """
        from medview.store.model_book import NewVersion

        new = NewVersion(line, pack.spec.key, pack.digest, run, compared, verdict.value, reason, _json(gate), _json(learnt))
        counts = "" if verdict is Verdict.KEPT else verdict.value
        row = self._book.add(new, pack.folder, counts=counts, counting=counting)
        return next(one for one in self.versions(line) if one.version == row.version)

    def choose(self, line: str, version: int, reader: str = "", reason: str = "") -> ModelVersion:
        """Let a version count because a person says so; who it was is written down.

        Raises
        ------
        ModelError, StoreError
            When there is no such version, it counts already, its pack is damaged, or the project cannot be written.
        """
        return self._choose(line, version, Verdict.CHOSEN.value, reader, reason)

    def roll_back(self, line: str, version: int | None = None, reader: str = "") -> ModelVersion:
        """Let an earlier version count again: the one that counted before, unless one is named. Raises as ``choose``."""
        if version is None:
            earlier = self.before(line)
            if earlier is None:
                raise ModelError(f"There is no version of {line} that counted before; there is nothing to go back to.")
            version = earlier.version
        return self._choose(line, version, ROLLED_BACK, reader, "")

    def _choose(self, line: str, version: int, kind: str, reader: str, reason: str) -> ModelVersion:
        current = self.current(line)
        if current is not None and current.version == version:
            raise ModelError(f"Version {version} of {line} counts already.")
        who = reader or self._project.reader
        told = reason or f"{who} {'went back to' if kind == ROLLED_BACK else 'chose'} v{version}."
        self._book.choose(line, version, kind, told, who)
        found = self.current(line)
        assert found is not None, "it was chosen just now"
        return found

    def _version(self, row: VersionRow) -> ModelVersion:
        made, files = row.made, self._book.files
        try:
            verdict = Verdict(made.verdict)
        except ValueError:
            # What a newer program says is no reason to use it.
            verdict = Verdict.KEPT
        return ModelVersion(
            line=made.line,
            version=row.version,
            key=made.key,
            digest=made.digest,
            folder=files.folder(made.digest) if files.holds(made.digest) else None,
            run=made.run,
            parent=made.compared or None,
            utc=row.created_utc,
            verdict=verdict,
            reason=made.reason,
            gate=_document(made.gate),
            learnt=_document(made.learnt),
        )


def pack_of_version(version: ModelVersion) -> ModelPack | None:
    """Return the pack of a version, named with its number; None where it is gone or cannot be read."""
    if version.folder is None:
        return None
    try:
        pack = load_pack(version.folder, verify=False)
    except MedViewError:
        return None
    name = _("{name} v{version}").format(name=pack.spec.name, version=version.version)
    return replace(pack, spec=replace(pack.spec, name=name))


def _stack(history: tuple[ModelChoice, ...]) -> list[int]:
    """Return the versions that going back leads through, the one that counts last."""
    counted: list[int] = []
    for choice in history:
        if choice.kind == ROLLED_BACK and choice.version in counted:
            del counted[len(counted) - counted[::-1].index(choice.version) :]
        else:
            counted.append(choice.version)
    return counted


def _json(document: Mapping[str, Any] | None) -> str:
    return "" if document is None else json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _document(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
