"""DICOM: guard, scan, group, assemble, pixels, SEG."""
