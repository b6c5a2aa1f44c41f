"""Make the packs that come with MedView of trainings that ``make accuracy`` has finished.

    python packaging/ship_packs.py                     all whose training is done, into resources/packs
    python packaging/ship_packs.py hippocampus         this one
    python packaging/ship_packs.py --into DIR          somewhere else, to look at first

A pack is written only if it has less than 10 MB, can be loaded, and comes to the figures of its training when it is judged
again by ``medview evaluate``. The pack that finds objects from prompts is shipped by the script that trains it,
``packaging/train_interactive_pack.py``.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from medview.core.errors import MedViewError  # noqa: E402
from medview.ml.packs import ModelPack, copy_pack, load_pack, write_pack  # noqa: E402
from medview.workspace.evaluation.model_card import CARD_FILE  # noqa: E402
from tests.accuracy.trainings.__main__ import WORK, bench_of_environment  # noqa: E402
from tests.accuracy.trainings.bench import Bench  # noqa: E402
from tests.accuracy.trainings.command_line import CommandError, medview  # noqa: E402
from tests.accuracy.trainings.figures import figures_of  # noqa: E402
from tests.accuracy.trainings.projects import project_of  # noqa: E402
from tests.accuracy.trainings.rows import ROWS  # noqa: E402

PACKS = ROOT / "resources" / "packs"
MOST_BYTES = 10_000_000
NEAR = 2e-3
"""Figures judged again may differ by that: another number of threads adds in another order."""
RESEARCH = "Research use. Not a medical device."


@dataclass(frozen=True, slots=True)
class Shipped:
    """A pack that comes with MedView.

    Attributes
    ----------
    row : str
        Training it is from.
    part : int or None
        Fold it is from.
    modality : tuple of str
        DICOM modalities it may run on; the public files say none.
    licence, licence_url : str
        Of the data, and so of what was made of it here.
    credit : str
        Who made the data, as the licence asks.
    limits : tuple of str
        Beside what the card says from facts.
    """

    id: str
    name: str
    row: str
    part: int | None
    summary: str
    modality: tuple[str, ...]
    licence: str
    licence_url: str
    credit: str
    use: str
    limits: tuple[str, ...]


SHIPPED = (
    Shipped(
        id="hippocampus",
        name="Hippocampus",
        row="hippocampus-shipped",
        part=None,
        summary="Anterior and posterior hippocampus in T1-weighted MR that is cropped around it.",
        modality=("MR",),
        licence="CC BY-SA 4.0",
        licence_url="https://creativecommons.org/licenses/by-sa/4.0/",
        credit=(
            "Images and labels: Medical Segmentation Decathlon, Task04 Hippocampus, Vanderbilt University Medical Center "
            "(Antonelli et al., Nature Communications 13:4128, 2022; http://medicaldecathlon.com), CC BY-SA 4.0."
        ),
        use="Outlines the anterior and the posterior hippocampus in MR volumes cropped around one hippocampus.",
        limits=(
            "It has seen crops of about 35 x 50 x 35 mm around one hippocampus only: in a whole head it errs elsewhere.",
            "All volumes are T1-weighted MR of one hospital.",
            "It was judged on other volumes, maybe of people whose other side it has seen: nobody says which are of one.",
        ),
    ),
    Shipped(
        id="sunnybrook-lv",
        name="Left ventricle (cine MR)",
        row="sunnybrook-lv",
        part=0,
        summary="Blood pool of the left ventricle in short-axis cine MR, slice by slice.",
        modality=("MR",),
        licence="Public domain (CC0 1.0)",
        licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
        credit=(
            "Images and contours: Sunnybrook Cardiac Data (Radau et al., The MIDAS Journal, 2009), public domain; pictures "
            "and masks as in SegNetCMR (https://github.com/mshunshin/SegNetCMR)."
        ),
        use="Outlines the blood pool of the left ventricle in short-axis slices of cine MR.",
        limits=(
            "It has seen slices that show the left ventricle; beyond apex and base it may find one all the same.",
            "All slices are of one hospital and of pictures with 256 levels of grey.",
            "The contours of one of its training patients (SC-N-06) lie about ten pixels beside the ventricle.",
        ),
    ),
    Shipped(
        id="pneumonia-xray",
        name="Pneumonia (tiny chest X-ray)",
        row="pneumonia",
        part=None,
        summary="Normal or pneumonia in chest X-rays of children at 28 x 28 pixels.",
        modality=("CR", "DX"),
        licence="CC BY 4.0",
        licence_url="https://creativecommons.org/licenses/by/4.0/",
        credit=(
            "Images and labels: PneumoniaMNIST of MedMNIST v2 (Yang et al., Scientific Data 10:41, 2023; "
            "https://medmnist.com), from Kermany et al., Cell 172(5), 2018, CC BY 4.0; the part used here was "
            "balanced between the classes."
        ),
        use="Tells normal chest X-rays of children from those with pneumonia; shows how a classifier works in MedView.",
        limits=(
            "It looks at 28 x 28 pixels, in which small findings are not there.",
            "All X-rays are frontal views of children of one hospital; it has not seen adults, nor other diseases.",
            "Half of the training images show pneumonia: its score is no probability where pneumonia is rarer.",
        ),
    ),
)


def ship(one: Shipped, bench: Bench, into: Path) -> ModelPack:
    """Write a pack of a finished training. Raises MedViewError, CommandError, or ValueError with a sentence."""
    row = ROWS[one.row]
    result = bench.result(row)
    if result is None:
        raise ValueError(f"{one.row} has not been run to its end; make accuracy ROWS={one.row}")
    trained = load_pack(bench.run_of(row, one.part) / "pack")
    with tempfile.TemporaryDirectory(prefix="medview-") as room:
        pack = write_pack(Path(room) / one.id, document_of(one, trained, result), files_of(one, trained, result))
        size = sum(file.stat().st_size for file in pack.folder.iterdir())
        if size >= MOST_BYTES:
            raise ValueError(f"{one.id} has {size / 1e6:.1f} MB; packs that come with MedView have less than 10.")
        again = Path(room) / "again"
        project = project_of(row.data, bench.data, bench.work / "projects", one.part, row.folds)
        medview("evaluate", pack.folder, project, "--split", "val", "-o", again, "--no-pictures", "--quiet")
        before = result["parts"][one.part or 0]["figures"]
        if far := changed(before, figures_of(json.loads((again / "report.json").read_text("utf-8")))):
            raise ValueError(f"{one.id} does not come to the figures of its training: {far}")
        # The one that shipped before goes only now that this one was judged.
        shutil.rmtree(into / one.id, ignore_errors=True)
        copy_pack(pack, into / one.id)
    return load_pack(into / one.id)


def document_of(one: Shipped, trained: ModelPack, result: dict[str, Any]) -> dict[str, Any]:
    """Return the ``model.json`` of a pack that ships, without its files."""
    content = {name: value for name, value in trained.spec.document.items() if name != "files"}
    content |= {"id": one.id, "name": one.name, "version": "1.0.0", "summary": one.summary}
    content |= {"licence": one.licence, "notice": "Trained on few public images. Research use only."}
    channels = [{**channel, "modality": list(one.modality)} for channel in content["input"]["channels"]]
    content["input"] = {**content["input"], "channels": channels}
    card = dict(content["card"])
    card["intended_use"] = f"{one.use} {RESEARCH}"
    card["limitations"] = " ".join([*one.limits, *_folds(one, result), card["limitations"]])[:2000]
    card["training_data"] = f"{one.credit} {_licensed(one, card['training_data'])}"[:2000]
    content["card"] = card
    return content


def files_of(one: Shipped, trained: ModelPack, result: dict[str, Any]) -> dict[str, bytes | Path]:
    """Return the files of a pack that ships: weights, card and licence."""
    files: dict[str, bytes | Path] = {name: trained.folder / name for name in trained.spec.files}
    files[CARD_FILE] = page_of(one, (trained.folder / CARD_FILE).read_text("utf-8"), result).encode()
    files["LICENSE"] = licence_of(one).encode()
    return files


def page_of(one: Shipped, page: str, result: dict[str, Any]) -> str:
    """Return the model card with the name, the use and the limits of the pack that ships."""
    _heading, _, rest = page.partition("\n")
    use, limits = f"{one.summary} {one.use} {RESEARCH}", [*one.limits, *_folds(one, result)]
    rest = re.sub(r"(## Use\n\n).*?(\n\n## )", lambda m: f"{m[1]}{use}{m[2]}", rest, count=1, flags=re.S)
    rest = re.sub(r"(## Data\n\n)", lambda m: f"{m[1]}{one.credit}\n\n", rest, count=1)
    rest = re.sub(r"(## Limits\n\n)", lambda m: m[1] + "".join(f"- {text}\n" for text in limits), rest, count=1)
    rest = re.sub(r"^Licence: .*?(?=\. Weights)", lambda _: f"Licence: {one.licence}", rest, count=1, flags=re.M)
    return f"# {one.name} 1.0.0\n{_licensed(one, rest)}"


def _licensed(one: Shipped, text: str) -> str:
    """Say in a card how the data are licensed: the files the training was made from do not."""
    return text.replace("Licence of the data: not stated.", f"Licence of the data: {one.licence}.")


def licence_of(one: Shipped) -> str:
    """Return the licence file: what is licensed how, after whom, and what was changed."""
    return f"""{one.name}: a model pack of MedView
