"""Predictions -> one picture, one file per figure."""
