"""A command as a person types it to get the same again: what the environment says of profiles stands before it."""

import os
import shlex
from collections.abc import Sequence

from upsctl.profile_layers import ENVIRONMENT_PREFIX


def typed_command(words: Sequence[str]) -> str:
    """`UPSCTL_SET__RUNS__SEED=1 upsctl train`: the variables that override profiles, sorted by name, then `words`."""
    names = sorted(name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX))
    return " ".join([*(f"{name}={shlex.quote(os.environ[name])}" for name in names), shlex.join(words)])
