"""Words about what lies over a picture, and on what grounds."""

from __future__ import annotations

from collections.abc import Iterable

from medview.core.language import _
from medview.gui.drawing.picture_text import TextLine
from medview.gui.parts.identity import series_description
from medview.gui.parts.theme_tokens import PICTURE_QUIET, PICTURE_WARNING
from medview.workspace.fusion import Footing, Fusion
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Bench

_MODALITIES = {"PT": "PET", "NM": "NM", "CT": "CT", "MR": "MR"}


def short_name(case: OpenCase, other: OpenCase | None, bench: Bench) -> str:
    """Return what a series is called beside another: by its modality where that tells them apart, else as described."""
    modality = _MODALITIES.get(case.series.modality, case.series.modality)
    if other is not None and modality and case.series.modality != other.series.modality:
        return modality
    return series_description(bench.as_read(case.series), hidden=bench.identity_hidden) or modality or _("Series")


def fusion_notes(fusion: Fusion, base: OpenCase, overlay: OpenCase, bench: Bench) -> tuple[TextLine, ...]:
    """Return what the picture says about what lies over it; nothing while that is hidden."""
    if not fusion.visible:
        return ()
    over = _("{above} over {below}").format(above=short_name(overlay, base, bench), below=short_name(base, overlay, bench))
    footing = fusion.footing(base.volume.geometry, overlay.volume.geometry)
    if footing is Footing.NONE:
        doing = _("being registered") if fusion.registering else _("not shown until registered")
        return (TextLine(f"{over}: {doing}", PICTURE_WARNING),)
    colour = PICTURE_QUIET if footing is Footing.SAME_FRAME else PICTURE_WARNING
    said = [TextLine(f"{over}, {footing.value}", colour)]
    if not overlay.load.complete or overlay.load.damaged:
        said.append(
            TextLine(
                _("{short_name}: not all slices are there").format(short_name=short_name(overlay, base, bench)),
                PICTURE_WARNING,
            )
        )
    return tuple(said)


def foreign_note(cases: Iterable[OpenCase], shown: OpenCase, bench: Bench) -> tuple[TextLine, ...]:
    """Return whose labels are drawn as outlines."""
    names = ", ".join(short_name(case, shown, bench) for case in cases)
    return (TextLine(_("Outlines: labels of {names}").format(names=names), PICTURE_QUIET),) if names else ()
