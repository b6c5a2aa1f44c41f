"""The project on disk: journal, cases, snapshots."""
