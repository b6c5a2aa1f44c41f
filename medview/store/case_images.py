"""Which images labels are drawn on: one series on one grid, and where its files were."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from medview.core.errors import StoreError
from medview.core.geometry import Geometry
from medview.store.codec import canonical
from medview.store.codec_values import decode_geometry, encode_geometry


@dataclass(frozen=True, slots=True)
class CaseKey:
    """Which images a case is about. The grid belongs to the key too and travels beside it."""

    study_uid: str
    series_uid: str
    frame_of_reference_uid: str = ""


@dataclass(frozen=True, slots=True)
class CaseSources:
    """The images labels are drawn on.

    Attributes
    ----------
    sop_instance_uids : tuple of str
        In the order of k; empty for files that are not DICOM.
    paths : tuple of str
        Where the images were when the case was last opened; used to find them again, never to build another path.
    """

    sop_instance_uids: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    modality: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class CaseImages:
    """The images of one case, whoever has labelled them.

    Attributes
    ----------
    pixels_sha256 : str
        Of the voxels, as the first reader saw them; empty until a complete series was seen.
    """

    case_id: int
    key: CaseKey
    geometry: Geometry
    sources: CaseSources
    pixels_sha256: str = ""


def identity(study_uid: str, series_uid: str, stored_geometry: str, sop_instance_uids: Sequence[str]) -> str:
    """Return the SHA-256 of what makes a case this case; every row of its journals carries it in its own hash."""
    return hashlib.sha256(canonical([study_uid, series_uid, stored_geometry, list(sop_instance_uids)]).encode()).hexdigest()


def stored_images(key: CaseKey, geometry: Geometry, sources: CaseSources) -> dict[str, str]:
    """Return the columns that say which images these are, of a reading and of a line of the worklist alike."""
    stored = canonical(encode_geometry(geometry) | {"key_frame_of_reference_uid": key.frame_of_reference_uid})
    return {
        "study_uid": key.study_uid,
        "series_uid": key.series_uid,
        "geometry": stored,
        "sources": stored_sources(sources),
        "identity_sha256": identity(key.study_uid, key.series_uid, stored, sources.sop_instance_uids),
    }


def stored_sources(sources: CaseSources) -> str:
    """Return sources as text, as ``read_images`` takes it."""
    return canonical(
        {
            "sop_instance_uids": list(sources.sop_instance_uids),
            "paths": list(sources.paths),
            "modality": sources.modality,
            "description": sources.description,
        }
    )


def read_images(study_uid: str, series_uid: str, geometry: str, sources: str) -> tuple[CaseKey, Geometry, CaseSources]:
    """Return what ``stored_images`` wrote.

    Raises
    ------
    KeyError, TypeError, ValueError
        When it is damaged.
    """
    grid, said = json.loads(geometry), json.loads(sources)
    return (
        CaseKey(study_uid, series_uid, grid["key_frame_of_reference_uid"]),
        decode_geometry(grid),
        CaseSources(tuple(said["sop_instance_uids"]), tuple(said["paths"]), said["modality"], said["description"]),
    )


def other_pixels() -> StoreError:
    """Return the error for images that are not those the labels were drawn on."""
    return StoreError(
        "The images of this series have changed since it was labelled, so its labels are not shown on them; "
        "open the original images to see the labels."
    )


def damaged_case(number: int, detail: str) -> StoreError:
    """Return the error for a case or reading whose images can no longer be told."""
    return StoreError(
        "What the project says about a case is damaged; restore the project from a copy.",
        detail=f"case {number}: {detail}",
    )
