"""Finding everything a person can ask for by words: actions, windows by name, series."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from medview.core.language import _, in_language
from medview.core.voi_table import VoiTransform
from medview.workspace.presets import choices
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to find.

    Attributes
    ----------
    title : str
        In the user's words.
    run : callable
        Does it.
    keys : str
        Shortcut as shown, or empty.
    detail : str
        What kind of thing it is, where the title does not say.
    why_not : str
        Why it makes no sense now, or empty.
    also : str
        Other words it is found by, not shown.
    """

    title: str
    run: Callable[[], object]
    keys: str = ""
    detail: str = ""
    why_not: str = ""
    also: str = ""


def found(entries: Iterable[Entry], query: str) -> list[Entry]:
    """Return the entries that have every word of a query, in any order, or its shortcut; the closest first.

    Words that begin a word of the title count before words within one, and those before other names of the same thing;
    what makes sense now before what does not.
    """
    words = query.casefold().split()
    typed_keys = "+".join(query.casefold().replace("+", " ").split())
    ranked = [(rank, entry) for entry in entries if (rank := _rank(entry, words, typed_keys)) is not None]
    ranked.sort(key=lambda pair: (pair[0], bool(pair[1].why_not)))
    return [entry for _, entry in ranked]


def _rank(entry: Entry, words: list[str], typed_keys: str) -> int | None:
    """Return how far an entry is from a query, 0 being closest, or None."""
    if not words:
        return 0
    if entry.keys and typed_keys in [keys.strip().casefold() for keys in entry.keys.split(", ")]:
        return 0
    text = f"{entry.title} {entry.detail}".casefold()
    if all(word in text for word in words):
        if not _begin(text, words):
            return 3
        return 1 if entry.title.casefold().startswith(words[0]) else 2
    return 4 if entry.also and _begin(f"{text} {entry.also}", words) else None


def _begin(text: str, words: list[str]) -> bool:
    """Whether every word begins one of a text."""
    starts = [part.strip("().,:") for part in text.split()]
    return all(any(start.startswith(word) for start in starts) for word in words)


def windows(workspace: Workspace) -> list[Entry]:
    """Return the windows the open series offers, by name."""
    case = workspace.active
    if case is None or case.volume.colour:
        return []

    def use(window: VoiTransform) -> Callable[[], None]:
        def run() -> None:
            case.view.window = window

        return run

    return [
        Entry(in_language(w.name), use(w), detail=_("Window {center:g} / {width:g}").format(center=w.center, width=w.width))
        for w in choices(case.volume)
    ]


def preset_name(workspace: Workspace, action_id: str) -> str:
    """Return the name of the window that an action ``preset.N`` sets in the open series; empty for all else."""
    group, _, number = action_id.partition(".")
    if group != "preset":
        return ""
    return next((one.title for one in windows(workspace)[int(number) - 1 : int(number)]), "")


_REASONS = {
    "undo": _("There is nothing to undo"),
    "redo": _("There is nothing to do again"),
    "proposal": _("No model has proposed anything"),
    "segment": _("No segment is chosen"),
    "segment.next": _("There are no segments"),
    "segment.previous": _("There are no segments"),
    "segment.pick": _("There are no segments"),
    "labelled": _("There is no active segment"),
    "lesion": _("There is no active segment"),
    "segments": _("There are no segments"),
    "labelset.save": _("There are no segments"),
    "effect": _("No effect is open"),
    "view.graphics": _("The files bring no graphics"),
    "preset": _("This series offers fewer windows"),
    "rules.inside": _("There is no active segment"),
    "rules.outside": _("There is no active segment"),
    "rules.values": _("Pictures in colour have no values"),
    "rules.none": _("No rule is on"),
    "fusion": _("No series lies over this one"),
    "fusion.register": _("No series lies over this one, or it is registered"),
    "window.region": _("No region is measured"),
    "planes": _("This series has no planes but its own"),
    "measurement": _("No measurement, box or mark is chosen"),
    "drawn": _("There are no boxes and marks"),
    "drawn.show": _("None is hidden"),
    "nudge": _("No box or mark on this slice is chosen"),
    "file.export_drawn": _("There are no boxes and marks to export"),
    "form": _("The project asks nothing of such a series"),
    "form.agree": _("No consensus is open that lacks an answer all readers gave alike"),
    "file.export_answers": _("No question is answered"),
    "keyimage": _("No slice is marked as a key image"),
    "file.export_ko": _("No slice is marked as a key image"),
    "file.export": _("There are no labels to export"),
    "file.export_sr": _("There are no measurements to export"),
    "time": _("The series holds one volume"),
    "cine.time": _("The series holds one volume"),
    "case.done": _("The series is no case of the project, or that is only read"),
    "case.flag": _("The series is no case of the project, or that is only read"),
    "case.exclude": _("The series is no case of the project, or that is only read"),
    "case.tags": _("This series does not come from DICOM files"),
}
"""Action, or the first part of its id -> why it is greyed although a series is open and may be changed."""

_CHANGES_LABELS = (
    "undo", "redo", "proposal", "measurement", "keyimage.toggle", "file.import", "nudge", "segment.add", "segment.instance",
    "segment.show", "segment.lock", "segment.outline", "segment.done", "segment.flag", "segment.unsure", "segment.absent",
    "segment.delete", "effect", "mark.done", "mark.done_next",
)  # fmt: skip


def why_not(workspace: Workspace, action_id: str) -> str:
    """Return why an action makes no sense now, as far as it is known: only to be asked of one that is greyed."""
    case = workspace.active
    if case is None:
        return _("No series is open")
    group = action_id.partition(".")[0]
    if action_id in _CHANGES_LABELS or group in _CHANGES_LABELS:
        if case.read_only:
            return in_language(case.read_only).rstrip(".")
        if case.reading:
            return _("The series is still being read")
    close = [name for name in _REASONS if action_id.startswith(name)]
    return _REASONS[max(close, key=len)] if close else _("Not now")
