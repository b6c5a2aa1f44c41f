"""Pictures in folders named by their class, with or without a folder for every split above."""

from __future__ import annotations

from medview.core.errors import ReadError
from medview.core.job import JobContext
from medview.io.datasets.answers import ClassAnswers
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, ImageRef
from medview.io.datasets.inside import PICTURES, VOLUMES, files_of, named, short_list
from medview.io.datasets.patients import SPLITS, split_named, with_patients
from medview.io.reader_pool import Pool

MOST_CLASSES = 10_000
_SPLIT_NAMES = frozenset({"train", "val", "test", *SPLITS})


def list_class_folders(request: DatasetRequest, context: JobContext, pool: Pool) -> ForeignDataset:
    """List the pictures of every class.

    Raises
    ------
    ReadError
        When a picture lies in no folder of a class: the sentence names it.
    """
    folder = request.images or request.source
    if folder is None:
        raise ReadError("Say where the folders of the classes are.")
    found = list(files_of(folder, (*PICTURES, *VOLUMES), context))
    if not found:
        raise ReadError(f"{named(folder.name)} holds no pictures; choose the folder with a folder for every class.")
    # A folder that holds only splits, below it the classes; a class may be called "test" where others lie beside it.
    tops = {inside.split("/")[0].casefold() for inside, _ in found if "/" in inside}
    by_split = bool(tops) and tops <= _SPLIT_NAMES
    depth = 1 if by_split else 0
    loose = [inside for inside, _ in found if inside.count("/") < depth + 1]
    if loose:
        verb = "lies" if len(loose) == 1 else "lie"
        raise ReadError(f"Nothing was imported: {short_list(loose)} {verb} in no folder of a class; move or remove it.")
    names = sorted({inside.split("/")[depth] for inside, _ in found})
    if len(names) > MOST_CLASSES:
        raise ReadError(f"{named(folder.name)} holds {len(names)} folders; those are no classes.")
    cases = []
    for inside, path in found:
        parts = inside.split("/")
        others = tuple(name for name in names if name != parts[depth])
        labels = ClassAnswers(str(path), (parts[depth],), others if len(names) <= 2 else ())
        split = split_named(parts[0]) if by_split else ""
        cases.append(ForeignCase(inside, (ImageRef(str(path)),), labels, split=split))
    dataset = ForeignDataset("class-folders", tuple(cases), tuple(names))
    return with_patients(dataset, request, {inside: inside for inside, _ in found})
