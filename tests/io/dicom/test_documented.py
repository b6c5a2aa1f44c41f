from __future__ import annotations

from pathlib import Path

from medview.io.dicom.decoders import DECODERS
from medview.io.dicom.header import NATIVE
from medview.io.dicom.reasons import Code

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_every_reason_code_is_documented() -> None:
    page = (DOCS / "verdicts.md").read_text("utf-8")
    assert [code for code in Code if f"`{code}`" not in page] == []


def test_every_transfer_syntax_is_documented_with_its_decoder() -> None:
    lines = (DOCS / "transfer-syntaxes.md").read_text("utf-8").splitlines()
    missing = [uid for uid in (*DECODERS, *NATIVE) if uid and not any(f"| {uid} |" in line for line in lines)]
    assert missing == []
