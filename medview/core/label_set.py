"""What there is to say of a kind of case: labels with colours, groups and codes, and forms with questions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from medview.core.form import Forms
from medview.core.segmentation import Code, Segment, SegmentRole

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """One label of a set.

    Attributes
    ----------
    colour : tuple of int, or None
        RGB, 0-255; None leaves the choice to the colour cycle.
    group : str
        What it is listed under, or empty.
    unsure : bool
        For voxels nobody is sure of.
    """

    name: str
    colour: Colour | None = None
    group: str = ""
    code: Code | None = None
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Labels and forms that belong together, each name once.

    Attributes
    ----------
    forms : tuple of Form
        What is asked beside what is drawn: one document says all that is to be known of a case.
    """

    name: str
    entries: tuple[LabelEntry, ...]
    description: str = ""
    forms: Forms = ()

    @classmethod
    def of(cls, name: str, segments: Iterable[Segment]) -> LabelSet:
        """Return the set that segments were drawn with; of instances of one thing only the first is taken."""
        entries: dict[str, LabelEntry] = {}
        for segment in segments:
            head, _, tail = segment.name.rpartition(" ")
            first = entries.get(head.casefold())
            if tail.isdigit() and first is not None and first.code == segment.code:
                continue
            unsure = segment.role is SegmentRole.IGNORE
            entry = LabelEntry(segment.name, segment.colour, segment.group, segment.code, unsure)
            entries.setdefault(segment.name.casefold(), entry)
        return cls(name, tuple(entries.values()))

    def missing(self, segments: Iterable[Segment]) -> list[LabelEntry]:
        """Return the entries of which no segment has the name, whatever its case."""
        taken = {segment.name.casefold() for segment in segments}
        return [entry for entry in self.entries if entry.name.casefold() not in taken]

    def joined(self, other: LabelSet) -> LabelSet:
        """Return this set with the labels and forms of another one added.

        Of a label of the same name, whatever its case, this one's stays; a form takes the place of an older version of
        itself.
        """
        names = {entry.name.casefold() for entry in self.entries}
        entries = (*self.entries, *(entry for entry in other.entries if entry.name.casefold() not in names))
        forms = {form.uid: form for form in self.forms}
        newer = (form for form in other.forms if form.uid not in forms or form.version > forms[form.uid].version)
        forms |= {form.uid: form for form in newer}
        return LabelSet(self.name or other.name, entries, self.description or other.description, tuple(forms.values()))
