"""Parts that stay in float32 where a training runs in bfloat16: transforms, small differences, outputs."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def in_full_precision(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a module whose first argument comes as float32 at least, without autocast inside."""

    @functools.wraps(method)
    def wrapped(self: Any, field: Tensor, *rest: Any) -> Any:
        with torch.autocast(field.device.type, enabled=False):
            return method(self, field.to(torch.promote_types(field.dtype, torch.float32)), *rest)

    return wrapped
