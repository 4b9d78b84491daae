"""From sources to artifacts to batches."""
