"""What a series carries while it is dragged: a key this window understands, and its files for everybody else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl

from medview.core.study import Series, Verdict, VolumeEntry
from medview.io.sources import in_archive
from medview.workspace.workspace import Workspace

SERIES_MIME = "application/x-medview-series"
"""JSON ``{"series": key, "volume": number}``. The key is a hash, so that it says nothing about the patient to whoever
looks at the drag: the UIDs of files that are no DICOM are made of their paths."""

STUDY_MIME = "application/x-medview-study"
"""JSON list of the keys of several series: those of a study, of a patient, or chosen together."""

_MOST_BYTES = 1000
_MOST_LIST_BYTES = 10_000_000


def encode(series: Series, entry: VolumeEntry | None, *, files: bool) -> QMimeData:
    """Return what is dragged.

    Parameters
    ----------
    entry : VolumeEntry or None
        Which volume of the series; None where it has none.
    files : bool
        Offer the files too, so that dropping them on a file manager copies them. They tell who the patient is.
    """
    data = QMimeData()
    number = series.volumes.index(entry) if entry is not None and entry in series.volumes else -1
    data.setData(SERIES_MIME, json.dumps({"series": _key(series), "volume": number}).encode())
    if files:
        data.setUrls([QUrl.fromLocalFile(path) for path in series_files(series, entry)])
    return data


def encode_several(chosen: Sequence[tuple[Series, VolumeEntry | None]], *, files: bool) -> QMimeData:
    """Return what is dragged of several series: a place for one takes the first that can be shown."""
    first = next((one for one in chosen if one[1] is not None), chosen[0])
    data = encode(*first, files=False)
    series = list({one.series_uid: one for one, _entry in chosen}.values())
    data.setData(STUDY_MIME, json.dumps([_key(one) for one in series]).encode())
    if files:
        paths = dict.fromkeys(path for one, entry in chosen for path in series_files(one, entry))
        data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return data


def decode_series(data: QMimeData, workspace: Workspace) -> tuple[Series, ...]:
    """Return every series that is dragged, as far as this window knows it and it has pictures."""
    if data.hasFormat(STUDY_MIME):
        try:
            said = json.loads(bytes(data.data(STUDY_MIME).data())[:_MOST_LIST_BYTES])
            wanted = {str(key) for key in said}
        except (ValueError, TypeError):
            return ()
        return tuple(one for one in workspace.series if one.volumes and _key(one) in wanted)
    one = decode(data, workspace)
    return () if one is None else (one[0],)


def decode(data: QMimeData, workspace: Workspace) -> tuple[Series, VolumeEntry] | None:
    """Return the volume that is dragged, as far as this window knows it and can show it; None for anything else."""
    if not data.hasFormat(SERIES_MIME):
        return None
    try:
        said = json.loads(bytes(data.data(SERIES_MIME).data())[:_MOST_BYTES])
        key, number = str(said["series"]), int(said["volume"])
    except (ValueError, TypeError, KeyError):
        # Any program may offer this type.
        return None
    series = next((one for one in workspace.series if _key(one) == key), None)
    if series is None or not 0 <= number < len(series.volumes):
        return None
    entry = series.volumes[number]
    return None if entry.verdict is Verdict.REFUSED else (series, entry)


def series_files(series: Series, entry: VolumeEntry | None) -> list[str]:
    """Return the files of a volume, or of a series without one, each once; members of archives are none."""
    frames = entry.frames if entry is not None else tuple(f for volume in series.volumes for f in volume.frames)
    paths = dict.fromkeys((*(frame.path for frame in frames), *(series.paths if not frames else ())))
    return [str(Path(path).absolute()) for path in paths if not in_archive(path)]


def _key(series: Series) -> str:
    return hashlib.sha256(series.series_uid.encode()).hexdigest()
