"""Bytes by key, one file per backend."""
