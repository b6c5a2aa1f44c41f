"""Questions for files and folders. Each returns a path, or None when the person thought better of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

_IMAGES = (
    "Images (*.dcm *.ima *.zip *.nii *.nii.gz *.nrrd *.nhdr *.mha *.png *.jpg *.jpeg *.tif *.tiff DICOMDIR);;All files (*)"
)
_LABELS = "Labels (*.dcm *.nii *.nii.gz *.nrrd *.seg.nrrd);;All files (*)"


def ask_folder(parent: QWidget, title: str) -> Path | None:
    """Ask for a folder that exists."""
    chosen = QFileDialog.getExistingDirectory(parent, title)
    return Path(chosen) if chosen else None


def ask_images(parent: QWidget) -> Path | None:
    """Ask for one image file or zip."""
    return _existing(parent, "Open a file", _IMAGES)


def ask_labels(parent: QWidget) -> Path | None:
    """Ask for a label file."""
    return _existing(parent, "Import labels", _LABELS)


def ask_model_zip(parent: QWidget) -> Path | None:
    """Ask for a zipped model pack."""
    return _existing(parent, "Add a model", "Model packs (*.zip);;All files (*)")


def ask_new_file(parent: QWidget, title: str, name: str, kind: str) -> Path | None:
    """Ask where to write.

    Parameters
    ----------
    name : str
        Suggested file name; never made from what a file says.
    kind : str
        Filter such as ``DICOM (*.dcm)``.
    """
    chosen, _ = QFileDialog.getSaveFileName(parent, title, name, kind)
    return Path(chosen) if chosen else None


def _existing(parent: QWidget, title: str, kinds: str) -> Path | None:
    chosen, _ = QFileDialog.getOpenFileName(parent, title, "", kinds)
    return Path(chosen) if chosen else None
