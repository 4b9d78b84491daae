"""Phases of training, one file each."""
