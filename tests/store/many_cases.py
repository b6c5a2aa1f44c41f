"""A project with very many cases, and rows of journals, made quickly."""

from __future__ import annotations

from medview.core.geometry import Geometry
from medview.store.case_images import CaseKey, CaseSources
from medview.store.patients import PatientIdentity
from medview.store.project import Project
from medview.store.worklist_book import NewCase


def add_many_cases(project: Project, count: int, slices: int = 40) -> None:
    """Put cases on the list as adding folders does, each of as many files as slices; four series of a patient."""
    geometry = Geometry.from_spacing((slices, 64, 64), (3.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    cases = []
    for n in range(count):
        uids = tuple(f"1.2.840.99.{n}.{k}" for k in range(slices))
        paths = tuple(f"/images/study-{n}/{k:04d}.dcm" for k in range(slices))
        sources = CaseSources(uids, paths, "CT" if n % 2 else "MR", f"Series {n}")
        key = CaseKey(f"1.2.840.99.{n}", f"1.2.840.98.{n}", "1.2.3")
        cases.append(NewCase(key, geometry, sources, PatientIdentity(f"many-{n // 4}")))
    project.worklist.add(cases)
