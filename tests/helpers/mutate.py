"""Damaged files made from real ones: bytes, lengths, cuts and splices, all from one seed."""

from __future__ import annotations

import random
import struct


def mutated(whole: bytes, other: bytes, dice: random.Random) -> bytes:
    """Return ``whole`` with one to eight damages; ``other`` is a file to splice parts from."""
    raw = bytearray(whole)
    for _ in range(dice.randint(1, 8)):
        if len(raw) < 16:
            break
        dice.choice((_flip, _length, _cut, _splice, _header, _repeat))(raw, other, dice)
    return bytes(raw)


def _flip(raw: bytearray, other: bytes, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 20)):
        raw[dice.randrange(len(raw))] = dice.randrange(256)


def _length(raw: bytearray, other: bytes, dice: random.Random) -> None:
    at = dice.randrange(len(raw) - 4)
    raw[at : at + 4] = struct.pack("<I", dice.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE, 65535, 2**28)))


def _cut(raw: bytearray, other: bytes, dice: random.Random) -> None:
    del raw[dice.randrange(max(len(raw) // 8, 1), len(raw)) :]


def _splice(raw: bytearray, other: bytes, dice: random.Random) -> None:
    size = dice.randint(1, 400)
    here, there = dice.randrange(len(raw)), dice.randrange(len(other))
    raw[here : here + size] = other[there : there + size]


def _header(raw: bytearray, other: bytes, dice: random.Random) -> None:
    end = min(len(raw), 2500)
    for _ in range(dice.randint(1, 6)):
        raw[dice.randrange(min(132, end - 1), end)] = dice.randrange(256)


def _repeat(raw: bytearray, other: bytes, dice: random.Random) -> None:
    at = dice.randrange(len(raw))
    raw[at:at] = raw[at : at + dice.randint(1, 200)] * dice.randint(1, 3)
