"""Which version of a project's models counts: by the gate, by a person, and back again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.core.errors import ModelError, StoreError
from medview.ml.packs import ModelPack
from medview.store.project import Project
from medview.workspace.model_line import ModelLines, Verdict, pack_of_version
from tests.ml.small_packs import small_pack

LINE = "segmentation"


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelPack, ...]:
    room = tmp_path_factory.mktemp("packs")
    return tuple(small_pack(room / str(n), seed=n, version=f"1.{n}.0", name="Organs") for n in range(4))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.medview", reader="Rut") as opened:
        yield opened


@pytest.fixture
def lines(project: Project, packs: tuple[ModelPack, ...]) -> ModelLines:
    """Three versions: the first, a better one, a refused one."""
    found = ModelLines(project)
    found.add(LINE, packs[0], Verdict.FIRST, reason="The first.", run="segmentation-1", learnt={"pixels": ["ab"]})
    found.add(LINE, packs[1], Verdict.PROMOTED, reason="v2 is better than v1.", compared=1, gate={"verdict": "promoted"})
    found.add(
        LINE, packs[2], Verdict.KEPT, reason="v3 is not better than v2: kept v2.", compared=2, gate={"verdict": "kept"}
    )
    return found


def counts(lines: ModelLines) -> int:
    current = lines.current(LINE)
    assert current is not None
    return current.version


def test_what_is_promoted_counts_and_what_is_refused_is_listed_with_its_reason(lines: ModelLines) -> None:
    assert lines.lines() == (LINE,)
    assert counts(lines) == 2
    first, second, third = lines.versions(LINE)
    assert [one.verdict for one in (first, second, third)] == [Verdict.FIRST, Verdict.PROMOTED, Verdict.KEPT]
    assert (first.parent, second.parent, third.parent) == (None, 1, 2)
    assert (first.run, first.learnt, first.gate) == ("segmentation-1", {"pixels": ["ab"]}, None)
    assert third.reason == "v3 is not better than v2: kept v2."
    assert third.gate == {"verdict": "kept"}
    assert third.folder is not None
    assert third.folder.is_dir()


def test_a_person_chooses_a_refused_one_and_that_is_said_of_it(lines: ModelLines) -> None:
    chosen = lines.choose(LINE, 3, "Ida", "It draws what we want.")
    assert (chosen.version, chosen.verdict, chosen.who) == (3, Verdict.CHOSEN, "Ida")
    assert chosen.reason == "v3 is not better than v2: kept v2."
    assert lines.history(LINE)[-1].reason == "It draws what we want."
    with pytest.raises(ModelError, match="counts already"):
        lines.choose(LINE, 3)


def test_going_back_leads_through_what_counted_before_and_never_forth_again(
    lines: ModelLines, packs: tuple[ModelPack, ...]
) -> None:
    lines.choose(LINE, 3)
    assert lines.roll_back(LINE).version == 2
    assert lines.history(LINE)[-1].reason == "Rut went back to v2."
    assert lines.roll_back(LINE).version == 1
    with pytest.raises(ModelError, match="nothing to go back to"):
        lines.roll_back(LINE)
    lines.add(LINE, packs[3], Verdict.PROMOTED, reason="v4 is better.", compared=1)
    before = lines.before(LINE)
    assert before is not None
    assert before.version == 1
    assert lines.roll_back(LINE, 3).version == 3, "whichever is named"


def test_a_version_whose_pack_is_gone_has_no_folder_and_is_not_gone_back_to(lines: ModelLines, project: Project) -> None:
    first = lines.versions(LINE)[0]
    assert first.folder is not None
    shutil.rmtree(first.folder)
    again = lines.versions(LINE)[0]
    assert again.folder is None
    assert pack_of_version(again) is None
    with pytest.raises(StoreError, match="cannot be used"):
        lines.roll_back(LINE)
    assert counts(lines) == 2


def test_the_packs_that_count_are_named_with_their_version(lines: ModelLines, packs: tuple[ModelPack, ...]) -> None:
    (pack,) = lines.packs()
    assert (pack.spec.name, pack.spec.key, pack.digest) == ("Organs v2", packs[1].spec.key, packs[1].digest)
    version = lines.of_pack(packs[2].digest)
    assert version is not None
    assert version.version == 3


def test_a_project_that_is_only_read_lists_them_and_takes_none(
    lines: ModelLines, project: Project, packs: tuple[ModelPack, ...]
) -> None:
    with Project.open(project.path, read_only=True) as read:
        only = ModelLines(read)
        assert counts(only) == 2
        with pytest.raises(StoreError):
            only.roll_back(LINE)
        with pytest.raises(StoreError):
            only.add(LINE, packs[3], Verdict.PROMOTED, reason="")
    assert len(lines.versions(LINE)) == 3
