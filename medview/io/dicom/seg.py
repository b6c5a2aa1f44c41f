"""DICOM segmentations: written with highdicom from the source images, read frame by frame by position."""

from __future__ import annotations

from medview.io.dicom.seg_read import read_seg
from medview.io.dicom.seg_write import RESEARCH_USE, write_seg
from medview.io.imported_labels import ImportedLabels

__all__ = ["RESEARCH_USE", "ImportedLabels", "read_seg", "write_seg"]
