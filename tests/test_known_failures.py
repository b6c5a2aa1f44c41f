"""The page of known failures lists every row once, and every test it names exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "known-failures.md"
ROWS = range(1, 92)
NOT_WRITTEN_YET = "tests/not_written_yet"
_ROW = re.compile(r"\| (\d+) \| ([^|]+) \| ([^|]+) \|")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def listed() -> list[tuple[int, str, list[tuple[str, str]]]]:
    """Row number, behaviour and the tests named, in the order of the page."""
    found = []
    for line in PAGE.read_text("utf-8").splitlines():
        row = _ROW.fullmatch(line)
        if row is not None:
            number, behaviour, tests = row.groups()
            found.append((int(number), behaviour, [(m[0], m[1]) for m in _TEST.findall(tests)]))
    return found


@cache
def names_in(path: Path) -> frozenset[str]:
    """Names of the test functions of a file, inside classes too; the file is parsed, not imported."""
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def named() -> Iterator[tuple[int, str, str]]:
    for number, _, tests in listed():
        for path, name in tests:
            yield number, path, name


def test_every_row_is_listed_once_and_in_order() -> None:
    assert [number for number, _, _ in listed()] == list(ROWS)


@pytest.mark.parametrize("number", ROWS)
def test_every_row_names_tests_that_exist(number: int) -> None:
    (row,) = [row for row in listed() if row[0] == number]
    tests = row[2]
    assert tests
    assert len(set(tests)) == len(tests)
    missing = [
        f"{path}::{name}" for path, name in tests if not (ROOT / path).is_file() or name not in names_in(ROOT / path)
    ]
    assert missing == []


def test_every_line_of_the_table_is_understood() -> None:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ") and "::" in line]
    assert len(lines) == len(ROWS)
    for line in lines:
        row = _ROW.fullmatch(line)
        assert row is not None, line
        assert _TEST.sub("", row[3]).replace("<br>", "").strip() == "", line


def test_every_test_that_waits_for_a_format_belongs_to_a_row() -> None:
    waiting = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in sorted((ROOT / NOT_WRITTEN_YET).glob("test_*.py"))
        for name in names_in(path)
    }
    assert waiting == {(path, name) for _, path, name in named() if path.startswith(NOT_WRITTEN_YET)}
