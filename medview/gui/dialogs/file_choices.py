"""Questions for files and folders. Each returns a path, or None when the person thought better of it."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from medview.core.language import _

IMAGES = _("Images (*.dcm *.ima *.zip *.nii *.nii.gz *.nrrd *.nhdr *.png *.jpg *.jpeg DICOMDIR);;All files (*)")
LABEL_SETS = _("Label sets and tables (*.json *.ctbl *.txt *.label *.lbl);;All files (*)")
LABELS = _("Labels, reports and boxes (*.dcm *.nii *.nii.gz *.nrrd *.seg.nrrd *.json);;All files (*)")


def ask_folder(parent: QWidget, title: str) -> Path | None:
    """Ask for a folder that exists."""
    chosen = QFileDialog.getExistingDirectory(parent, title)
    return Path(chosen) if chosen else None


def ask_images(parent: QWidget) -> Path | None:
    """Ask for one image file or zip."""
    return _existing(parent, _("Open a file"), IMAGES)


def ask_labels(parent: QWidget) -> Path | None:
    """Ask for a file of labels or a report with measurements."""
    return _existing(parent, _("Import labels or measurements"), LABELS)


def ask_table(parent: QWidget) -> Path | None:
    """Ask for a table of paths."""
    return _existing(parent, _("Add a table"), _("Tables (*.csv);;All files (*)"))


def ask_dataset_file(parent: QWidget) -> Path | None:
    """Ask for the file of a labelled dataset, or a list of its splits."""
    kinds = _("Datasets and lists (*.npz *.json *.yaml *.yml *.csv);;All files (*)")
    return _existing(parent, _("Import a labelled dataset"), kinds)


def ask_label_set(parent: QWidget) -> Path | None:
    """Ask for a label set, or a table of labels of another program."""
    return _existing(parent, _("Import a label set"), LABEL_SETS)


def ask_model_zip(parent: QWidget) -> Path | None:
    """Ask for a zipped model pack."""
    return _existing(parent, _("Add a model"), _("Model packs (*.zip);;All files (*)"))


def ask_new_file(parent: QWidget, title: str, name: str, kind: str) -> Path | None:
    """Ask where to write. The name that comes back ends in one of the endings of ``kind``, the first where none was given.

    Parameters
    ----------
    name : str
        Suggested file name; never made from what a file says.
    kind : str
        Filter such as ``DICOM (*.dcm)``.
    """
    endings = endings_of(kind)
    dialog = QFileDialog(parent, title, "", kind)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(endings[0])
    dialog.selectFile(name)
    while dialog.exec():
        chosen = Path(dialog.selectedFiles()[0])
        # The dialog itself adds nothing to a name that has any dot in it.
        complete = chosen if chosen.name.lower().endswith(endings) else chosen.with_name(chosen.name + endings[0])
        if complete == chosen or not complete.exists():
            return complete
        # Whether this one may be replaced has not been asked yet.
        dialog.selectFile(str(complete))
    return None


def endings_of(kind: str) -> tuple[str, ...]:
    """Return the endings a filter lets through: ``NIfTI (*.nii.gz *.nii)`` gives ``(".nii.gz", ".nii")``."""
    return tuple(re.findall(r"\*(\.[\w.]+)", kind))


def _existing(parent: QWidget, title: str, kinds: str) -> Path | None:
    chosen, _ = QFileDialog.getOpenFileName(parent, title, "", kinds)
    return Path(chosen) if chosen else None
