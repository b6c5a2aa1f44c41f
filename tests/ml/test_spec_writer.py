"""What a spec is written as is read back as the same spec."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from medview.ml.spec_reader import read_spec
from medview.ml.spec_writer import document_of

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
DOCUMENTS = sorted([*(RESOURCES / "schemas" / "examples").glob("*.json"), *(RESOURCES / "packs").glob("*/model.json")])


def _models() -> list[Path]:
    return [path for path in DOCUMENTS if "network" in json.loads(path.read_text())]


@pytest.mark.parametrize("path", _models(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_is_written_is_read_back_as_it_was_and_is_of_the_schema(path: Path) -> None:
    spec = read_spec(path.read_text())
    written = json.loads(json.dumps(document_of(spec)))
    assert read_spec(json.dumps(written)) == spec
    schema = json.loads((RESOURCES / "schemas" / "model.schema.json").read_text())
    Draft202012Validator(schema).validate(written)
