"""Emulators to compare with, one file each, in the same contract as the universal model."""
