"""A model line of a project as a window shows it: read at once, in a worker."""

from __future__ import annotations

from dataclasses import dataclass

from medview.ml.packs import ModelPack
from medview.workspace.model_line import ModelLines, ModelVersion, pack_of_version


@dataclass(frozen=True, slots=True)
class LineView:
    """One line.

    Attributes
    ----------
    versions : tuple of ModelVersion
        Oldest first.
    current, before : ModelVersion or None
        The one that counts, and the one that going back leads to.
    pack : ModelPack or None
        Of the one that counts, named with its version; None where it cannot be read.
    others : tuple of ModelPack
        Of those that do not count, as far as they can be read.
    """

    name: str
    versions: tuple[ModelVersion, ...]
    current: ModelVersion | None
    before: ModelVersion | None
    pack: ModelPack | None
    others: tuple[ModelPack, ...] = ()

    def of_run(self, run: str) -> ModelVersion | None:
        """Return the version that a training of the project became."""
        return next((one for one in reversed(self.versions) if one.run == run), None)


def line_views(lines: ModelLines) -> tuple[LineView, ...]:
    """Return all lines of a project. Raises MedViewError where they cannot be read."""
    found = []
    for name in lines.lines():
        current, versions = lines.current(name), lines.versions(name)
        pack = None if current is None else pack_of_version(current)
        older = (pack_of_version(one) for one in versions if current is None or one.version != current.version)
        others = tuple(one for one in older if one is not None)
        found.append(LineView(name, versions, current, lines.before(name), pack, others))
    return tuple(found)
