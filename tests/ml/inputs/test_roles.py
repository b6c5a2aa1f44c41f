"""Which series is which channel: by words, by times, by contrast agent, and not at all where nothing tells."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.io.dicom.scan import scan
from medview.io.reader_pool import InlinePool
from medview.ml.inputs.candidate import Candidate, candidate_of
from medview.ml.inputs.roles import _assign, propose
from medview.ml.spec import ChannelSpec
from tests.ml.inputs.made import BRAIN, candidate

T1_TIMES = {"echo_ms": 9.5, "repetition_ms": 500.0, "sequence": ("SE",)}
T2_TIMES = {"echo_ms": 92.0, "repetition_ms": 4000.0, "sequence": ("SE",)}
FLAIR_TIMES = {"echo_ms": 90.0, "repetition_ms": 10000.0, "inversion_ms": 2600.0, "sequence": ("SE", "IR")}


def proposed(channels: tuple[ChannelSpec, ...], candidates: list[Candidate], looked_at: str = "") -> dict[str, str]:
    return {role.channel: role.key for role in propose(channels, candidates, looked_at)}


@pytest.fixture(scope="module")
def real_study(test_data: Path) -> list[Candidate]:
    found = scan(test_data / "mr-brain-t1-t1c-t2-flair", Inline(), InlinePool()).series
    made = [candidate_of(one.description, one, one.volumes[0]) for one in found]
    return [one for one in made if one is not None]


@pytest.mark.data
def test_the_four_series_of_a_real_study_are_found_among_five(real_study: list[Candidate]) -> None:
    roles = propose(BRAIN, real_study)
    assert {role.channel: role.key for role in roles} == {
        "T1": "T1pre_reg",
        "T1c": "T1post",
        "T2": "T2_reg",
        "FLAIR": "FLAIR_reg",
    }
    assert all(role.sure for role in roles)


@pytest.mark.data
def test_a_real_study_without_descriptions_and_protocols_is_told_by_times_and_agent(real_study: list[Candidate]) -> None:
    from dataclasses import replace

    bare = [replace(one, description="", acquisition=replace(one.acquisition, protocol="")) for one in real_study]
    roles = propose(BRAIN, bare)
    assert [role.key for role in roles] == ["T1pre_reg", "T1post", "T2_reg", "FLAIR_reg"]
    assert all(role.sure for role in roles)


@pytest.mark.data
def test_the_headers_of_a_real_study_name_the_agent_and_the_times(real_study: list[Candidate]) -> None:
    by_name = {one.key: one.acquisition for one in real_study}
    assert by_name["T1post"].agent == "10ml multihance"
    assert by_name["T1pre_reg"].agent == ""
    assert (by_name["FLAIR_reg"].echo_ms, by_name["FLAIR_reg"].inversion_ms) == (90.0, 2600.0)


@pytest.mark.parametrize(
    ("t1", "t1c", "t2", "flair"),
    [
        ("t1_mprage_sag_p2", "t1_mprage_sag_p2_KM", "t2_tse_tra", "t2_tirm_tra_dark-fluid"),
        ("AX T1 PRE", "AX T1 POST GD", "AX T2 FSE", "AX T2 FLAIR"),
        ("3D BRAVO", "3D BRAVO +C", "T2 PROPELLER", "CUBE FLAIR FS"),
        ("BraTS-GLI-00005-000-t1n.nii.gz", "BraTS-GLI-00005-000-t1c.nii.gz", "x-t2w.nii.gz", "x-t2f.nii.gz"),
        ("case_t1.nii.gz", "case_t1ce.nii.gz", "case_t2.nii.gz", "case_flair.nii.gz"),
        ("T1W_TSE without contrast", "T1W_TSE with contrast", "T2W_TSE", "FLAIR_longTR"),
        ("SAG T1 W/O", "SAG T1 +GD", "T2 AX", "Flair Ax"),
    ],
)
def test_what_scanners_and_collections_call_them_is_understood(t1: str, t1c: str, t2: str, flair: str) -> None:
    """In any order, among a diffusion series, its map and a localiser."""
    modality = "" if ".nii" in t1 else "MR"
    wanted = [candidate(name, modality) for name in (t1, t1c, t2, flair)]
    others = [candidate(name, modality) for name in ("ep2d_diff_b1000", "ep2d_diff_ADC", "T2* GRE", "perfusion rCBV")]
    for order in (wanted + others, others + wanted[::-1]):
        roles = propose(BRAIN, order)
        assert [role.key for role in roles] == [t1, t1c, t2, flair]
        assert all(role.sure for role in roles)


def test_channels_by_name_alone_are_told_apart_too() -> None:
    channels = tuple(ChannelSpec(name, ("MR",)) for name in ("T1", "T1Gd", "T2", "FLAIR"))
    found = proposed(channels, [candidate(name) for name in ("FLAIR", "T2", "T1 post", "T1")])
    assert found == {"T1": "T1", "T1Gd": "T1 post", "T2": "T2", "FLAIR": "FLAIR"}


def test_the_agent_in_the_headers_decides_where_descriptions_are_the_same() -> None:
    plain = candidate("AX T1", key="plain")
    enhanced = candidate("AX T1", key="enhanced", agent="Gadovist")
    assert proposed(BRAIN[:2], [enhanced, plain]) == {"T1": "plain", "T1c": "enhanced"}


def test_a_description_that_says_before_contrast_outweighs_an_agent_left_in_the_headers() -> None:
    before = candidate("T1 pre", agent="Gadovist")
    after = candidate("T1 post", agent="Gadovist")
    assert proposed(BRAIN[:2], [after, before]) == {"T1": "T1 pre", "T1c": "T1 post"}


def test_pet_and_ct_are_told_by_modality() -> None:
    channels = (ChannelSpec("CT", ("CT",), "HU"), ChannelSpec("PET", ("PT",)))
    assert proposed(channels, [candidate("WB AC", "PT"), candidate("CT lung", "CT"), candidate("T1")]) == {
        "CT": "CT lung",
        "PET": "WB AC",
    }


def test_a_channel_that_nothing_fits_stays_empty_and_names_no_other_series() -> None:
    roles = propose(BRAIN, [candidate("T1"), candidate("T1 Gd"), candidate("T2"), candidate("HippoCrop")])
    assert [role.key for role in roles] == ["T1", "T1 Gd", "T2", ""]
    assert not roles[3].sure


def test_two_series_that_are_as_likely_are_both_named_and_the_larger_one_proposed() -> None:
    small = candidate("FLAIR ax", geometry=Geometry.from_spacing((9, 9, 9), (5, 1, 1)))
    large = candidate("FLAIR cor")
    (role,) = propose(BRAIN[3:], [small, large])
    assert (role.key, role.sure, role.rivals) == ("FLAIR cor", False, ("FLAIR ax",))


def test_of_two_alike_the_one_a_person_looks_at_is_meant() -> None:
    (role,) = propose(BRAIN[3:], [candidate("FLAIR ax"), candidate("FLAIR cor")], "FLAIR cor")
    assert (role.key, role.sure) == ("FLAIR cor", True)


def test_a_series_in_colour_or_in_another_unit_is_nobody() -> None:
    channels = (ChannelSpec("CT", ("CT",), "HU"),)
    assert proposed(channels, [candidate("CT", "CT", colour=True), candidate("CT b", "CT", unit="")]) == {"CT": ""}


def test_no_series_plays_two_parts() -> None:
    twins = (ChannelSpec("b50", ("MR",)), ChannelSpec("b800", ("MR",)))
    roles = propose(twins, [candidate("DWI b800")])
    assert sorted(role.key for role in roles) == ["", "DWI b800"]


def test_parts_are_given_out_so_that_the_evidence_is_largest() -> None:
    """Judged by trying all ways."""
    rng = np.random.default_rng(3)
    for _ in range(300):
        channels, candidates = (int(n) for n in rng.integers(1, 6, 2))
        table = rng.integers(1, 9, (channels, candidates)).astype(float)
        scores = [[None if rng.random() < 0.3 else float(x) for x in row] for row in table]
        places = [*range(candidates), *[-1] * channels]
        best = max(
            sum(scores[c][p] or 0.0 for c, p in enumerate(way) if p >= 0)
            for way in set(permutations(places, channels))
            if all(p < 0 or scores[c][p] is not None for c, p in enumerate(way))
        )
        taken, total = _assign(scores)
        assert total == pytest.approx(best)
        assert total == pytest.approx(sum(scores[c][p] or 0.0 for c, p in taken.items()))
        assert len(set(taken.values())) == len(taken)


def turned(axis: int) -> Geometry:
    """A grid whose slices are stacked along an axis of the patient: 0 left, 1 back, 2 head."""
    affine = np.eye(4)
    affine[:3, :3] = np.roll(np.eye(3)[:, ::-1], axis + 1, axis=0) * (5.0, 1.0, 1.0)
    return Geometry((20, 30, 40), affine, "1.2")


def test_series_with_slices_like_the_one_that_is_looked_at_go_with_it() -> None:
    planes = {"ax": turned(2), "sag": turned(0), "cor": turned(1)}
    assert abs(planes["ax"].directions_kji[0] @ planes["sag"].directions_kji[0]) < 0.1
    given = [
        candidate(f"{kind} {plane}", geometry=grid) for plane, grid in planes.items() for kind in ("T1", "T2", "FLAIR")
    ]
    channels = (BRAIN[0], BRAIN[2], BRAIN[3])
    for plane in planes:
        roles = propose(channels, given, f"T2 {plane}")
        assert [role.key for role in roles] == [f"T1 {plane}", f"T2 {plane}", f"FLAIR {plane}"]
        assert all(role.sure for role in roles)
    # Where nobody looks, the first channel decides if it is clear.
    fewer = [one for one in given if one.key not in ("T1 ax", "T1 cor")]
    assert [role.key for role in propose(channels, fewer)] == ["T1 sag", "T2 sag", "FLAIR sag"]
    assert not any(role.sure for role in propose(channels, given))


def test_a_series_of_an_earlier_study_is_not_taken_for_one_of_today() -> None:
    today, before = candidate("FLAIR"), candidate("T2", study_uid="earlier")
    larger = Geometry.from_spacing((40, 60, 80), (5.0, 1.0, 1.0), frame_of_reference_uid="1.2")
    old = candidate("FLAIR", key="old", study_uid="earlier", geometry=larger)
    (t2, flair) = propose(BRAIN[2:], [old, before, candidate("T2 today"), today], "T2 today")
    assert (t2.key, flair.key, flair.sure) == ("T2 today", "FLAIR", True)
