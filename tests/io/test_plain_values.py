from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from medview.core.study import Series
from medview.io.dicom.instance import Instance
from medview.io.plain_values import PlainReader, PlainWriter, layout_of


class Colour(Enum):
    RED = 1
    GREEN = 2


@dataclass(frozen=True)
class Inner:
    numbers: tuple[float, ...]
    colour: Colour = Colour.RED


@dataclass(frozen=True)
class Outer:
    path: str
    text: str
    inner: Inner | None = None
    mixed: tuple[tuple[str, tuple[object, ...]], ...] = ()
    content: bytes = b""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Grid:
    voxels: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Unclear:
    either: tuple[int, ...] | Inner


WHOLE = Outer(
    "/a/b",
    "odd \udcff \x00 texts",
    Inner((1.5, -0.0, 3)),
    (("k", (1, 1.0, "x", (None, True))),),
    b"\x00\xff",
    ("/a/b", "/c"),
)


def through_json(value: Any, path: str, other_path: str | None = None) -> Any:
    writer = PlainWriter()
    plain = json.loads(json.dumps([writer.write(value, path), writer.parts]))
    return PlainReader(plain[1]).read(type(value), plain[0], other_path or path)


def test_values_come_back_as_they_were_with_their_types() -> None:
    back = through_json(WHOLE, "/a/b")
    assert back == WHOLE
    assert back.inner is not None
    assert [type(number) for number in back.inner.numbers] == [float, float, int]
    assert math.copysign(1, back.inner.numbers[1]) == -1
    assert [type(value) for value in back.mixed[0][1][:2]] == [int, float]


def test_the_path_of_the_file_is_not_written_and_put_in_again() -> None:
    writer = PlainWriter()
    assert "/a/b" not in json.dumps([writer.write(WHOLE, "/a/b"), writer.parts])
    assert through_json(WHOLE, "/a/b", "/x/y").paths == ("/x/y", "/c")
    assert through_json(WHOLE, "/a/b", "/x/y").path == "/x/y"


def test_parts_in_common_become_one_object() -> None:
    writer = PlainWriter()
    plain = [writer.write(Outer(path, path, Inner((1.0, 2.0))), path) for path in ("/a", "/b")]
    first, second = (PlainReader(writer.parts).read(Outer, one, "") for one in plain)
    reader = PlainReader(writer.parts)
    first, second = (reader.read(Outer, one, "") for one in plain)
    assert first.inner is second.inner
    assert len([part for part in writer.parts if part == [1.0, 2.0]]) == 1


def test_an_array_comes_back_with_shape_and_type() -> None:
    voxels = np.arange(6, dtype=np.float32).reshape(2, 3)
    back = through_json(Grid(voxels), "").voxels
    assert (back.dtype, back.shape) == (np.dtype("float32"), (2, 3))
    np.testing.assert_array_equal(back, voxels)


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        [0, 1, None, 0, "", 0],
        [0, "text", 7, 0, "", 0],
        [0, "text", -1, 0, "", 0],
        [0, "text", None, 0, "no base 64", 0],
        [1, "text", None, 0, "", 0],
        {"path": 0},
    ],
)
def test_what_was_not_written_here_is_not_read(plain: object) -> None:
    with pytest.raises((ValueError, TypeError, LookupError)):
        PlainReader([[]]).read(Outer, plain, "/a")


def test_a_part_that_holds_itself_ends() -> None:
    parts = [[[0, 0]], [["k", 0]]]
    with pytest.raises((ValueError, TypeError, LookupError, RecursionError)):
        PlainReader(parts).read(Outer, [0, "text", 0, 0, "", 0], "/a")


def test_what_does_not_fit_its_hint_is_not_written() -> None:
    with pytest.raises(TypeError):
        PlainWriter().write(Outer("/a", 5), "/a")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        PlainWriter().write(Unclear((1,)), "")
    with pytest.raises(TypeError):
        PlainWriter().write(Grid(np.array([object()])), "")  # type: ignore[arg-type]


def test_the_layout_knows_every_field_at_any_depth() -> None:
    @dataclass(frozen=True)
    class Plain:
        value: int

    @dataclass(frozen=True)
    class Renamed:
        number: int

    Renamed.__qualname__ = Plain.__qualname__
    assert layout_of(Plain) == layout_of(Plain)
    assert layout_of(Plain) != layout_of(Renamed)
    assert layout_of(Outer) != layout_of(Inner) != layout_of(Outer, Inner)


def test_everything_a_scan_finds_can_be_written() -> None:
    # A field of a kind that cannot be written would silently make every scan as slow as the first.
    for kind, value in ((Instance, Instance("/a", "", "", "", "")), (Series, Series("1", "2"))):
        assert through_json(value, "/a") == value
        assert type(value) is kind


@pytest.mark.data
def test_real_headers_come_back_as_they_were(test_data: Path) -> None:
    from medview.core.errors import MedViewError
    from medview.io.dicom.scan import look_at

    folders = ("pydicom-testfiles", "mr-enhanced", "transfer-syntaxes", "nrrd-image-label")
    files = [file for folder in folders for file in sorted((test_data / folder).rglob("*")) if file.is_file()]
    seen = 0
    for file in files[::4]:
        try:
            look = look_at(str(file))
        except MedViewError:
            continue
        if isinstance(look, (Instance, Series)):
            back = through_json(look, str(file))
            assert repr(back) == repr(look)
            seen += 1
    assert seen > 40
