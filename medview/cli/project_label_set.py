"""``medview project label-set``: the labels and forms of a project."""

from __future__ import annotations

from pathlib import Path

from medview.cli.output import print_json, say, show
from medview.core.form_change import consequences
from medview.core.label_set import LabelSet
from medview.io.label_sets import as_document, read_label_set, text_of_label_set
from medview.store.project import Project
from medview.workspace.form_book import project_label_set
from medview.workspace.project_forms import missing_by_reading


def label_set_of_project(path: Path, file: Path | None, *, replace: bool, json: bool) -> None:
    """Show the label set of a project, or add that of a file to it; say what that does to answers, and what is missing.

    Raises
    ------
    MedViewError
        When the project or the file cannot be read, or the project not be written.
    """
    with Project.open(path, read_only=file is None) as project:
        before = found = project_label_set(project)
        notes: list[str] = []
        if file is not None:
            wanted = read_label_set(file)
            found = wanted if replace else before.joined(wanted)
            answers = [list(given.values()) for given in project.answers().values()]
            notes = [one.sentence for one in consequences(before.forms, found.forms, answers)]
            if found != before:
                project.label_set.keep(text_of_label_set(found))
        lacking = missing_by_reading(project, found.forms)
    if json:
        print_json({**as_document(found), "notes": notes, "missing": {str(key): n for key, n in lacking.items()}})
        return
    if lacking:
        answers_lack = _count(sum(lacking.values()), "required answer is", "required answers are")
        notes.append(f"{answers_lack} missing in {_count(len(lacking), 'reading', 'readings')}.")
    for note in notes:
        say(note)
    for line in _lines(found):
        show(line)


def _lines(label_set: LabelSet) -> list[str]:
    if not (label_set.entries or label_set.forms):
        return ["The project has no label set."]
    lines = [label_set.name, *(f"  {entry.name}" for entry in label_set.entries)]
    for form in label_set.forms:
        lines.append(f"{form.name}, version {form.version}{''.join(f', {one}' for one in form.modalities)}")
        for question in form.questions:
            needed = ", required" if question.required else ""
            options = ": " + "; ".join(option.text for option in question.options) if question.options else ""
            lines.append(f"  {question.text} ({question.level.value}, {question.kind.value}{needed}){options}")
    return lines


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
