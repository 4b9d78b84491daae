"""Symmetries of a dataset as random transformations of a batch, one file each."""
