"""What is known of a model on single cases, kept so that it need not run on them again."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medview.core.atomic import replacing
from medview.io.datasets.checksums import read_checksums
from medview.io.datasets.neutral_read import NeutralDataset
from medview.ml.examples import ExampleSet, case_key
from medview.workspace.evaluation.case_parts import CaseParts, Part

FORMAT, VERSION = "MedView judgements", 1
"""The version rises when a figure is counted in another way: what was judged before is judged again then."""

_SAID = (
    "image", "geometry", "labels", "absent", "unknown", "done_slices", "unsure", "drawn", "image_labels", "answers",
)  # fmt: skip
_OF_SEGMENT = ("name", "layer", "value", "code", "role", "absent")

_log = logging.getLogger("medview.training")


class Judgements:
    """Parts of the figures of one pack, by what a case and its labels are.

    Parameters
    ----------
    digest : str
        Identity of the pack.
    """

    def __init__(self, digest: str) -> None:
        self._digest = digest
        self._rows: dict[str, dict[str, Any]] = {}

    @classmethod
    def read(cls, path: Path, digest: str) -> Judgements:
        """Return what a file holds; nothing where it is absent, damaged or of another pack or way of counting."""
        found = cls(digest)
        try:
            said = json.loads(path.read_bytes())
            if (said["format"], said["version"], said["digest"]) == (FORMAT, VERSION, digest):
                found._rows = dict(said["cases"])
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.info("%s is judged anew: %r", path.name, error)
        return found

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all. Raises WriteError."""
        document = {"format": FORMAT, "version": VERSION, "digest": self._digest, "cases": self._rows}
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, durable=False) as file:
            file.write(json.dumps(document, allow_nan=False, separators=(",", ":")).encode())

    def get(self, print_: str, figure: str, classes: Sequence[str]) -> CaseParts | None:
        """Return the parts of a case in these classes; None where they are not known."""
        row = self._rows.get(print_)
        try:
            if row is None or row["figure"] != figure or sorted(row["classes"]) != sorted(classes):
                return None
            return {str(name): Part.of_document(said) for name, said in row["parts"].items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def put(self, print_: str, figure: str, classes: Sequence[str], parts: CaseParts, seconds: float) -> None:
        """Keep the parts of a case, and how long it took to judge it."""
        said = {name: part.document() for name, part in parts.items()}
        row = {"figure": figure, "classes": list(classes), "parts": said, "seconds": round(seconds, 3)}
        self._rows[print_] = row

    def seconds(self) -> float:
        """Return the mean time of a case; 0 where nothing is known."""
        known = [float(row.get("seconds", 0.0)) for row in self._rows.values()]
        return sum(known) / len(known) if known else 0.0

    def take(self, other: Judgements) -> None:
        """Keep what another one of the same pack knows as well."""
        assert other._digest == self._digest
        self._rows |= other._rows


def case_prints(dataset: NeutralDataset, examples: ExampleSet) -> dict[str, str]:
    """Return for each example a hash of its images and labels, whatever it is called: the same one judges the same."""
    # Part of the folder -> hash, of each case: looked through once, since there are as many files as cases.
    files: dict[str, dict[str, str]] = {}
    for name, sha256 in read_checksums(dataset.folder).items():
        files.setdefault(Path(name).stem, {})[name.partition("/")[0]] = sha256
    about = {"task": examples.task.value, "exclusive": examples.exclusive, "channels": list(examples.channels)}
    cases = {case.key: case.said for case in dataset.cases}
    found = {}
    for example in examples.examples:
        key = case_key(example.key)
        said = cases[key]
        told = {name: _without_file(said.get(name)) for name in _SAID}
        told["segments"] = [{name: one.get(name) for name in _OF_SEGMENT} for one in said["segments"]]
        text = json.dumps([about, example.key.removeprefix(key), told, files.get(key, {})], sort_keys=True)
        found[example.key] = hashlib.sha256(text.encode()).hexdigest()
    return found


def _without_file(said: Any) -> Any:
    return {name: one for name, one in said.items() if name != "file"} if isinstance(said, dict) else said
