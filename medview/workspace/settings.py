"""What MedView remembers between starts, apart from labels."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from medview.core.atomic import replacing
from medview.core.errors import WriteError

_LOG = logging.getLogger("medview.settings")

_RECENT = 12


@dataclass(frozen=True, slots=True)
class Settings:
    """Preferences. Never patient data: recent places are paths the person chose.

    Attributes
    ----------
    notice_seen : bool
        The research-use notice was acknowledged.
    theme : str
        ``dark`` or ``light``.
    corners : dict
        Which lines stand in which corner of a picture, as ``corners.CornerLines`` reads it; empty for those delivered.
    language : str
        As in ``de`` or ``pt_BR``; empty for the system's.
    hanging : tuple of dict
        The person's own hanging rules, see HangingRule.
    model_paces : dict of dict
        How long packs took on this computer, as ``pace.Pace`` reads it; by checksum, so that it says nothing of patients.
    run_on_open : bool
        Whether the ``run_rules`` count.
    run_rules : tuple of dict
        Which models run by themselves on what is opened, see RunRule.
    patient_order, series_order : str
        Values of ``study_order.PatientOrder`` and ``SeriesOrder``.
    """

    notice_seen: bool = False
    theme: str = "dark"
    scheme: str = "pacs"
    language: str = ""
    brush_radius_mm: float = 6.0
    recent: tuple[str, ...] = field(default_factory=tuple)
    corners: dict[str, list[str]] = field(default_factory=dict)
    hanging: tuple[dict[str, Any], ...] = field(default_factory=tuple)
    model_paces: dict[str, dict[str, float]] = field(default_factory=dict)
    run_on_open: bool = False
    run_rules: tuple[dict[str, Any], ...] = field(default_factory=tuple)
    patient_order: str = "name"
    series_order: str = "number"

    def with_recent(self, place: str) -> Settings:
        """Return the settings with ``place`` first among the recent ones."""
        others = [p for p in self.recent if p != place]
        return replace(self, recent=tuple([place, *others][:_RECENT]))


def settings_file() -> Path:
    """Where the settings are kept; ``MEDVIEW_CONFIG`` moves them."""
    chosen = os.environ.get("MEDVIEW_CONFIG")
    folder = Path(chosen) if chosen else Path(platformdirs.user_config_dir("medview", appauthor=False))
    return folder / "settings.json"


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings; a missing or damaged file means the defaults."""
    file = path or settings_file()
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        _LOG.warning("settings could not be read, defaults are used: %s", error)
        return Settings()
    kinds = {f.name: type(getattr(Settings(), f.name)) for f in fields(Settings)}
    known = {}
    for name, kind in kinds.items():
        value = found.get(name)
        value = tuple(value) if kind is tuple and isinstance(value, list) else value
        value = float(value) if kind is float and isinstance(value, int) else value
        if isinstance(value, kind):
            known[name] = value
    return Settings(**known)


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the settings whole or not at all; failing to is logged, since nothing but comfort is lost."""
    file = path or settings_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as part:
            part.write(json.dumps(asdict(settings), indent=2).encode())
    except (OSError, WriteError) as error:
        _LOG.warning("settings could not be written: %s", error)
