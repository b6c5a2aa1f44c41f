"""Hands for store tests: live labels beside a project, every gesture journalled as the workspace does it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from medview.core.annotations import BoxAnnotation
from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, Change, Command, ProposalChange, SegmentChange
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.segmentation import Code, Segment
from medview.core.source import Source, SourceKind
from medview.store.case_images import CaseKey, CaseSources
from medview.store.entry import Entry, EntryKind
from medview.store.journal import Ticket
from medview.store.project import Project

SHAPE_KJI = (21, 70, 90)
MODEL = Source(SourceKind.MODEL, "phantom-organs", "1.0", "ab" * 32, "job-1", "2026-11-20T10:00:00Z")


def oblique_geometry(shape_kji: tuple[int, int, int] = SHAPE_KJI) -> Geometry:
    """Return a right-angled grid, 5.0 x 0.9 x 0.6 mm, turned about two axes."""
    a, b = np.deg2rad(12.0), np.deg2rad(-7.0)
    turn_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn_z @ turn_x @ np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=float) * np.array([5.0, 0.9, 0.6])
    affine[:3, 3] = (-31.0, 17.0, -203.0)
    return Geometry(shape_kji, affine, "1.2.3")


KEY = CaseKey("1.2.3.3", "1.2.3.4", "1.2.3")
SOURCES = CaseSources(tuple(f"1.2.3.4.{n}" for n in range(SHAPE_KJI[0])), ("series/0001.dcm",), "CT", "Chest 5 mm")


class Painter:
    """Labels of one case and the gestures made on them."""

    def __init__(
        self,
        project: Project,
        geometry: Geometry | None = None,
        *,
        key: CaseKey = KEY,
        sources: CaseSources | None = None,
    ) -> None:
        self.project = project
        geometry = geometry or oblique_geometry()
        sources = sources or (SOURCES if geometry.shape_kji == SHAPE_KJI else CaseSources())
        self.reading_id = project.reading(key, geometry, sources).reading_id
        loaded = project.load_reading(self.reading_id)
        self.losses = loaded.losses
        self.labels: CaseLabels = loaded.labels
        self.undone = loaded.redo
        self.done = loaded.undo
        self.seq = loaded.seq

    def do(self, name: str, *changes: Change, tool: str = "brush") -> Ticket:
        command = Command(name, changes, tool)
        self.labels.apply(changes)
        self.done.append(command)
        self.undone.clear()
        return self._append(EntryKind.DO, command)

    def undo(self) -> Ticket:
        command = self.done.pop()
        self.labels.apply(command.inverse().changes)
        self.undone.append(command)
        return self._append(EntryKind.UNDO, command)

    def redo(self) -> Ticket:
        command = self.undone.pop()
        self.labels.apply(command.changes)
        self.done.append(command)
        return self._append(EntryKind.REDO, command)

    def add_segment(self, name: str = "Liver", value: int = 0, layer: int = 0) -> Ticket:
        position = len(self.labels.segmentation.segments)
        number = value or position + 1
        segment = Segment(f"s{position}", name, (10, 200, number), layer, number, Code("10200004", "SCT", "Liver"))
        return self.do(f"Add {name}", SegmentChange(None, segment, position), tool="segments")

    def rename(self, position: int, name: str) -> Ticket:
        segment = self.labels.segmentation.segments[position]
        return self.do("Rename", SegmentChange(segment, replace(segment, name=name, locked=True), position))

    def paint(self, low: tuple[int, int, int], high: tuple[int, int, int], value: int = 1, name: str = "Brush") -> Ticket:
        box = Box(low, high).clipped(self.labels.segmentation.geometry.shape_kji)
        patch = LabelPatch.between(self.labels.segmentation.layer(0), box, np.full(box.shape_kji, value, dtype=np.uint8))
        return self.do(name, *([patch] if patch else []))

    def scribble(self, rng: np.random.Generator, size: tuple[int, int, int] = (2, 16, 16)) -> Ticket:
        """Paint noise, which does not compress, somewhere."""
        shape = self.labels.segmentation.geometry.shape_kji
        low = tuple(int(n) for n in rng.integers(0, np.subtract(shape, size) + 1))
        box = Box((low[0], low[1], low[2]), (low[0] + size[0], low[1] + size[1], low[2] + size[2]))
        noise = rng.integers(0, 255, size, dtype=np.uint8)
        patch = LabelPatch.between(self.labels.segmentation.layer(0), box, noise)
        return self.do("Scribble", *([patch] if patch else []))

    def propose(self, voxels: np.ndarray) -> Proposal:
        segments = (PredictedSegment(1, "Lung", (9, 9, 200)), PredictedSegment(2, "Nodule", (200, 9, 9)))
        geometry = self.labels.segmentation.geometry
        box = BoxAnnotation.on_grid("b1", "nodule", geometry, (1, 2, 3), (4, 9, 11), 0.75, MODEL)
        prediction = Prediction(
            "segmentation",
            "Organs",
            MODEL,
            geometry,
            "1.2.3.4",
            PredictedMask.trimmed(voxels, segments),
            (box,),
            {"nodule": 0.9},
        )
        proposal = Proposal(f"p{self.seq}", prediction, self.labels.revision)
        earlier = [ProposalChange(live, None) for live in self.labels.proposals.values()]
        command = Command("Run Organs", (*earlier, ProposalChange(None, proposal)), "predict")
        self.labels.apply(command.changes)
        self._append(EntryKind.NOTE, command)
        return proposal

    def accept(self, proposal: Proposal) -> Ticket:
        """Take the whole mask into layer 1 with new values, as the workspace does."""
        mask = proposal.prediction.mask
        assert mask is not None
        table = np.zeros(256, dtype=np.uint8)
        changes: list[Change] = []
        position = len(self.labels.segmentation.segments)
        for n, predicted in enumerate(mask.segments):
            segment = Segment(f"m{position + n}", predicted.name, predicted.colour, 1, 7 + n, source=MODEL)
            changes.append(SegmentChange(None, segment, position + n))
            table[predicted.value] = segment.value
        written = table[mask.voxels]
        layer = self.labels.segmentation.layer(1)
        patch = LabelPatch.between(layer, mask.box, np.where(written != 0, written, layer.voxels[mask.box.slices]))
        assert patch is not None
        changes += [
            patch,
            *(AnnotationChange(None, box) for box in proposal.prediction.boxes),
            ProposalChange(proposal, None),
        ]
        return self.do("Accept", *changes, tool="accept")

    def _append(self, kind: EntryKind, command: Command) -> Ticket:
        ticket = self.project.journal.append(self.reading_id, Entry(kind, command, self.labels.revision))
        self.seq = ticket.seq
        return ticket


def fingerprint(labels: CaseLabels, undo: int, redo: int) -> str:
    """Return a hash of everything that has to survive: voxels, segments, annotations, proposals, undo depths, revision."""
    digest = hashlib.sha256()
    for layer_id, layer in sorted(labels.segmentation.layers.items()):
        if layer.voxels.any():
            digest.update(str(layer_id).encode())
            digest.update(np.ascontiguousarray(layer.voxels).data)
    proposals = [
        (p.proposal_id, p.prediction.mask.voxels.tobytes() if p.prediction.mask else b"") for p in labels.proposals.values()
    ]
    efforts = sorted(labels.efforts.items())
    said = (efforts, sorted(labels.answers.items()))
    state = (labels.segmentation.segments, labels.annotations, proposals, undo, redo, said, labels.revision)
    digest.update(repr(state).encode())
    return digest.hexdigest()


def live_fingerprint(painter: Painter) -> str:
    """Return the fingerprint of what a painter sees."""
    return fingerprint(painter.labels, len(painter.done), len(painter.undone))


def stored_fingerprint(project: Project, reading_id: int) -> str:
    """Return the fingerprint of what the project gives back."""
    loaded = project.load_reading(reading_id)
    return fingerprint(loaded.labels, len(loaded.undo), len(loaded.redo))
