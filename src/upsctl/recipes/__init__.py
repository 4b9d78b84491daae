"""Offline generators: a card -> samples, one file per physics; no torch."""
