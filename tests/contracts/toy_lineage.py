"""The lineage of a checkpoint that nothing trained."""

from typing import Any

LINEAGE: dict[str, Any] = {
    "label": "toy", "run": "toy", "num_parameters": 0, "num_evaluations_per_step": 1, "seed": 0, "budget_seconds": None,
    "datasets": {}, "profile_digest": "p" * 64, "source_digest": "s" * 64, "commit": "abc", "device": "cpu",
    "device_class": "2 cores", "num_threads": 1, "command": "upsctl train", "stages": [], "num_steps": 0,
    "num_batches": {}, "wall_seconds": 0.0,
}
