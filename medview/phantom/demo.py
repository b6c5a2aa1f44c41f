"""The demo study: three patients who do not exist, one of whom comes back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from medview.phantom.chest import ChestPhantom, chest


@dataclass(frozen=True, slots=True, eq=False)
class DemoStudy:
    """One visit of one demo patient.

    Attributes
    ----------
    patient_id, patient_name, study_description : str
        Made up, and it shows.
    study_date : str
        YYYYMMDD.
    """

    patient_id: str
    patient_name: str
    study_date: str
    study_description: str
    phantom: ChestPhantom


@dataclass(frozen=True, slots=True)
class _Visitor:
    patient_id: str
    patient_name: str
    seed: int
    nodules: int
    dates: tuple[str, ...]


_VISITORS = (
    _Visitor("PHANTOM-1", "Phantom^Ada", 52, 3, ("20260112", "20260713")),
    _Visitor("PHANTOM-2", "Phantom^Ben", 2, 2, ("20260203",)),
    _Visitor("PHANTOM-3", "Phantom^Cleo", 3, 0, ("20260319",)),
)
"""Seeds that neither training, tuning nor judging of the bundled packs uses. Ada's nodules stay under 20 mm when they have
grown, Cleo has none."""


def demo_studies() -> list[DemoStudy]:
    """Compute the visits of the demo, in the order of patients and dates. The patients are computed side by side."""
    with ThreadPoolExecutor(max_workers=len(_VISITORS)) as pool:
        return [study for visits in pool.map(_visits, _VISITORS) for study in visits]


def _visits(visitor: _Visitor) -> list[DemoStudy]:
    studies: list[DemoStudy] = []
    for date in visitor.dates:
        earlier = studies[-1].phantom if studies else None
        description = "Chest CT phantom, follow-up" if earlier else "Chest CT phantom"
        phantom = chest(visitor.seed, nodules=visitor.nodules, follow_up_of=earlier)
        studies.append(DemoStudy(visitor.patient_id, visitor.patient_name, date, description, phantom))
    return studies
