"""Batch -> LatentState, one file per modality."""
