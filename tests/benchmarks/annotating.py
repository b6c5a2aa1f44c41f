"""Drawing in the whole window, with its panels and its journal, over thirty segments on 512^3 and 512 x 512 x 1000.

The thirty segments come from a proposal that is accepted, as they do in practice. What is carried out in steps is told
twice: how long it took, and the longest that the window did not answer meanwhile.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from medview.core.case_labels import CaseLabels
from medview.core.geometry import Geometry
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.source import Source, SourceKind
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.core.window import Window
from medview.edit.paint import capsule_mask
from medview.edit.rules import LabelWriter
from medview.gui.app import Program, build_program
from medview.gui.panes.slice_view import SliceView
from medview.workspace.keeping import keep, load_stored
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.view_state import CaseView, Mode, Tool
from tests.benchmarks.row import Row, percentile

SHAPES_KJI = ((512, 512, 512), (1000, 512, 512))
SEGMENTS = 30
RADIUS_VOXELS = 20
STROKES = 500
_MOVES = 60
_WARM_UP = 5


def rows() -> list[Row]:
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MEDVIEW_DATA": f"{folder}/data", "MEDVIEW_CONFIG": f"{folder}/config"}
        app, program = build_program()
        program.window.resize(1920, 1080)
        program.window.show()
        program.begin((), demo=False)
        _until(lambda: program.workspace.services.project is not None)
        for shape in SHAPES_KJI:
            found += _annotating(program, shape)
        program.window.close()
        app.processEvents()
        for name in ("MEDVIEW_DATA", "MEDVIEW_CONFIG"):
            del os.environ[name]
    return found


def _annotating(program: Program, shape_kji: tuple[int, int, int]) -> list[Row]:
    workspace = program.workspace
    case = _open(program, shape_kji)
    note = f"{' x '.join(str(n) for n in reversed(shape_kji))}, {SEGMENTS} segments"
    title = f"{shape_kji[0]} slices"
    proposal = _organs(case)
    labels.propose(case, proposal)
    _idle()
    found = _stepped(f"accept {SEGMENTS} segments, {title}", lambda: labels.accept(case, proposal.proposal_id), case, note)
    assert len(case.labels.segmentation.segments) == SEGMENTS
    found += _stepped(f"undo of accepting, {title}", case.undo, case, note)
    found += _stepped(f"redo of accepting, {title}", case.redo, case, note)
    project = workspace.services.project
    assert project is not None
    journal = project.journal
    _until(lambda: journal.state.waiting == 0)
    found += _painting(program, case, title, note)
    found.append(_switching(case, title, note))
    found.append(_undoing(case, title, note))
    found.append(_remembering(case, title, note))
    _until(lambda: journal.state.waiting == 0)
    workspace.close_case(case.key)
    _idle()
    return found


def _open(program: Program, shape_kji: tuple[int, int, int]) -> OpenCase:
    geometry = Geometry.from_spacing(shape_kji, (1.0, 0.7, 0.7), frame_of_reference_uid=f"1.2.{shape_kji[0]}")
    uid = f"1.2.3.{shape_kji[0]}"
    # One slice of noise for all: what is drawn on costs what it would cost, what lies beneath costs little memory.
    voxels = np.broadcast_to(np.random.default_rng(0).integers(-1000, 1000, shape_kji[1:], dtype=np.int16), shape_kji)
    load = LoadState(shape_kji[0])
    load.mark_all_ready()
    entry = VolumeEntry(Verdict.VOLUME, (), geometry, shape_kji, ())
    series = Series(uid, "1.2")
    volume = Volume(voxels, geometry, modality="CT", unit="HU", series_uid=uid, study_uid="1.2")
    case = OpenCase(
        series, entry, volume, load, CaseLabels.empty(geometry), CaseView((shape_kji[0] // 2, 256, 256), Window(40, 400))
    )
    project = program.workspace.services.project
    keep(case, project, load_stored(project, series, entry, volume))
    assert not case.read_only
    program.workspace.add_case(case)
    # The histogram of a series that was just opened is nobody's business here.
    _until(lambda: not program.threads.jobs)
    _idle()
    return case


def _organs(case: OpenCase) -> Proposal:
    """Thirty ellipsoids of the sizes of organs."""
    shape = case.volume.geometry.shape_kji
    rng = np.random.default_rng(0)
    mask = np.zeros(shape, dtype=np.uint8)
    segments = []
    for value in range(1, SEGMENTS + 1):
        middle = rng.uniform(np.multiply(shape, 0.2), np.multiply(shape, 0.8))
        radii = rng.uniform(20, 90, 3)
        low = np.maximum(0, middle - radii).astype(int)
        high = np.minimum(shape, middle + radii + 1).astype(int)
        place = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        grid = np.ogrid[place]
        mask[place][sum(((g - m) / r) ** 2 for g, m, r in zip(grid, middle, radii, strict=True)) < 1.0] = value
        segments.append(PredictedSegment(value, f"Organ {value}", (value * 8 % 256, 120, 200 - 5 * value)))
    source = Source(SourceKind.MODEL, "organs", "1.0")
    predicted = PredictedMask.trimmed(mask, tuple(segments))
    predicted.counts()
    prediction = Prediction("segmentation", "Organs", source, case.volume.geometry, case.volume.series_uid, predicted)
    return Proposal("p1", prediction, case.labels.revision)


def _stepped(name: str, begin: Callable[[], object], case: OpenCase, note: str) -> list[Row]:
    started = last = time.perf_counter()
    begin()
    worst = time.perf_counter() - started
    last = time.perf_counter()
    while case.pouring is not None:
        QApplication.processEvents()
        now = time.perf_counter()
        worst, last = max(worst, now - last), now
    took = time.perf_counter() - started
    _idle()
    return [
        Row(f"{name}: longest the window does not answer", worst * 1000.0, "ms", 50.0, note),
        Row(f"{name}: until all is there", took, "s", None, note),
    ]


def _painting(program: Program, case: OpenCase, title: str, note: str) -> list[Row]:
    bench = program.workspace.bench
    bench.mode, bench.tool, bench.maximised = Mode.ANNOTATE, Tool.BRUSH, "axial"
    bench.brush_radius_mm = RADIUS_VOXELS * case.volume.geometry.spacing_kji_mm[2]
    case.view.active_segment_id = case.labels.segmentation.segments[4].segment_id
    _idle()
    view = program.window.panes.panes["axial"]
    assert isinstance(view, SliceView)
    found = []
    for shape, sphere in (("disc", False), ("sphere", True)):
        bench.brush_sphere = sphere
        _mouse(view, QEvent.Type.MouseButtonPress, 300.0, 200.0)
        samples = []
        for n in range(_MOVES):
            started = time.perf_counter()
            _mouse(view, QEvent.Type.MouseMove, 300.0 + 5.0 * n, 200.0 + 300.0 * abs(np.sin(n / 15)))
            # Moves are gathered up to the next turn of the event loop; what they come to is drawn in the one after.
            QApplication.processEvents()
            QApplication.processEvents()
            samples.append(time.perf_counter() - started)
        _mouse(view, QEvent.Type.MouseButtonRelease, 600.0, 400.0)
        _idle()
        p95 = percentile(samples[_WARM_UP:], 95)
        middle = percentile(samples[_WARM_UP:], 50)
        text = f"p50 {middle:.1f} ms; the whole window, radius {RADIUS_VOXELS} voxels, {note}"
        found.append(Row(f"brush {shape} to pixels, {title}, p95", p95, "ms", 12.0, text))
    return found


def _switching(case: OpenCase, title: str, note: str) -> Row:
    samples = []
    for n in range(2 * SEGMENTS):
        started = time.perf_counter()
        case.view.active_segment_id = case.labels.segmentation.segments[n % SEGMENTS].segment_id
        QApplication.processEvents()
        samples.append(time.perf_counter() - started)
    return Row(f"another segment to pixels, {title}, p95", percentile(samples, 95), "ms", 20.0, note)


def _undoing(case: OpenCase, title: str, note: str) -> Row:
    samples = []
    _strokes(case, 40)
    for _ in range(40):
        started = time.perf_counter()
        case.undo()
        QApplication.processEvents()
        samples.append(time.perf_counter() - started)
    return Row(f"undo of a stroke to pixels, {title}, p95", percentile(samples, 95), "ms", 20.0, note)


def _remembering(case: OpenCase, title: str, note: str) -> Row:
    before = len(case.history.names)
    _strokes(case, STROKES)
    commands = case.history.next_undos(len(case.history.names) - before)
    assert len(commands) == STROKES
    kept = sum(change.size_bytes for command in commands for change in command.changes if hasattr(change, "size_bytes"))
    return Row(f"memory of {STROKES} strokes, {title}", kept / 1e6, "MB", 20.0, note)


def _strokes(case: OpenCase, count: int) -> None:
    """Draw strokes of ten stamps each, as the brush does, at places all over the volume."""
    rng = np.random.default_rng(3)
    shape = np.asarray(case.volume.geometry.shape_kji)
    radius_mm = RADIUS_VOXELS * case.volume.geometry.spacing_kji_mm[2]
    wanted = len(case.history.names) + count
    while len(case.history.names) < wanted:
        segment_id = case.labels.segmentation.segments[rng.integers(SEGMENTS)].segment_id
        gesture = case.gesture("brush")
        at, way = rng.uniform(60, shape - 60), rng.normal(0, 6, 3)
        for _ in range(10):
            swept = capsule_mask(case.volume.geometry, at, at + way, radius_mm, None)
            assert swept is not None
            writer = LabelWriter(case.labels.segmentation, swept[0])
            writer.add(case.labels.segmentation.segment(segment_id), swept[1])
            gesture.apply(*writer.changes())
            at = np.clip(at + way, 0, shape - 1)
        gesture.commit("Brush")
        QApplication.processEvents()


def _mouse(pane: SliceView, kind: QEvent.Type, x: float, y: float) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind == QEvent.Type.MouseMove else left
    held = none if kind == QEvent.Type.MouseButtonRelease else left
    at = QPointF(x, y)
    event = QMouseEvent(kind, at, QPointF(pane.mapToGlobal(at)), button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(pane, event)


def _idle() -> None:
    until = time.perf_counter() + 0.3
    while time.perf_counter() < until:
        QApplication.processEvents()


def _until(done: Callable[[], bool], seconds: float = 120.0) -> None:
    until = time.perf_counter() + seconds
    while not done():
        assert time.perf_counter() < until
        QApplication.processEvents()
        # The journal's thread needs the interpreter too.
        time.sleep(0.005)
