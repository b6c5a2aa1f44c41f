"""Where one row of one seed is played: its folder, and what is done in it, each step once whatever ends the process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medview.core.atomic import replacing
from medview.core.volume import Volume
from medview.io.datasets.dataset_case import TRAIN, VAL
from medview.ml.packs import load_pack
from medview.store.project import Project
from medview.workspace.case_filter import FINISHED
from tests.accuracy.loop.annotator import Labels, Ranges, Work, annotating
from tests.accuracy.loop.learning import Learnt, Lesson, read_learnt
from tests.accuracy.loop.patients import Patients
from tests.accuracy.loop.sizes import Sizes
from tests.accuracy.loop.volumes import SUFFIX, Volumes
from tests.accuracy.trainings.command_line import medview
from tests.accuracy.trainings.projects import project_of
from tests.accuracy.trainings.training import trained

Document = dict[str, Any]

READY = "ready"
"""A file beside a project in which every case is."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One row of one seed.

    Attributes
    ----------
    folder : Path
        Its own.
    shared : Path
        Of what rows of one seed have in common: the model they begin with, projects of few patients.
    data : Path
        What MEDVIEW_TEST_DATA names.
    recipe : mapping
        That lessons are changes of.
    """

    name: str
    seed: int
    folder: Path
    shared: Path
    data: Path
    volumes: Volumes
    sizes: Sizes
    recipe: Mapping[str, Any]
    say: Callable[[str], None]

    @property
    def patients(self) -> Patients:
        """The patients by split; of those held out as many as are looked at."""
        found = Patients.of(self.volumes.names(self.data))
        return replace(found, val=found.val[: self.sizes.held_out])

    @property
    def order(self) -> tuple[str, ...]:
        """The training patients in the order of this seed."""
        return self.patients.order(self.seed)

    def project(
        self, own: Path, labelled: Collection[str], unlabelled: Sequence[str] = (), classes: Collection[str] = ()
    ) -> Path:
        """Return a project with cases for training, labelled and not, and with the labelled held-out ones; make it first.

        Parameters
        ----------
        classes : collection of str
            That are labelled; all unless given.
        """
        held = self.patients.val
        known = frozenset(classes or self.volumes.classes)

        def cut(_source: Path, folder: Path) -> None:
            for name in (*labelled, *held):
                self.volumes.put(self.data, name, folder, known)

        own.mkdir(parents=True, exist_ok=True)
        splits = own / "splits.csv"
        rows = [f"{name}{SUFFIX},{VAL if name in held else TRAIN}" for name in (*labelled, *held)]
        splits.write_text("\n".join(["name,split", *rows]) + "\n", encoding="utf-8")
        options = ["--format", "nifti-pairs", "--label-values", self.volumes.values(known)]
        options += ["--patient-from", self.volumes.data.patient, "--split-from", str(splits)]
        found = project_of(replace(self.volumes.data, options=tuple(options), cut=cut), self.data, own, None, 0)
        if unlabelled and not (own / READY).exists():
            table = own / "unlabelled.csv"
            rows = [f"{self.volumes.image(self.data, name)},{name},train" for name in unlabelled]
            table.write_text("\n".join(["path,patient,split", *rows]) + "\n", encoding="utf-8")
            medview("project", "add", found, "--csv", table, "--quiet")
        (own / READY).touch()
        return found

    def dataset(self, project: Path, mark: str = "") -> Path:
        """Return a project's labels as a folder to train on: such trainings are no versions of the project's model.

        Parameters
        ----------
        mark : str
            Tells folders of one project at different times apart.
        """
        folder, whole = project.parent / f"dataset{mark}", project.parent / f"dataset{mark}.whole"
        if not whole.exists():
            medview("project", "export", project, "-o", folder, "--format", "dataset", "--overwrite", "--quiet")
            whole.touch()
        return folder

    def few(self, count: int) -> tuple[Path, Path]:
        """Return a project with the first patients that the model of ``parent`` has not seen, and its dataset folder."""
        names = self.order[self.sizes.parent : self.sizes.parent + count]
        project = self.project(self.shared / f"few-{count}", names)
        return project, self.dataset(project)

    def parent(self) -> Learnt:
        """Return the model that rows of a seed begin with, trained in a project where other patients wait."""
        sizes = self.sizes
        wait = self.order[sizes.parent : sizes.parent + sizes.rounds * sizes.per_round]
        project = self.project(self.shared / "parent", self.order[: sizes.parent], wait)
        return self.learn(project, Lesson("parent", sizes.parent_steps), at=self.shared / "runs")

    def copy_of_parent(self) -> Path:
        """Return a copy of the parent's project, to go on in."""
        return self.copy(self.parent().project, self.folder / "project")

    def copy(self, project: Path, own: Path) -> Path:
        """Return a copy of a project in a folder of its own, whole or not there; it is made once."""
        target = own / project.name
        if not target.exists():
            own.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(own / "copying", ignore_errors=True)
            shutil.copytree(project, own / "copying")
            (own / "copying").rename(target)
        return target

    def learn(self, project: Path, lesson: Lesson, source: Path | None = None, at: Path | None = None) -> Learnt:
        """Return what a training came to; train, or go on training, where it is not done.

        Parameters
        ----------
        project : Path
            Whose cases these are.
        source : Path, optional
            What is trained on, where that is not the project itself.
        at : Path, optional
            Folder of trainings; the row's own unless given.

        Raises
        ------
        CommandError
        """
        run = (at or self.folder / "runs") / lesson.name
        done = read_learnt(run, project)
        if done is not None:
            return done
        run.parent.mkdir(parents=True, exist_ok=True)
        recipe = run.with_suffix(".recipe.json")
        write(recipe, lesson.recipe(dict(self.recipe)))
        options: list[object] = ["--task", "segmentation", "--recipe", recipe, "--seed", self.seed, "--yes"]
        options += [] if lesson.minutes is None else ["--minutes", lesson.minutes]
        options += [] if lesson.parent is None else ["--parent", lesson.parent, "--tune", lesson.tune]
        trained(
            source or project, run, options, lambda what: self.say(f"{self.name}, seed {self.seed}, {lesson.name}: {what}")
        )
        done = read_learnt(run, project)
        assert done is not None, f"{run} is not done"
        return done

    def annotate(
        self, project: Path, cases: Mapping[int, Ranges | None], pack: Path | None, *, again: bool = False
    ) -> dict[int, Document]:
        """Let the annotator work through cases, and return what each took; those that are done are not done again.

        Parameters
        ----------
        cases : mapping
            Number of the case -> slices to look at, None for all.
        again : bool
            Cases that are done are opened again, once.
        """
        notes = project.parent / ("work-again" if again else "work")
        notes.mkdir(exist_ok=True)
        model = None if pack is None else load_pack(pack)
        with annotating(project, self.truth, self.volumes.classes) as annotator:
            for case_id, ranges in cases.items():
                note = notes / f"case-{case_id:04d}.json"

                def told(work: Work, note: Path = note) -> None:
                    write(note, work.document())

                if again and not note.exists():
                    annotator.open_again(case_id)
                annotator.correct(case_id, model, ranges, told)
        with Project.open(project, read_only=True) as opened:
            rows = {row.case_id: row for row in opened.cases()}
        assert all(rows[case_id].status in FINISHED for case_id in cases)
        return {
            case_id: {
                **json.loads((notes / f"case-{case_id:04d}.json").read_text("utf-8")),
                "minutes": round(rows[case_id].seconds / 60.0, 3),
            }
            for case_id in cases
        }

    def numbers(self, project: Path) -> dict[str, int]:
        """Return the number of each case by the name of its patient."""
        with Project.open(project, read_only=True) as opened:
            return {
                Path(row.sources.paths[0]).name.removesuffix(SUFFIX): row.case_id
                for row in opened.images()
                if row.sources.paths
            }

    def once(self, name: str, make: Callable[[], Document]) -> Document:
        """Return a document of the row's folder; it is made where it is not there yet."""
        file = self.folder / f"{name}.json"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write(file, make())
        found: Document = json.loads(file.read_text("utf-8"))
        return found

    def truth(self, file: Path, volume: Volume) -> Labels:
        """Return the true numbers of classes of the case with this file."""
        return self.volumes.truth(self.data, file.name.removesuffix(SUFFIX), volume)


def write(file: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON document whole or not at all."""
    with replacing(file) as opened:
        opened.write((json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
