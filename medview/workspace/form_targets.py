"""What questions of a case are about: its study, its slices, its lesions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medview.analysis.segment_figures import Component
from medview.core.annotations import BoxAnnotation, Drawn, Trace
from medview.core.answer import SERIES, STUDY, Target
from medview.core.form import Level, Question
from medview.core.language import _
from medview.core.segmentation import Segment
from medview.workspace.drawn import all_drawn, chosen, jump_to, title, where
from medview.workspace.lesions import PieceIndex, holds
from medview.workspace.open_case import OpenCase

_NEAR_VOXELS = 1.0
"""How far from a box or a mark its middle may be looked at."""


def target_at(case: OpenCase, level: Level, pieces: PieceIndex) -> Target | None:
    """Return what a level means where one looks now; None where no lesion is in hand."""
    if level is Level.STUDY:
        return STUDY
    if level is Level.SERIES:
        return SERIES
    if level is Level.SLICE:
        return slice_target(case, case.view.crosshair_kji[0])
    one = chosen(case)
    segment = case.active_segment
    piece = None if segment is None else pieces.at(case, segment, case.view.crosshair_kji)
    # What was chosen stays so while hands go on from piece to piece.
    if one is not None and (piece is None or _at(case, one)):
        return drawn_target(one)
    return None if segment is None or piece is None else piece_target(case, segment, piece, pieces)


def slice_target(case: OpenCase, k: int) -> Target:
    """Return a slice of the grid as a target, with the image it is at the first time."""
    uid, frame = case.images.image(0, k)
    return Target(Level.SLICE, k, uid, frame)


def drawn_target(one: Drawn) -> Target:
    """Return a box or a mark as a target."""
    return Target(Level.LESION, annotation_id=one.annotation_id, name=one.label)


def piece_target(case: OpenCase, segment: Segment, piece: Component, pieces: PieceIndex) -> Target:
    """Return a piece of a segment as a target: the one that was answered for already, wherever its middle lies now."""
    return _answered_pieces(case, segment, pieces).get(piece.number) or _fresh(segment, piece)


def answered_targets(case: OpenCase, level: Level) -> list[Target]:
    """Return the targets of a level about which something was answered, those answered first in front."""
    return list({a.target.key: a.target for a in case.labels.answers.values() if a.target.level is level}.values())


def named_lesions(case: OpenCase, question: Question, pieces: PieceIndex) -> list[Target]:
    """Return every lesion that a question names: boxes and marks, and the pieces of segments as far as measured."""
    found = [drawn_target(one) for one in all_drawn(case) if question.asks_about(one.label)]
    for segment in case.labels.segmentation.segments:
        figures = case.figures.current(case.labels.segmentation, segment)
        if figures is not None and question.asks_about(segment.name):
            known = _answered_pieces(case, segment, pieces)
            found += [known.get(piece.number) or _fresh(segment, piece) for piece in figures.components]
    return found


def named_now(case: OpenCase, target: Target) -> Target:
    """Return a target under the name its lesion has now."""
    one, segment = case.labels.annotations.get(target.annotation_id), case.labels.segmentation.find(target.segment_id)
    if isinstance(one, BoxAnnotation | Trace):
        return replace(target, name=one.label)
    return target if segment is None else replace(target, name=segment.name)


def is_gone(case: OpenCase, target: Target) -> bool:
    """Whether the lesion an answer is about is no longer there."""
    if target.level is not Level.LESION:
        return False
    if target.annotation_id:
        return target.annotation_id not in case.labels.annotations
    segment = case.labels.segmentation.find(target.segment_id)
    return segment is None or not holds(case, segment, target.at_kji)


def name_of(case: OpenCase, target: Target, pieces: PieceIndex) -> str:
    """Return what a target is called: ``Slice 41``, ``Nodule, piece 2 of 5``."""
    if target.level is Level.SLICE:
        return _("Slice {n}").format(n=target.k + 1)
    if target.level is not Level.LESION:
        return _LEVELS[target.level]
    name = named_now(case, target).name or _("Lesion")
    if is_gone(case, target):
        return _("{name}, no longer there").format(name=name)
    if target.annotation_id:
        one = case.labels.annotations[target.annotation_id]
        return f"{title(one)}, {where(case, one)}" if isinstance(one, BoxAnnotation | Trace) else name
    segment = case.labels.segmentation.find(target.segment_id)
    if segment is None or (piece := pieces.at(case, segment, target.at_kji)) is None:
        return name
    figures = case.figures.current(case.labels.segmentation, segment)
    count = 0 if figures is None else figures.component_count
    return _("{name}, piece {number} of {count}").format(name=segment.name, number=piece.number, count=count)


def look_at(case: OpenCase, target: Target) -> None:
    """Show what a target is."""
    if target.level is Level.SLICE:
        case.view.set_slice(0, min(target.k, case.volume.geometry.shape_kji[0] - 1))
    elif target.annotation_id:
        one = case.labels.annotations.get(target.annotation_id)
        if isinstance(one, BoxAnnotation | Trace):
            jump_to(case, one)
    elif target.level is Level.LESION:
        case.view.active_annotation_id = ""
        case.view.active_segment_id = target.segment_id
        case.view.look_at(target.at_kji, case.volume.geometry.shape_kji)


def _fresh(segment: Segment, piece: Component) -> Target:
    return Target(Level.LESION, segment_id=segment.segment_id, at_kji=piece.centre_kji, name=segment.name)


def _answered_pieces(case: OpenCase, segment: Segment, pieces: PieceIndex) -> dict[int, Target]:
    """Return the pieces that something was answered about, by number; of several answered for one the first counts."""
    found: dict[int, Target] = {}
    for target in answered_targets(case, Level.LESION):
        mine = target.segment_id == segment.segment_id
        if mine and (piece := pieces.at(case, segment, target.at_kji)) is not None:
            found.setdefault(piece.number, replace(target, name=segment.name))
    return found


def _at(case: OpenCase, one: Drawn) -> bool:
    """Whether one looks at a box or a mark."""
    geometry, here = case.volume.geometry, np.asarray(case.view.at_kji)
    if isinstance(one, BoxAnnotation):
        low, high = one.bounds_kji(geometry)
    else:
        points = one.points_kji(geometry)
        low, high = points.min(axis=0), points.max(axis=0)
    return bool(np.all(here >= low - _NEAR_VOXELS) and np.all(here <= high + _NEAR_VOXELS))


_LEVELS = {Level.STUDY: _("This study"), Level.SERIES: _("This series"), Level.SLICE: _("Slice"), Level.LESION: _("Lesion")}
