"""Errors of predictions in physical units, one file per metric; the file name is the metric's name."""
