"""MedView: open DICOM series, label them, run models on them, train models on the labels."""

__version__ = "0.1.0"
