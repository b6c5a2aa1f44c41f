"""What a bundle says about itself: ``metadata.json`` and its licence, as the texts of a pack."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from medview.ml.convert.bundle_config import BundleConfig, Config
from medview.ml.convert.foreign_json import is_number
from medview.ml.texts import LONGEST_NAME, different, first_line, licence_in, plain

LONGEST_TEXT = 2000

_MODALITIES = {"mri": "MR", "mr": "MR", "ct": "CT", "pet": "PT", "pt": "PT", "us": "US", "xr": "DX", "x-ray": "DX"}

_FACTS = (("task", "Task"), ("authors", "Authors"), ("copyright", "Copyright"), ("monai_version", "MONAI"))

_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "t1c": (("t1c", "t1ce", "t1gd", "post", "gd", "contrast"), ("t2", "flair")),
    "t1": (("t1",), ("t1c", "t1ce", "t1gd", "post", "gd", "contrast", "t2", "flair")),
    "t2": (("t2",), ("t1", "flair")),
    "flair": (("flair",), ()),
    "adc": (("adc",), ()),
    "dwi": (("dwi", "diff", "trace"), ("adc",)),
}
"""Words of a series' description for and against channels that bundles name."""


@dataclass(frozen=True, slots=True)
class BundleCard:
    """Texts of a bundle, cut to what a pack may hold.

    Attributes
    ----------
    channels : list of dict
        Input channels of a pack.
    outputs : list of str
        Names of the output channels, empty where the bundle gives none.
    """

    name: str
    version: str
    summary: str
    channels: list[dict[str, object]]
    modality: list[str]
    unit: str
    outputs: list[str]
    intended_use: str
    training_data: str
    metrics: dict[str, float]
    references: list[str]
    licence: str
    licence_text: str
    facts: dict[str, str] = field(default_factory=dict)

    def document(self, remarks: list[str]) -> dict[str, object]:
        """Return the ``card`` of a pack."""
        return {
            "intended_use": self.intended_use,
            "training_data": self.training_data,
            "limitations": " ".join(remarks)[:LONGEST_TEXT],
            "metrics": self.metrics,
        }

    def text(self, remarks: list[str], notice: str) -> str:
        """Return the ``MODEL_CARD.md`` of a pack."""
        parts = [f"# {self.name}", self.summary, notice, self.intended_use, self.training_data]
        parts += [f"{key}: {said}" for key, said in self.facts.items()]
        parts.append("\n".join(f"- {remark}" for remark in remarks))
        parts.append("\n".join(f"- {name}: {number:g}" for name, number in self.metrics.items()))
        if self.references:
            parts.append("## References\n\n" + "\n".join(f"- {reference}" for reference in self.references))
        return "\n\n".join(part for part in parts if part) + "\n"


def read_card(metadata: BundleConfig, root: Path, title: str, channels: int) -> BundleCard:
    """Read what a bundle says about itself; what it leaves out stays empty."""
    content = metadata.content
    formats = _inside(content, "network_data_format")
    image, answer = _first(_inside(formats, "inputs")), _first(_inside(formats, "outputs"))
    modality = _MODALITIES.get(_text(image, "modality", 16).lower().strip(), "")
    hounsfield = modality == "CT" or _text(image, "format", 32).lower() == "hounsfield"
    licence, licence_text = _licence(content, root)
    version = re.sub(r"[^0-9A-Za-z.+-]", "", _text(content, "version", 32)).lstrip(".+-")
    used = _text(content, "intended_use", LONGEST_TEXT)
    found = content.get("references")
    references = [item for item in found[:50] if isinstance(item, str)] if isinstance(found, list) else []
    return BundleCard(
        name=(_text(content, "name", 80) or plain(title.replace("_", " "), 80)) or "MONAI bundle",
        version=version or "1.0.0",
        summary=_text(content, "description", 400),
        channels=_channels(_names(image, channels), channels, modality),
        modality=[modality] if modality else [],
        unit="HU" if hounsfield else "",
        outputs=_names(answer, 1024),
        intended_use=used,
        training_data=_text(content, "data_source", LONGEST_TEXT),
        metrics=_metrics(content.get("eval_metrics"), ""),
        references=[plain(item, 500) for item in references],
        licence=licence,
        licence_text=licence_text,
        facts={said: text for key, said in _FACTS if (text := _text(content, key, 400))},
    )


def _inside(content: Config, key: str) -> Config:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _first(content: Config) -> Config:
    found = next(iter(content.values()), None)
    return found if isinstance(found, dict) else {}


def _text(content: Config, key: str, most: int) -> str:
    found = content.get(key)
    return plain(found, most) if isinstance(found, str) else ""


def _names(content: Config, most: int) -> list[str]:
    """Return the names of ``channel_def``, by number; empty where a number is missing."""
    found = _inside(content, "channel_def")
    names = [""] * min(most, len(found))
    for key, name in found.items():
        if key.isdecimal() and len(key) < 6 and int(key) < len(names) and isinstance(name, str):
            names[int(key)] = plain(name.replace("_", " "), LONGEST_NAME)
    return names


def _channels(names: list[str], count: int, modality: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    listed: list[str] = []
    for n in range(count):
        given = names[n] if n < len(names) else ""
        if given.lower() in ("", "image", "patch", "input", "img"):
            given = (modality or "Image") if count == 1 else ""
        listed.append(given)
    for given, name in zip(listed, different(listed, "Channel"), strict=True):
        words = _WORDS.get(given.lower().replace("t1ce", "t1c"))
        more = {"words": list(words[0]), "not_words": list(words[1])} if words and count > 1 else {}
        found.append({"name": name, **more})
    return found


def _metrics(found: object, name: str) -> dict[str, float]:
    if isinstance(found, dict):
        metrics: dict[str, float] = {}
        for key, inner in list(found.items())[:100]:
            if len(name) < 80:
                metrics |= _metrics(inner, plain(f"{name} {key}", 80))
        return metrics
    if is_number(found) and abs(found) < 1e9:
        return {name or "metric": float(found)}
    return {}


def _licence(content: Config, root: Path) -> tuple[str, str]:
    """Return the first line of the licence, and all of it."""
    for path in (root / "LICENSE", root / "docs" / "license.txt", root / "LICENSE.txt", root / "docs" / "LICENSE"):
        text = licence_in(path)
        if first := first_line(text):
            return first, text
    said = _text(content, "license", 200) or "not stated by the source"
    return said, f"{said}\n{_text(content, 'copyright', 400)}\n"
