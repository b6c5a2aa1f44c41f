"""Two readers label three cases in windows of their own; a third brings them together, and programs of others read it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
import SimpleITK

from medview.core.job import Inline
from medview.core.label_set import LabelEntry, LabelSet
from medview.core.resources import resource_path
from medview.core.segmentation import Code
from medview.io.label_sets import read_label_set, text_of_label_set
from medview.io.reader_pool import InlinePool
from medview.store.project import Project, verify_folder
from medview.store.reading_state import Role
from medview.workspace.case_adding import AddCases, WantedPlace
from tests.end_to_end.conftest import Start
from tests.end_to_end.driver import REPOSITORY, Driver
from tests.end_to_end.small_cases import SECRETS, write_cases
from tests.workspace.exported import leaks

Mask = npt.NDArray[np.bool_]
Way = tuple[tuple[int, int, int], ...]

LESION = "Lesion"
RADIUS_MM = 6.0
CT, MR, RADIOGRAPH = 1, 2, 3
"""Numbers of the cases, as they were added."""


@dataclass(frozen=True)
class Reader:
    """What somebody is going to do.

    Attributes
    ----------
    ways : mapping of int to tuple
        Strokes of the brush by case: voxels (k, j, i) that the pointer passes.
    keys : tuple of str
        Typed into the form up to the confidence, which is written.
    said : dict
        The answers that come of it.
    """

    name: str
    ways: Mapping[int, tuple[Way, ...]]
    keys: tuple[str, ...]
    confidence: str
    said: dict[str, str]


ADA = Reader(
    "Ada",
    {
        CT: (((6, 30, 26), (6, 30, 34), (6, 30, 40)), ((7, 28, 30), (7, 32, 36))),
        MR: (((6, 26, 30), (6, 34, 34)),),
    },
    ("3", "Return", "1", "Return", "Return", "2", "Return", "2", "Return"),
    "80",
    {
        "study: Comparison": "Unchanged",
        "series: Quality": "Good",
        "series: Finding": "Opacity",
        "series: Side": "Right",
        "series: Confidence": "80 %",
    },
)
GRACE = Reader(
    "Grace",
    {
        CT: (((6, 34, 30), (6, 34, 38), (6, 34, 44)),),
        MR: (((6, 28, 32), (6, 36, 36)), ((5, 30, 30), (5, 30, 36))),
    },
    ("3", "Return", "2", "Return", "Return", "3", "Return", "1", "Return"),
    "60",
    {
        "study: Comparison": "Unchanged",
        "series: Quality": "Limited",
        "series: Finding": "Nodule or mass",
        "series: Side": "Left",
        "series: Confidence": "60 %",
    },
)


def cli(user: str, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command line as somebody."""
    done = subprocess.run(
        [sys.executable, "-m", "medview", *map(str, arguments)],
        cwd=REPOSITORY,
        env={**os.environ, "LOGNAME": user},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def answer(user: str, *arguments: object) -> dict[str, Any]:
    """Run a command line as somebody and return the document it prints."""
    found: dict[str, Any] = json.loads(cli(user, *arguments, "--json").stdout)
    return found


def new_project(folder: Path, images: tuple[Path, ...]) -> Path:
    """Make a project with one label and the form on chest radiographs that is shipped."""
    path = folder / "study.medview"
    shipped = read_label_set(resource_path("schemas") / "label_sets" / "chest-radiograph.json")
    label = LabelEntry(LESION, (230, 159, 0), code=Code("52988006", "SCT", "Lesion"))
    with Project.create(path, "Study", reader="Eve") as project:
        places = tuple(WantedPlace(place) for place in images)
        assert AddCases(project, places, InlinePool()).run(Inline()).added.added == len(images)
        project.label_set.keep(text_of_label_set(LabelSet("Study", (label,), forms=shipped.forms)))
    return path


def work_through(run: Driver, reader: Reader) -> dict[int, Mask]:
    """Label all cases, one key from each to the next, and return what the window held of the first two."""
    run.wait(lambda: run.state["cases"] == ["to do"] * 3, "the cases", 60)
    run.keys("F6")
    drawn = {}
    for number in (CT, MR):
        at_case(run, number)
        assert run.case["voxels"] == {LESION: 0}
        for way in reader.ways[number]:
            stroke(run, way)
        run.wait_saved()
        drawn[number] = held(run)
        for way in reader.ways[number]:
            check_stroke(drawn[number], way)
        run.keys("F7")
    at_case(run, RADIOGRAPH)
    fill_in(run, reader)
    run.keys("F7")
    run.wait(lambda: run.state["cases"] == ["done"] * 3, "that all are done")
    run.wait_saved()
    assert run.close() == 0
    return drawn


def at_case(run: Driver, number: int) -> None:
    """Wait until a case is open and can be drawn on."""
    run.wait(lambda: run.state["title"].startswith(f"P{number:04d}"), f"case {number}", 60)
    run.wait(lambda: run.state["case"] and run.case["complete"] and run.case["segments"], "its images and labels", 60)


def stroke(run: Driver, way: Way) -> None:
    """Draw with the brush through voxels of one slice."""
    k, before = way[0][0], len(run.case["history"])
    if run.state["mode"] != "annotate":
        run.keys("F3")
    run.keys("1")
    run.wait(lambda: run.state["tool"] == "brush", "the brush")
    at = run.case["crosshair_kji"][0]
    if k != at:
        run.wheel(run.ask("voxel", plane="axial", voxel_kji=list(way[0])), k - at)
        run.wait(lambda: run.case["crosshair_kji"][0] == k, f"slice {k}")
    run.drag([run.ask("voxel", plane="axial", voxel_kji=list(voxel)) for voxel in way])
    run.wait(lambda: len(run.case["history"]) == before + 1, "the stroke")


def held(run: Driver) -> Mask:
    """Return the voxels of the lesion that the window holds, shape (k, j, i)."""
    path = run.home / "held.npz"
    run.ask("labels", path=str(path))
    layer, value = next((s[1], s[2]) for s in run.case["segments"] if s[0] == LESION)
    with np.load(path) as found:
        return np.asarray(found[f"layer{layer}"] == value)


def check_stroke(mask: Mask, way: Way) -> None:
    """The brush painted the voxels that the pointer passed, and none on this slice further away than its radius."""
    k = way[0][0]
    assert all(mask[voxel] for voxel in way)
    rows, columns = np.nonzero(mask[k])
    reach = RADIUS_MM / 1.2 + 1.5
    for index, found in ((1, rows), (2, columns)):
        passed = [voxel[index] for voxel in way]
        assert min(passed) - reach <= found.min() <= min(passed)
        assert max(passed) <= found.max() <= max(passed) + reach


def fill_in(run: Driver, reader: Reader) -> None:
    """Answer the form by keys."""
    run.keys("F4")
    run.wait(lambda: run.ask("question")["at"] == "Comparison", "the form")
    run.keys(*reader.keys)
    run.wait(lambda: run.ask("question")["at"] == "Confidence", "the question how sure the reader is")
    run.write(reader.confidence)
    run.keys("Return")
    run.wait(lambda: run.ask("answers") == reader.said, f"the answers {reader.said}")
    run.wait_saved()


def readings(run: Driver) -> dict[str, str]:
    """Return whose readings the panel lists, and how far they are."""
    parted = [text.split(" · ") for text in run.ask("readings")]
    return {parts[0]: parts[1] for parts in parted}


def look_at(run: Driver, whose: str) -> None:
    """Press a reading in the panel."""

    def place() -> dict[str, Any]:
        return dict(next(found for text, found in run.ask("readings").items() if text.startswith(whose)))

    # What is still being laid out moves the rows.
    there = run.wait(lambda: (at := place())["in_sight"] and at == place() and at, f"the row of {whose}")
    run.click_at(there)
    run.wait(lambda: any(t.startswith(whose) and p["shown"] for t, p in run.ask("readings").items()), f"{whose}'s labels")


def adjudicate(run: Driver, drawn: Mapping[str, Mapping[int, Mask]]) -> Mask:
    """Bring both readings of the CT together by what most drew, approve that, and return what the window held of it."""
    run.wait(lambda: run.state["cases"] == ["to do"] * 3, "the cases, none begun by this one", 60)
    run.keys("F6")
    at_case(run, CT)
    run.wait(lambda: readings(run) == {"Ada": "Done", "Grace": "Done", "You (Carl)": "To do"}, "the readings")
    for reader in (ADA, GRACE):
        look_at(run, reader.name)
        run.wait(lambda name=reader.name: name in run.case["read_only"], "that they can only be looked at")
        assert np.array_equal(held(run), drawn[reader.name][CT])
    run.click("button review.approve")
    run.wait(lambda: readings(run)["Grace"] == "Approved", "that Grace's labels are approved")

    run.keys("ctrl+alt+c")
    run.wait(lambda: set(run.case["proposals"]) == {"Ada", "Grace"}, "the consensus with what both drew")
    assert run.case["voxels"] == {}
    run.click("button review.majority")
    run.wait(lambda: len(run.case["proposals"]) == 3, "what most of them drew")
    run.keys("a")
    run.wait(lambda: run.case["history"] and run.case["voxels"].get(LESION), "the majority among the labels", 60)
    agreed = held(run)
    run.keys("F8")
    run.wait(lambda: readings(run)["Consensus"] == "Done", "that the consensus is done")
    run.click("button review.approve")
    run.wait(lambda: readings(run)["Consensus"] == "Approved", "that it is approved")
    # Whoever adjudicates has labelled nothing themselves.
    assert readings(run)["You (Carl)"] == "To do"
    run.wait_saved()
    assert run.close() == 0
    return agreed


def check_kept(whole: Path, drawn: Mapping[str, Mapping[int, Mask]]) -> None:
    """The project is sound and holds of each reader what their window held, and nothing else of them."""
    assert verify_folder(whole).problems == ()
    with Project.open(whole, read_only=True) as project:
        rows = {row.case_id: row for row in project.cases()}
        assert [rows[number].modality for number in (CT, MR, RADIOGRAPH)] == ["CT", "MR", "DX"]
        for reader in (ADA, GRACE):
            for number, row in rows.items():
                (mine,) = [one for one in row.readings if one.reader == reader.name]
                assert mine.role is Role.READER
                loaded = project.load_reading(mine.reading_id)
                assert loaded.losses == []
                labels = loaded.labels
                (lesion,) = labels.segmentation.segments
                expected = drawn[reader.name].get(number, np.zeros(labels.segmentation.geometry.shape_kji, bool))
                assert np.array_equal(labels.segmentation.mask(lesion), expected)
                said = {f"{one.target.key}: {one.question}": one.words for one in labels.answers.values()}
                assert said == (reader.said if number == RADIOGRAPH else {})


def check_agreement(whole: Path, drawn: Mapping[str, Mapping[int, Mask]], agreed: Mask) -> None:
    """Every figure is what comes of the masks and answers by hand."""
    found = answer("Eve", "agree", whole)
    assert found["readers"] == [ADA.name, GRACE.name]
    assert (found["cases"], found["patients"]) == (3, 3)
    rows = {row["case"]: row for row in found["rows"] if row["dice"] is not None}
    assert set(rows) == {"case-0001", "case-0002"}
    for number, voxel_ml in ((CT, 4.0 * 1.5 * 1.25 / 1000), (MR, 3.5 * 1.2 * 1.4 / 1000)):
        row, ada, grace = rows[f"case-{number:04d}"], drawn[ADA.name][number], drawn[GRACE.name][number]
        assert (row["first_reader"], row["second_reader"], row["patient"]) == (ADA.name, GRACE.name, f"P{number:04d}")
        assert row["dice"] == pytest.approx(dice(ada, grace))
        assert 0.1 < row["dice"] < 0.95
        assert row["volume_difference_ml"] == pytest.approx((int(grace.sum()) - int(ada.sum())) * voxel_ml)
    asked = {(one["question"], one["option"]): one["pairs"][0] for one in found["answers"]}
    disputed = {key for key, pair in asked.items() if pair["categories"] and pair["kappa"]["value"] == 0.0}
    assert disputed == {("Quality", ""), ("Finding", "Opacity"), ("Finding", "Nodule or mass"), ("Side", "")}
    # Ada says Good and Grace Limited; first readers in rows.
    assert asked["Quality", ""]["categories"]["confusion"] == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert asked["Comparison", ""]["categories"]["confusion"][2] == [0, 0, 1, 0]
    assert asked["Confidence", ""]["numbers"]["mean_difference"] == -20.0
    against = answer("Eve", "agree", whole, "--readers", "consensus", ADA.name)
    (row,) = [row for row in against["rows"] if row["dice"] is not None]
    assert row["dice"] == pytest.approx(dice(agreed, drawn[ADA.name][CT]))


def dice(one: Mask, other: Mask) -> float:
    """Return the Dice of two masks as SimpleITK has it."""
    measures = SimpleITK.LabelOverlapMeasuresImageFilter()
    measures.Execute(*(SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in (one, other)))
    return float(measures.GetDiceCoefficient(1))


def check_nnunet(whole: Path, series: Path, agreed: Mask, output: Path) -> None:
    """The dataset holds the consensus on the images as SimpleITK reads the series itself, and names nobody."""
    undecided = cli("Eve", "project", "export", whole, "-o", output, "--format", "nnunet", code=1)
    assert "Case 2 was read by Ada, Grace and has no consensus" in undecided.stderr
    assert not output.exists()
    run = ("project", "export", whole, "-o", output, "--format", "nnunet", "--reader", "consensus", "--include", "approved")
    assert answer("Eve", *run)["written"] == 1
    files = {path.relative_to(output).as_posix() for path in output.rglob("*.nii.gz")}
    assert files == {"imagesTr/case_0001_0000.nii.gz", "labelsTr/case_0001.nii.gz"}
    dataset = json.loads((output / "dataset.json").read_text(encoding="utf-8"))
    assert (dataset["labels"], dataset["channel_names"]) == ({"background": 0, LESION: 1}, {"0": "CT"})
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(series))
    truth = SimpleITK.ReadImage(names)
    image = SimpleITK.ReadImage(str(output / "imagesTr" / "case_0001_0000.nii.gz"))
    labels = SimpleITK.ReadImage(str(output / "labelsTr" / "case_0001.nii.gz"))
    for written in (image, labels):
        assert written.GetSize() == truth.GetSize()
        for name in ("GetOrigin", "GetSpacing", "GetDirection"):
            assert getattr(written, name)() == pytest.approx(getattr(truth, name)(), abs=1e-4)
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), SimpleITK.GetArrayFromImage(truth))
    assert np.array_equal(SimpleITK.GetArrayFromImage(labels) == 1, agreed)
    assert leaks(output, SECRETS) == []