Licence: {one.licence}
{one.licence_url}

The weights in this folder were trained on the data below and are published under the licence of that data. The rest of
MedView is under a licence of its own.

{one.credit}

Changes: the images and labels themselves are not part of this pack. A network was trained on a part of them; how, and how
good it is, stands in {CARD_FILE}. Those who made the data do not endorse this model.

{RESEARCH} No warranty of any kind.
"""


def _folds(one: Shipped, result: dict[str, Any]) -> list[str]:
    if one.part is None:
        return []
    told = ", ".join(f"{figure['title']} {figure['value']:.3f}" for figure in result["figures"].values())
    return [f"Of {len(result['parts'])} models that validate on other patients each, the first; together: {told}."]


def changed(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Say which figures are no longer near to what they were; empty where all are."""
    far = []
    for name, figure in before.items():
        old, new = figure["value"], now.get(name, {}).get("value")
        if old is not None and (new is None or abs(old - new) > NEAR):
            far.append(f"{name} {old} and {new}")
    return "; ".join(far)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packs", nargs="*", metavar="PACK")
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--into", type=Path, default=PACKS)
    options = parser.parse_args()
    bench, failed = bench_of_environment(options.work), False
    if bench.share != 1.0 and options.into.resolve() == PACKS:
        parser.error("trainings of a part of their time do not ship; unset MEDVIEW_ACCURACY_SHARE, or give --into")
    for one in SHIPPED:
        if options.packs and one.id not in options.packs:
            continue
        try:
            pack = ship(one, bench, options.into)
        except (ValueError, CommandError, MedViewError) as error:
            print(f"{one.id}: {error}", file=sys.stderr)
            failed = True
            continue
        print(f"{pack.folder}: {json.dumps(pack.spec.card.metrics)}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
