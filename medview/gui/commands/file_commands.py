"""What only a window can ask for: files through dialogs, then the workspace's operations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

from PySide6.QtWidgets import QWidget

from medview.core.language import _
from medview.core.study import Series, VolumeEntry
from medview.gui.commands.shown_case import is_still_active
from medview.gui.dialogs.file_choices import ask_folder, ask_images, ask_labels, ask_model_zip, ask_new_file
from medview.workspace.action import Action
from medview.workspace.drawn import all_drawn
from medview.workspace.events import Severity
from medview.workspace.key_images import key_images
from medview.workspace.measuring import measurements
from medview.workspace.workspace import Workspace

DRAWN_EXPORTS = (
    ("file.export_drawn", _("Export boxes and marks (JSON)..."), "boxes.json", _("Boxes and marks (*.json)")),
    ("file.export_drawn_csv", _("Export boxes and marks as a table..."), "boxes.csv", _("Table (*.csv)")),
    ("file.export_drawn_coco", _("Export boxes on slices (COCO)..."), "boxes.coco.json", _("COCO (*.coco.json)")),
)
"""Action, its title, a name for the file, and its kind."""


class FileCommands:
    """Opens, imports, exports and installs; every path comes from the person.

    Attributes
    ----------
    open_project : callable
        Opens the project in a folder in place of the one that is open.
    """

    def __init__(self, window: QWidget, workspace: Workspace) -> None:
        self._window, self._workspace = window, workspace
        self.open_project: Callable[[Path], object] = self._scan
        workspace.misplaced.connect(self._on_misplaced)

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        return (
            Action("file.open_folder", _("Open a folder..."), lambda _w: self.open_folder(), "mdi6.folder-open-outline"),
            Action("file.open_file", _("Open a file..."), lambda _w: self.open_file(), "mdi6.file-outline"),
            Action("file.open_demo", _("Open the demo study"), lambda _w: self.open_demo(), "mdi6.school-outline"),
            Action(
                "file.import",
                _("Import labels or measurements..."),
                lambda _w: self.import_labels(),
                "mdi6.import",
                _writable,
            ),
            Action("file.export_seg", _("Export DICOM SEG..."), lambda _w: self.export_seg(), "mdi6.export", _has_segments),
            Action(
                "file.export_rtstruct",
                _("Export contours (DICOM RTSTRUCT)..."),
                lambda _w: self.export_rtstruct(),
                "mdi6.export",
                _has_segments,
            ),
            Action(
                "file.export_slicer",
                _("Export for 3D Slicer..."),
                lambda _w: self.export_slicer(),
                "mdi6.export",
                _has_segments,
            ),
            Action("file.export_nifti", _("Export NIfTI..."), lambda _w: self.export_nifti(), "mdi6.export", _has_segments),
            Action(
                "file.export_sr",
                _("Export measurements and marks (DICOM SR)..."),
                lambda _w: self.export_sr(),
                "mdi6.export",
                _has_measurements,
            ),
            Action(
                "file.export_ko",
                _("Export key images (DICOM KO)..."),
                lambda _w: self.export_ko(),
                "mdi6.export",
                _has_keys,
            ),
            *(
                Action(action_id, title, partial(self._export_drawn, name, kind), "mdi6.export", _has_drawn)
                for action_id, title, name, kind in DRAWN_EXPORTS
            ),
            Action("file.add_model_zip", _("Add a model from a zip..."), lambda _w: self.add_model_zip(), "mdi6.plus"),
            Action(
                "file.add_model_folder", _("Add a model from a folder..."), lambda _w: self.add_model_folder(), "mdi6.plus"
            ),
            Action(
                "file.add_model_address",
                _("Add a model from a web address..."),
                lambda _w: self.add_model_address(),
                "mdi6.plus",
            ),
            Action("case.close", _("Close the series"), _close_case, "mdi6.close", _has_case),
        )

    def open(self, path: Path) -> None:
        """Scan a place the person dropped, chose or named; a project is opened."""
        if (path / "project.db").is_file():
            self.open_project(path)
        else:
            self._scan(path)

    def _scan(self, path: Path) -> None:
        _operations("open").open_path(self._workspace, path)

    def open_dropped(self, path: Path) -> None:
        """Install a model that was dropped on the window; open anything else."""
        if (path / "project.db").is_file():
            self.open_project(path)
        else:
            _operations("dropped").open_dropped(self._workspace, path)

    def open_series(self, series: Series, entry: VolumeEntry | None, pane_id: str = "") -> None:
        """Open a series of the study browser, in a certain pane where panes hold series of their own."""
        _operations("open").open_series(self._workspace, series, entry, pane_id)

    def open_folder(self) -> None:
        """Ask for a folder and open it."""
        if (path := ask_folder(self._window, _("Open a folder"))) is not None:
            self.open(path)

    def open_file(self) -> None:
        """Ask for a file and open it."""
        if (path := ask_images(self._window)) is not None:
            self.open(path)

    def open_demo(self) -> None:
        """Make the demo study if need be and open it."""
        _operations("demo").open_demo(self._workspace)

    def import_labels(self) -> None:
        """Ask for a file of labels or a report and add what it holds."""
        case = self._workspace.active
        if (path := ask_labels(self._window)) is not None and is_still_active(case, self._workspace):
            self.read_labels(path)

    def read_labels(self, path: Path) -> None:
        """Add the segments of a label file, or the measurements of a report, to the open series."""
        _operations("reports").import_file(self._workspace, path)

    def _on_misplaced(self, found: object) -> None:
        """Ask whether labels of another grid lie right."""
        # Drawn by who imports them only.
        from medview.gui.dialogs.other_grid import OtherGridDialog
        from medview.workspace.operations.other_grid import Misplaced

        if isinstance(found, Misplaced):
            OtherGridDialog(self._workspace, found, self._window).open()

    def remove_model(self, name: str) -> None:
        """Remove an added pack."""
        _operations("files").remove_model(self._workspace, name)

    def export_seg(self) -> None:
        """Ask where to and write a DICOM SEG."""
        if self._identity_hidden():
            return
        if (path := self._ask_for(_("Export DICOM SEG"), "labels.dcm", _("DICOM (*.dcm)"))) is not None:
            _operations("files").export_seg(self._workspace, path)

    def export_rtstruct(self) -> None:
        """Ask where to and write a DICOM RTSTRUCT."""
        if self._identity_hidden():
            return
        title = _("Export contours (DICOM RTSTRUCT)")
        if (path := self._ask_for(title, "contours.dcm", _("DICOM (*.dcm)"))) is not None:
            _operations("files").export_rtstruct(self._workspace, path)

    def export_slicer(self) -> None:
        """Ask where to and write a segmentation of 3D Slicer."""
        if self._identity_hidden():
            return
        title, kinds = _("Export a segmentation for 3D Slicer"), _("Segmentations (*.seg.nrrd)")
        if (path := self._ask_for(title, "labels.seg.nrrd", kinds)) is not None:
            _operations("slicer_files").export_slicer(self._workspace, path)

    def export_nifti(self) -> None:
        """Ask where to and write a NIfTI label map."""
        if (path := self._ask_for(_("Export NIfTI"), "labels.nii.gz", _("NIfTI (*.nii.gz *.nii)"))) is not None:
            _operations("files").export_nifti(self._workspace, path)

    def export_sr(self) -> None:
        """Ask where to and write the measurements as a DICOM structured report."""
        if self._identity_hidden():
            return
        title = _("Export measurements and marks (DICOM SR)")
        if (path := self._ask_for(title, "measurements.dcm", _("DICOM (*.dcm)"))) is not None:
            _operations("reports").export_sr(self._workspace, path)

    def export_ko(self) -> None:
        """Ask where to and write the key images as a DICOM Key Object Selection document."""
        if self._identity_hidden():
            return
        title = _("Export key images (DICOM KO)")
        if (path := self._ask_for(title, "key-images.dcm", _("DICOM (*.dcm)"))) is not None:
            _operations("key_images").export_ko(self._workspace, path)

    def _export_drawn(self, name: str, kind: str, _workspace: Workspace) -> None:
        """Ask where to and write the boxes, points and lines."""
        if (path := self._ask_for(_("Export boxes and marks"), name, kind)) is not None:
            _operations("drawn").export_drawn(self._workspace, path)

    def _ask_for(self, title: str, name: str, kind: str) -> Path | None:
        """Ask where to write what belongs to the active case; None as well where another one is active by then."""
        case = self._workspace.active
        path = ask_new_file(self._window, title, name, kind)
        return path if path is not None and is_still_active(case, self._workspace) else None

    def _identity_hidden(self) -> bool:
        """Whether a DICOM file would tell what the person has hidden; says so."""
        if self._workspace.bench.identity_hidden:
            text = _("A DICOM file repeats the patient's identity, which is hidden; show it again to write one.")
            self._workspace.say(text, Severity.INFO)
        return self._workspace.bench.identity_hidden

    def add_model_zip(self) -> None:
        """Ask for a zipped pack and install it."""
        if (path := ask_model_zip(self._window)) is not None:
            _operations("files").add_model(self._workspace, path)

    def add_model_address(self) -> None:
        """Ask for the address of a pack, fetch and install it."""
        # Connections and certificates take a while to import; the window is on screen before anybody needs them.
        from medview.gui.dialogs.model_address import ask_model_address

        if (address := ask_model_address(self._window)) is not None:
            _operations("files").add_model(self._workspace, address)

    def add_model_folder(self) -> None:
        """Ask for a folder with a pack or with foreign weights and install it."""
        if (path := ask_folder(self._window, _("Add a model from a folder"))) is not None:
            _operations("files").add_model(self._workspace, path)


def _operations(name: str) -> ModuleType:
    # Readers and writers take a while to import; the window is on screen before anybody needs them.
    return import_module(f"medview.workspace.operations.{name}")


def _has_case(workspace: Workspace) -> bool:
    return workspace.active is not None


def _writable(workspace: Workspace) -> bool:
    return workspace.active is not None and not workspace.active.read_only


def _has_segments(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(workspace.active.labels.segmentation.segments)


def _has_measurements(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(measurements(workspace.active) or all_drawn(workspace.active))


def _has_drawn(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(all_drawn(workspace.active))


def _has_keys(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(key_images(workspace.active))


def _close_case(workspace: Workspace) -> None:
    if workspace.active is not None:
        workspace.close_case(workspace.active.key)
