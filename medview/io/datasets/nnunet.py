"""Raw datasets of nnU-Net: ``imagesTr``, ``labelsTr`` and a ``dataset.json``, a file for every channel of a case.

The format is described in documentation/dataset_format.md of https://github.com/MIC-DKFZ/nnUNet; version 1 and the
Decathlon say the same in other words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medview.core.errors import ReadError
from medview.core.job import JobContext
from medview.core.segmentation import COLOUR_CYCLE, Segment, SegmentRole
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, FoundLabels, ImageRef
from medview.io.datasets.inside import files_of, inside, named, short_list
from medview.io.datasets.masks import IMPORTED, MaskFile
from medview.io.datasets.nnunet_json import IGNORE, NnunetJson, read_nnunet_json
from medview.io.datasets.patients import read_splits, with_patients
from medview.io.dicom.seg_layers import LayerStack
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.plain_files import describe
from medview.io.reader_pool import Pool
from medview.io.sniff import Kind, sniff

DEPTH = 2


@dataclass(frozen=True, slots=True)
class RegionMap:
    """A label map of nnU-Net: a label may be made of several values, and then overlaps others.

    Attributes
    ----------
    labels : tuple of (str, tuple of int)
        Name -> values.
    """

    path: str
    labels: tuple[tuple[str, tuple[int, ...]], ...]

    def read(self, target: Target) -> FoundLabels:
        """Return a segment for each label. Raises GeometryError, ReadError."""
        values = sorted({value for _, of in self.labels for value in of} - {0})
        plain = all(len(of) == 1 for _, of in self.labels)
        names = {of[0]: name for name, of in self.labels} if plain else {value: str(value) for value in values}
        found = MaskFile(self.path, tuple(sorted(names.items()))).read(target)
        assert found.masks is not None
        if plain:
            return replace(found, masks=replace(found.masks, segments=tuple(_ignored(s) for s in found.masks.segments)))
        return replace(found, masks=self._regions(found.masks))

    def _regions(self, masks: ImportedLabels) -> ImportedLabels:
        by_value = {int(segment.name): segment for segment in masks.segments}
        stack = LayerStack(masks.geometry.shape_kji)
        segments: list[Segment] = []
        for position, (name, of) in enumerate(self.labels):
            mask = np.zeros(masks.geometry.shape_kji, dtype=np.bool_)
            for segment in (by_value[value] for value in of if value in by_value):
                mask |= masks.layers[segment.layer_id] == segment.value
            layer_id, value = stack.add((k, mask[k]) for k in range(len(mask)))
            colour = COLOUR_CYCLE[position % len(COLOUR_CYCLE)]
            made = Segment(f"region-{position + 1}", name, colour, layer_id, value, source=IMPORTED, absent=not mask.any())
            segments.append(_ignored(made))
        return ImportedLabels(masks.geometry, tuple(segments), stack.layers, masks.notes)


def _ignored(segment: Segment) -> Segment:
    return replace(segment, role=SegmentRole.IGNORE, absent=False) if segment.name == IGNORE else segment


def list_nnunet(request: DatasetRequest, context: JobContext, pool: Pool) -> ForeignDataset:
    """List the cases of a raw dataset; those of ``imagesTs`` are its split ``test``.

    Raises
    ------
    ReadError
        When a case lacks a channel or its label, or a label its images: the sentence names it.
    RefusedError
        When the list of cases leads out of the dataset.
    """
    root = _root(request)
    said: NnunetJson = pool.call(read_nnunet_json, str(root / "dataset.json"))
    labels = _renamed(said.labels, request)
    if said.cases is not None:
        training = list(_of_dataset(root, said, labels))
    elif said.files and not _has_channel_numbers(root, said):
        training = list(_of_files(root, said, labels, pool))
    else:
        training = list(_of_folders(root, "imagesTr", "labelsTr", said, labels, context))
    notes: list[str] = []
    if said.count is not None and said.count != len(training):
        notes.append(f"dataset.json says {said.count} cases and there are {len(training)}.")
    splits = _final_splits(root)
    cases = [replace(case, split=splits.get(case.key, "")) for case in training]
    if said.cases is None and (root / "imagesTs").is_dir():
        known = {case.key for case in cases}
        tests = _of_folders(root, "imagesTs", "labelsTs", said, labels, context)
        cases += [
            replace(case, key=case.key if case.key not in known else f"test/{case.key}", split="test") for case in tests
        ]
    names = tuple(name for name, _ in labels if name and name != IGNORE)
    dataset = ForeignDataset("nnunet", tuple(cases), names, tuple(notes))
    return with_patients(dataset, request, {case.key: Path(case.images[0].path).name for case in cases})


def _root(request: DatasetRequest) -> Path:
    given = request.source
    if given is None:
        raise ReadError("Name the folder with dataset.json.")
    if given.is_file():
        return given.parent
    found = [path for depth in range(DEPTH + 1) for path in sorted(given.glob("/".join(["*"] * depth + ["dataset.json"])))]
    if len(found) != 1:
        what = "several datasets" if found else "no dataset.json"
        raise ReadError(f"{named(given.name)} holds {what}; name the folder of one dataset.")
    return found[0].parent


def _renamed(
    labels: Sequence[tuple[str, tuple[int, ...]]], request: DatasetRequest
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    wanted = request.label_values
    return tuple((wanted.get(of[0], name) if len(of) == 1 else name, of) for name, of in labels)


def _of_folders(
    root: Path,
    images: str,
    label_folder: str,
    said: NnunetJson,
    labels: tuple[tuple[str, tuple[int, ...]], ...],
    context: JobContext,
) -> Iterator[ForeignCase]:
    ending = said.ending
    found = {name: path for name, path in files_of(root / images, (ending.lower(),), context) if "/" not in name}
    by_case: dict[str, dict[int, Path]] = {}
    for name, path in found.items():
        case, mark, number = name[: -len(ending)].rpartition("_")
        if not mark or not number.isdecimal() or len(number) != 4:
            raise ReadError(f"{named(name)} in {images} does not end in the four digits of a channel; rename or remove it.")
        by_case.setdefault(case, {})[int(number)] = path
    folder = root / label_folder
    maps = (
        {name[: -len(ending)]: path for name, path in files_of(folder, (ending.lower(),), context)}
        if folder.is_dir()
        else {}
    )
    alone = [f"the label {named(key)}" for key in maps if key not in by_case]
    if images == "imagesTr":
        alone += [f"the case {named(key)}" for key in by_case if key not in maps]
    if alone:
        verb = "has" if len(alone) == 1 else "have"
        raise ReadError(f"Nothing was imported: {short_list(alone)} {verb} no counterpart in {images} or {label_folder}.")
    for case, files in by_case.items():
        missing = set(range(len(said.channels))) ^ set(files)
        if missing:
            raise ReadError(
                f"{named(case)} in {images} has {len(files)} channels and dataset.json names {len(said.channels)}: "
                f"channel {min(missing)} does not fit."
            )
        refs = tuple(ImageRef(str(files[n]), channel) for n, channel in enumerate(said.channels))
        yield ForeignCase(case, refs, RegionMap(str(maps[case]), labels) if case in maps else None)


def _has_channel_numbers(root: Path, said: NnunetJson) -> bool:
    """Whether images carry the number of their channel, which the list of version 1 leaves out and the Decathlon lacks."""
    parts = said.files[0][0]
    stem = parts[: -len(said.ending)] if parts.endswith(said.ending) else parts
    return inside(root, f"{stem}_0000{said.ending}", "dataset.json").is_file()


def _of_files(
    root: Path, said: NnunetJson, labels: tuple[tuple[str, tuple[int, ...]], ...], pool: Pool
) -> Iterator[ForeignCase]:
    """Yield the cases of the Decathlon: channels are volumes of one file of four axes."""
    for image_name, label_name in said.files:
        image, label = (inside(root, name, "dataset.json") for name in (image_name, label_name))
        for path in (image, label):
            if not path.is_file():
                raise ReadError(f"Nothing was imported: dataset.json lists {named(path.name)}, which is not there.")
        count = len(said.channels)
        if count > 1 and pool.call(_volumes_in, str(image)) != count:
            raise ReadError(f"{named(image.name)} does not hold the {count} channels that dataset.json names.")
        key = image.name[: -len(said.ending)] if image.name.endswith(said.ending) else image.stem
        refs = tuple(ImageRef(str(image), channel, n) for n, channel in enumerate(said.channels))
        yield ForeignCase(key, refs, RegionMap(str(label), labels))


def _volumes_in(path: str) -> int:
    kind = sniff(path)
    return describe(path, kind).volumes[0].time_points if kind is not Kind.OTHER else 0


def _of_dataset(root: Path, said: NnunetJson, labels: tuple[tuple[str, tuple[int, ...]], ...]) -> Iterator[ForeignCase]:
    for key, (images, label) in (said.cases or {}).items():
        paths = [inside(root, name, "dataset.json") for name in (*images, label)]
        gone = [path.name for path in paths if not path.is_file()]
        if gone or len(images) != len(said.channels):
            what = f"lists {short_list(gone)}, which is not there" if gone else f"lists {len(images)} channels"
            raise ReadError(f"Nothing was imported: dataset.json {what}, for the case {named(key)}.")
        refs = tuple(ImageRef(str(path), channel) for path, channel in zip(paths, said.channels, strict=False))
        yield ForeignCase(key, refs, RegionMap(str(paths[-1]), labels))


def _final_splits(root: Path) -> dict[str, str]:
    file = root / "splits_final.json"
    return read_splits(file) if file.is_file() else {}
