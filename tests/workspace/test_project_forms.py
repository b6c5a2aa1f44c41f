"""What is missing in a whole project is known from its journal alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from medview.core.answer import STUDY, Answer, Target
from medview.core.form import Level
from medview.store.project import Project
from medview.workspace.answering import give
from medview.workspace.asked import asked_now
from medview.workspace.keeping import keep, load_stored
from medview.workspace.open_case import OpenCase
from medview.workspace.project_forms import count_missing, missing_by_reading
from medview.workspace.workspace import Workspace
from tests.gui.windows import bare_workspace
from tests.helpers.forms import BAD, FORM, GOOD, MARGIN, MOTION, PRIOR, QUALITY, SURE, answer
from tests.workspace.conftest import make_case


def _open(workspace: Workspace, project: Project, number: int) -> OpenCase:
    case = make_case()
    case.series = replace(case.series, series_uid=f"1.2.3.{number}")
    case.volume = replace(case.volume, series_uid=f"1.2.3.{number}")
    keep(case, project, load_stored(project, case.series, case.entry, case.volume))
    workspace.add_case(case)
    return case


def _give(workspace: Workspace, case: OpenCase, **values: object) -> None:
    rows = {row.question.text: row for group in asked_now(workspace, case) for row in group.asked}
    for text, value in values.items():
        assert give(workspace, rows[text.replace("_", " ")], value)  # type: ignore[arg-type]


def test_required_answers_that_readings_lack_are_counted(tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    with Project.create(tmp_path / "p.medview", reader="Ada") as project:
        workspace.services.project = project
        workspace.forms.use((FORM,))
        first, second, _untouched = (_open(workspace, project, number) for number in (1, 2, 3))
        _give(workspace, first, Quality=(GOOD,), Compared_with_before="Larger")
        _give(workspace, second, Quality=(BAD,), Confidence=80.0)
        # What was said of the study on the first series counts for the second.
        assert missing_by_reading(project, workspace.forms.forms) == {1: 1}
        stricter = FORM.changed(questions=(replace(QUALITY, options=(GOOD,)), replace(SURE, most=50.0)))
        assert missing_by_reading(project, (stricter,)) == {1: 1, 2: 2}
        assert missing_by_reading(project, (replace(FORM, modalities=("DX",)),)) == {}


def test_slices_and_lesions_count_once_something_was_said_of_them() -> None:
    said: dict[tuple[str, str], Answer] = {}
    assert count_missing((FORM,), "CT", said) == 3
    noise = replace(MOTION, uid="q.noise", text="Noise")
    shape = replace(MARGIN, uid="q.shape", text="Shape")
    form = FORM.changed(questions=(MOTION, noise, MARGIN, shape))
    assert count_missing((form,), "CT", said) == 0
    slice_4 = answer(MOTION, (GOOD,), Target(Level.SLICE, 4), form)
    lesion = answer(MARGIN, (GOOD,), Target(Level.LESION, annotation_id="b", name="Nodule"), form)
    liver = answer(MARGIN, (GOOD,), Target(Level.LESION, annotation_id="c", name="Liver"), form)
    said = {one.key: one for one in (slice_4, lesion, liver)}
    assert count_missing((form,), "CT", said) == 2, "nothing is asked of the liver any more"
    said[STUDY.key, PRIOR.uid] = answer(PRIOR, "Larger", STUDY)
    assert count_missing((form,), "CT", said) == 2