def check_seg(whole: Path, series: Path, agreed: Mask, output: Path) -> None:
    """The SEG holds the consensus on just those images as highdicom reads it, and names nobody."""
    run = ("project", "export", whole, "-o", output, "--format", "seg", "--reader", "consensus", "--include", "approved")
    assert answer("Eve", *run)["written"] == 1
    assert [path.relative_to(output).as_posix() for path in output.rglob("*.dcm")] == ["case_0001/labels.dcm"]
    seg = highdicom.seg.segread(str(output / "case_0001" / "labels.dcm"))
    assert [seg.get_segment_description(n).segment_label for n in seg.segment_numbers] == [LESION]
    assert seg.get_segment_description(1).segmented_property_type.meaning == "Lesion"
    sources = [pydicom.dcmread(path, stop_before_pixels=True) for path in series.iterdir()]
    sources.sort(key=lambda one: float(one.ImagePositionPatient[2]))
    uids = [one.SOPInstanceUID for one in sources]
    read = seg.get_pixels_by_source_instance(uids, ignore_spatial_locations=True, assert_missing_frames_are_empty=True)
    assert np.array_equal(read[..., 0] > 0, agreed)
    assert (seg.PatientID, seg.StudyInstanceUID) == ("P0001", sources[0].StudyInstanceUID)
    assert leaks(output, SECRETS) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_readers_disagree_and_what_is_agreed_on_comes_out_as_others_read_it(start: Start, tmp_path: Path) -> None:
    images = write_cases(tmp_path / "images")
    whole = new_project(tmp_path, images)
    drawn: dict[str, dict[int, Mask]] = {}
    copies = []
    for reader in (ADA, GRACE):
        copies.append(shutil.copytree(whole, tmp_path / reader.name / whole.name))
        drawn[reader.name] = work_through(start(copies[-1], user=reader.name), reader)

    merged = answer("Eve", "project", "merge", whole, *copies)["merged"]
    assert [(one["readers"], one["readings"], one["conflicts"]) for one in merged] == [(1, 3, []), (1, 3, [])]
    assert answer("Eve", "project", "verify", whole)["problems"] == []
    check_kept(whole, drawn)

    ada, grace = drawn[ADA.name][CT], drawn[GRACE.name][CT]
    agreed = adjudicate(start(whole, user="Carl"), drawn)
    assert np.array_equal(agreed, ada & grace)
    assert 0 < agreed.sum() < min(ada.sum(), grace.sum())
    check_kept(whole, drawn)

    check_agreement(whole, drawn, agreed)
    check_nnunet(whole, images[0], agreed, tmp_path / "nnunet")
    check_seg(whole, images[0], agreed, tmp_path / "seg")
