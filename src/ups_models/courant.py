"""A time step in as many equal parts as its Courant number asks for, each sample of a batch in its own."""

from collections.abc import Callable

from torch import Tensor

LEAST = 4


def num_parts_of(cells: Tensor, courant: float) -> Tensor:
    """(B,) parts of a step in which something moves by `cells` (B,), so that it moves by at most `courant` in each."""
    return (cells / courant).ceil().clamp_min(LEAST)


def in_parts(state: Tensor, num_parts: Tensor, advance: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """A state (B, ...) after all its parts; `advance` makes one of those samples that a mask (B,) chooses."""
    for part in range(int(num_parts.max())):
        running = num_parts > part
        state = state.index_put((running.nonzero()[:, 0],), advance(state[running], running))
    return state


def part_of(num_parts: Tensor, running: Tensor, num_axes: int) -> Tensor:
    """1 / num_parts of the running samples, to be multiplied with `num_axes` axes after that of the samples."""
    return (1 / num_parts[running]).reshape(-1, *(1,) * num_axes)
