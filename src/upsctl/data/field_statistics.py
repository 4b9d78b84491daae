"""Mean, standard deviation and rms of each field and of its time difference: The Well's `stats.yaml`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from upsctl.dataset_card import DatasetCard
from upsctl.errors import IntegrityError
from upsctl.profile_reader import load_yaml, write_yaml

_TABLES = ("mean", "std", "rms", "mean_delta", "std_delta", "rms_delta")


@dataclass(frozen=True, eq=False)
class FieldStatistics:
    """Over all training trajectories, frames and cells; per component, in the field's units.

    Attributes:
        mean, std, rms: field -> (C,).
        mean_delta, std_delta, rms_delta: the same of the difference between two frames; variable fields of more than
            one frame only.
    """

    mean: Mapping[str, np.ndarray]
    std: Mapping[str, np.ndarray]
    rms: Mapping[str, np.ndarray]
    mean_delta: Mapping[str, np.ndarray]
    std_delta: Mapping[str, np.ndarray]
    rms_delta: Mapping[str, np.ndarray]


class _Moments:
    """Count, mean and sum of squared deviations per component, merged block by block (Chan, Golub, LeVeque 1983)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: np.ndarray = np.zeros(1)
        self.deviation: np.ndarray = np.zeros(1)

    def add(self, values: np.ndarray) -> None:
        rows = values.reshape(-1, values.shape[-1]).astype(np.float64)
        count, mean = len(rows), rows.mean(axis=0)
        difference, total = mean - self.mean, self.count + len(rows)
        deviation = ((rows - mean) ** 2).sum(axis=0)
        self.deviation = self.deviation + deviation + difference**2 * self.count * count / total
        self.mean = self.mean + difference * count / total
        self.count = total

    @property
    def std(self) -> np.ndarray:
        return np.sqrt(self.deviation / self.count)

    @property
    def rms(self) -> np.ndarray:
        return np.sqrt(self.deviation / self.count + self.mean**2)


class StatisticsAccumulator:
    """Adds up trajectories of the training split, one at a time."""

    def __init__(self) -> None:
        self._values: dict[str, _Moments] = {}
        self._deltas: dict[str, _Moments] = {}

    def add(self, fields: Mapping[str, np.ndarray], constant_fields: Mapping[str, np.ndarray]) -> None:
        """Take in one trajectory: fields (T, *space, C), constant fields (*space, C)."""
        for name, values in {**fields, **constant_fields}.items():
            self._values.setdefault(name, _Moments()).add(values)
        for name, values in fields.items():
            if len(values) > 1:
                self._deltas.setdefault(name, _Moments()).add(np.diff(values.astype(np.float64), axis=0))

    def statistics(self) -> FieldStatistics:
        """The statistics so far."""
        tables = []
        for moments in (self._values, self._deltas):
            tables.append({name: item.mean for name, item in moments.items()})
            tables.append({name: item.std for name, item in moments.items()})
            tables.append({name: item.rms for name, item in moments.items()})
        return FieldStatistics(*tables)


def write_statistics(statistics: FieldStatistics, card: DatasetCard, path: Path) -> None:
    """Write `stats.yaml`: a number for a scalar, a (nested) list for a vector (tensor)."""
    tables = {}
    for table in _TABLES:
        columns: Mapping[str, np.ndarray] = getattr(statistics, table)
        shaped = {name: _tensor_shaped(values, card, name) for name, values in sorted(columns.items())}
        tables[table] = {name: values.tolist() for name, values in shaped.items()}
    write_yaml(tables, path)


def read_statistics(path: Path) -> FieldStatistics:
    """Read `stats.yaml`.

    Raises:
        IntegrityError: naming the table that is missing.
    """
    tables = load_yaml(path)
    missing: Sequence[str] = [table for table in _TABLES if table not in tables]
    if missing:
        raise IntegrityError(f"{path}: no `{missing[0]}`", expected=f"the tables {', '.join(_TABLES)}")
    flat = [{name: np.ravel(np.asarray(value)) for name, value in tables[table].items()} for table in _TABLES]
    return FieldStatistics(*flat)


def _tensor_shaped(values: np.ndarray, card: DatasetCard, field: str) -> np.ndarray:
    return values.reshape((card.num_dimensions,) * card.fields[field].tensor_order)
