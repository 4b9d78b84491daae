"""Differentiable errors, one file each."""
