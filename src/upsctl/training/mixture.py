"""Which dataset each update learns from: shares by weight, evenly interleaved, the same after a resume."""

from collections.abc import Mapping

from ups_models.batch import Batch
from upsctl.data.loader import SplitTensors, WindowSampler
from upsctl.profiles import DatasetShare


class Mixture:
    """Batches of several datasets, one dataset at a time.

    Update n takes the dataset that is furthest behind its share of n + 1 updates, so every prefix of a training has
    the shares that the weights ask for, to within one batch.

    Args:
        tensors: dataset -> its training split.
        shares: dataset -> weight and batch size.
        seed: of the run.
    """

    def __init__(self, tensors: Mapping[str, SplitTensors], shares: Mapping[str, DatasetShare], seed: int) -> None:
        total = sum(share.weight for share in shares.values())
        self._weights = {name: share.weight / total for name, share in shares.items()}
        self._samplers = {name: WindowSampler(tensors[name], shares[name].batch_size, seed) for name in shares}
        self.position = dict.fromkeys(shares, 0)
        """Dataset -> batches drawn so far; with the seed it says all that is still to come."""

    def upcoming(self) -> str:
        """The dataset of the next batch."""
        step = sum(self.position.values())
        return max(self._weights, key=lambda name: (step + 1) * self._weights[name] - self.position[name])

    def draw(self, num_frames: int) -> Batch:
        """The next batch, with windows of `num_frames` frames."""
        name = self.upcoming()
        batch = self._samplers[name].batch(self.position[name], num_frames)
        self.position[name] += 1
        return batch
