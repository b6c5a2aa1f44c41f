"""VOI LUT Sequence of a data set or functional group to display tables (PS3.3 C.11.2.1.1)."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from medview.core.voi_table import VoiTable
from medview.io.dicom.attributes import items, text

MOST_ENTRIES = 65536


def voi_tables_of(dataset: Dataset, *, signed: bool = False) -> tuple[VoiTable, ...]:
    """Return the display tables a data set or functional group states; damaged ones are left out.

    Parameters
    ----------
    signed : bool
        The values the tables are looked up with can be negative; the descriptor is then too (PS3.3 C.11.2.1.1).
    """
    found = (_table(item, signed=signed) for item in items(dataset, "VOILUTSequence"))
    return tuple(table for table in found if table is not None)


def _table(item: Dataset, *, signed: bool) -> VoiTable | None:
    try:
        descriptor = [int(n) for n in item.LUTDescriptor]
        data = item.LUTData
    except (AttributeError, TypeError, ValueError, KeyError, NotImplementedError):
        return None
    if len(descriptor) != 3 or not 1 <= descriptor[2] <= 16:
        return None
    # Zero stands for 65536, which does not fit into the attribute.
    count = descriptor[0] % MOST_ENTRIES or MOST_ENTRIES
    entries = _entries(data, count, descriptor[2])
    if entries is None:
        return None
    first = descriptor[1] - 65536 if signed and descriptor[1] > 32767 else descriptor[1]
    return VoiTable(float(first), entries.astype("<u2").tobytes(), descriptor[2], text(item, "LUTExplanation"))


def _entries(data: object, count: int, bits: int) -> np.ndarray[tuple[int], np.dtype[np.uint16]] | None:
    if isinstance(data, bytes):
        # Tables of eight bits are written packed or one to a word.
        packed = bits <= 8 and len(data) in (count, count + 1)
        numbers = np.frombuffer(data, np.uint8 if packed else "<u2", len(data) // (1 if packed else 2))
    else:
        try:
            numbers = np.atleast_1d(np.asarray(data)).astype(np.int64) & 0xFFFF
        except (TypeError, ValueError, OverflowError):
            return None
    if numbers.size < count:
        return None
    return np.asarray(numbers[:count], dtype=np.uint16).reshape(-1)
