from __future__ import annotations

from pathlib import Path

from medview.io.dicom.decoders import DECODERS
from medview.io.dicom.header import NATIVE
from medview.io.dicom.reasons import Code

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_every_reason_code_is_documented() -> None:
    page = (DOCS / "verdicts.md").read_text("utf-8")
    assert [code for code in Code if f"`{code}`" not in page] == []


LOSSLESS = {"yes": True, "no": False, "either": None}


def table() -> dict[str, tuple[str, str, bool | None]]:
    """Name, decoder and losslessness by UID, as the page says."""
    rows = {}
    for line in (DOCS / "transfer-syntaxes.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[1].startswith("1.2.840."):
            assert cells[1] not in rows, f"{cells[1]} is listed twice"
            rows[cells[1]] = (cells[0], cells[2], LOSSLESS[cells[3]])
    return rows


def test_the_page_of_transfer_syntaxes_says_what_the_table_of_decoders_does() -> None:
    written = table()
    decoded = {uid: (one.name, one.library, one.lossless) for uid, one in DECODERS.items()}
    assert {uid: row for uid, row in written.items() if uid not in NATIVE} == decoded


def test_the_page_of_transfer_syntaxes_lists_what_needs_no_decoder() -> None:
    written = table()
    native = {uid for uid in NATIVE if uid}
    assert native <= set(written)
    assert all(written[uid][1].startswith("MedView") and written[uid][2] for uid in native)
