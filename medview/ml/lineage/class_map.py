"""Which classes of a model are which of those that are learnt now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from medview.core.errors import AmbiguousError
from medview.ml.examples import TrainingClass
from medview.ml.outputs import ClassificationOutput, DetectionOutput, SegmentationOutput
from medview.ml.spec import ModelSpec

LONGEST_NAME = 64
"""Of a class in a pack."""


class How(StrEnum):
    """What became of a class."""

    SAME = "same"
    RENAMED = "renamed"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class MappedClass:
    """A class that is learnt now.

    Attributes
    ----------
    old : int or None
        Its place among the classes of the model, from 0; None for a new one.
    came_from : str or None
        What the model calls it.
    """

    name: str
    old: int | None
    came_from: str | None
    how: How


@dataclass(frozen=True, slots=True)
class ClassMap:
    """Classes that are learnt now, in their order, and those of the model that are not.

    Attributes
    ----------
    before : int
        How many classes the model has.
    """

    classes: tuple[MappedClass, ...]
    gone: tuple[str, ...]
    before: int

    @property
    def unchanged(self) -> bool:
        """Whether the classes are those of the model, in its order, whatever they are called."""
        return [one.old for one in self.classes] == list(range(self.before))

    def named(self, how: How) -> tuple[str, ...]:
        """Return the names of some of the classes; of renamed ones both."""
        chosen = (one for one in self.classes if one.how is how)
        return tuple(f"{one.came_from} as {one.name}" if how is How.RENAMED else one.name for one in chosen)

    def sentence_parts(self) -> list[str]:
        """Return what happens to the classes, in pieces of a sentence; nothing is said of those that stay."""
        parts = [f"{how.value}: {', '.join(names)}" for how in (How.RENAMED, How.NEW) if (names := self.named(how))]
        return [*parts, f"gone: {', '.join(self.gone)}"] if self.gone else parts

    def document(self) -> list[dict[str, str | None]]:
        """Return the classes ready for JSON."""
        return [{"name": one.name, "from": one.came_from, "how": one.how.value} for one in self.classes]

    def whole_document(self) -> dict[str, Any]:
        """Return everything ready for JSON."""
        rows = [{**said, "old": one.old} for said, one in zip(self.document(), self.classes, strict=True)]
        return {"classes": rows, "gone": list(self.gone), "before": self.before}

    @classmethod
    def of_document(cls, content: Mapping[str, Any]) -> ClassMap:
        """Inverse of ``whole_document``."""
        rows = content["classes"]
        mapped = (MappedClass(row["name"], row["old"], row["from"], How(row["how"])) for row in rows)
        return cls(tuple(mapped), tuple(content["gone"]), content["before"])


def map_classes(parent: ModelSpec, classes: Sequence[TrainingClass], renames: Mapping[str, str] | None = None) -> ClassMap:
    """Find each class among those of a model: as somebody says, else by its code, else by its name.

    Case and blanks of names are passed over. A code speaks for a class only if one class on either side has it.

    Parameters
    ----------
    renames : mapping of str to str
        Name in the model -> name now.

    Raises
    ------
    AmbiguousError
        When one of those names is none, or a class is given two.
    """
    names, mine = class_names(parent), [one.name for one in classes]
    old_of = _said(renames or {}, names, mine, parent.name)
    for code, old in _only(_codes_of(parent)).items():
        new = _only([_key(one.code) for one in classes]).get(code)
        if new is not None and new not in old_of and old not in old_of.values():
            old_of[new] = old
    plain = [plain_name(name) for name in names]
    for new, name in enumerate(mine):
        free = [old for old, one in enumerate(plain) if one == plain_name(name) and old not in old_of.values()]
        if new not in old_of and free:
            old_of[new] = free[0]
    mapped = [_mapped(name, old_of.get(new), names) for new, name in enumerate(mine)]
    gone = tuple(name for old, name in enumerate(names) if old not in old_of.values())
    return ClassMap(tuple(mapped), gone, len(names))


def class_names(spec: ModelSpec) -> list[str]:
    """Return what a model finds, in its order."""
    output = spec.output
    if isinstance(output, SegmentationOutput):
        return [one.name for one in output.labels]
    if isinstance(output, DetectionOutput):
        return [one.name for one in output.classes]
    return list(output.classes) if isinstance(output, ClassificationOutput) else []


def plain_name(name: str) -> str:
    """Return a name as it is compared; packs hold no more of it."""
    return " ".join(name[:LONGEST_NAME].split()).casefold()


def _mapped(name: str, old: int | None, names: Sequence[str]) -> MappedClass:
    if old is None:
        return MappedClass(name, None, None, How.NEW)
    same = plain_name(name) == plain_name(names[old])
    return MappedClass(name, old, names[old], How.SAME if same else How.RENAMED)


def _said(renames: Mapping[str, str], theirs: Sequence[str], mine: Sequence[str], model: str) -> dict[int, int]:
    """Return new place -> old place of the classes somebody named."""
    found: dict[int, int] = {}
    for before, after in renames.items():
        old = _place(before, theirs, f"{model} has no class {before}")
        new = _place(after, mine, f"Nothing that is learnt is called {after}")
        if new in found or old in found.values():
            raise AmbiguousError(f"{before} and {after} are renamed twice; say each class once.")
        found[new] = old
    return found


def _place(name: str, names: Sequence[str], without: str) -> int:
    plain = [plain_name(one) for one in names]
    if plain_name(name) not in plain:
        raise AmbiguousError(f"{without}; there are: {', '.join(names) or 'none'}.")
    return plain.index(plain_name(name))


def _codes_of(spec: ModelSpec) -> list[tuple[str, str] | None]:
    if not isinstance(spec.output, SegmentationOutput):
        return []
    return [None if one.code is None else (one.code.value, one.code.scheme) for one in spec.output.labels]


def _key(code: Mapping[str, str] | None) -> tuple[str, str] | None:
    return None if code is None else (code["value"], code["scheme"])


def _only(codes: Sequence[tuple[str, str] | None]) -> dict[tuple[str, str], int]:
    """Return the place of each code that stands there once."""
    counts = Counter(codes)
    return {code: place for place, code in enumerate(codes) if code is not None and counts[code] == 1}
