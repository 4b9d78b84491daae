"""Comparisons: step times, sweeps, campaigns; the only room that knows both training and evaluation."""
