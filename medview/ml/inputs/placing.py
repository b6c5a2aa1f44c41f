"""On what grounds one series lies where it lies beside another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from medview.core.geometry import Geometry
from medview.core.registration import Registration


class Ground(Enum):
    """Why a place in one series is known in another."""

    SAME_GRID = "same grid"
    SAME_FRAME = "same frame of reference"
    REGISTERED = "registered"
    UNSTATED = "no frame of reference stated"
    """At least one of the two states none; they are taken to lie where their files say."""
    ELSEWHERE = "another frame of reference"


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a series lies beside the reference.

    Attributes
    ----------
    geometry : Geometry or None
        Its grid in the reference's patient space; None where nobody knows.
    """

    ground: Ground
    geometry: Geometry | None


def place_beside(reference: Geometry, moving: Geometry, registration: Registration | None = None) -> Place:
    """Say where a grid lies beside another one.

    Parameters
    ----------
    registration : Registration, optional
        From the moving frame to the reference's; used only where the frames differ or are not stated.
    """
    stated = bool(reference.frame_of_reference_uid) and bool(moving.frame_of_reference_uid)
    if stated and reference.frame_of_reference_uid == moving.frame_of_reference_uid:
        return Place(Ground.SAME_GRID if reference.same_grid(moving) else Ground.SAME_FRAME, moving)
    if registration is not None:
        return Place(Ground.REGISTERED, registration.place(moving))
    if stated:
        return Place(Ground.ELSEWHERE, None)
    # Files on one grid to the hundredth of a millimetre were put there.
    return Place(Ground.SAME_GRID if reference.same_grid(moving) else Ground.UNSTATED, moving)


def remark_on(place: Place, name: str, reference: str, registration: Registration | None = None) -> str:
    """Return what a person has to know of how a channel was brought onto the reference's grid, or an empty text."""
    if place.ground is Ground.REGISTERED and registration is not None:
        return f"{name} was registered (rigid) to {reference} and resampled. {registration.note}".rstrip()
    if place.ground is Ground.SAME_FRAME:
        return f"{name} was resampled onto the grid of {reference}."
    if place.ground is Ground.UNSTATED:
        return f"{name} or {reference} states no frame of reference; they are taken to lie where their files say."
    return ""


def why_elsewhere(name: str, reference: str) -> str:
    """Return why a channel cannot be used, and the way out."""
    return (
        f"{name} lies in another frame of reference than {reference}; lay one over the other in the Fusion part, "
        "register them, and run the model then."
    )


def part_shown(covered: float, reference: str) -> str:
    """Return how much of the reference a channel shows."""
    return f"It shows {covered:.0%} of what {reference} shows; the rest is empty to the model."


def none_chosen(name: str) -> str:
    """Return that a channel has no series yet."""
    return f"No series is chosen for {name}."


def two_patients(name: str, reference: str) -> str:
    """Return that two channels do not belong together."""
    return f"{name} and {reference} are of two patients; choose series of one patient."
