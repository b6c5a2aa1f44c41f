"""What models made of cases, kept in the project's folder so that nothing is worked out twice; it may be deleted."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from pathlib import Path

from medview.core.atomic import replacing
from medview.core.errors import MedViewError
from medview.ml.next_cases.case_scores import CaseScores, read_scores
from medview.store.case_images import CaseImages, stored_images

FOLDER = "next"
"""In the project's folder."""

_DIGITS = 12
_LARGEST_BYTES = 16 << 20

_log = logging.getLogger("medview.workspace")


@dataclass(frozen=True, slots=True)
class ScoreShelf:
    """Scores of one model on the cases of a project: ``next/<pack>/case-0001-<images>.npz``.

    Another pack is another folder, other images are another file: what lies there is true of both.

    Parameters
    ----------
    project : Path
        Its folder.
    digest : str
        Of the pack.
    """

    project: Path
    digest: str
    _held: dict[int, tuple[str, CaseScores]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.project / FOLDER / self.digest[:_DIGITS]

    def get(self, row: CaseImages) -> CaseScores | None:
        """Return the scores of a case, or None where they have still to be worked out."""
        content = _content(row)
        held = self._held.get(row.case_id)
        if held is not None and held[0] == content:
            return held[1]
        try:
            path = self._path(row, content)
            if path.stat().st_size > _LARGEST_BYTES:
                return None
            found = read_scores(path.read_bytes())
        except OSError:
            return None
        except MedViewError as error:
            _log.warning("%s", error.detail or error.sentence)
            return None
        self._held[row.case_id] = content, found
        return found

    def put(self, row: CaseImages, scores: CaseScores) -> None:
        """Keep the scores of a case; where the folder cannot be written, only until the program ends."""
        content = _content(row)
        self._held[row.case_id] = content, scores
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(self._path(row, content), durable=False) as file:
                file.write(scores.stored())
        except (OSError, MedViewError) as error:
            _log.warning("what a model made of a case is not kept: %r", error)

    def _path(self, row: CaseImages, content: str) -> Path:
        return self.folder / f"case-{row.case_id:04d}-{content[:_DIGITS]}.npz"


def _content(row: CaseImages) -> str:
    """Return a hash of which images a case is of. What their voxels hash to is known only once somebody opened it."""
    return hashlib.sha256(stored_images(row.key, row.geometry, row.sources)["identity_sha256"].encode()).hexdigest()
