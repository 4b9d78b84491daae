"""The best linear map of one step: least squares, wavenumber by wavenumber."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ups_models.batch import Batch, Fields
from ups_models.blocks.spectral_least_squares import Moments, count_conjugates, sum_moments
from ups_models.blocks.stacked_channels import unstack_channels
from ups_models.errors import ModelError
from ups_models.interfaces import AbstractEmulator, PartConfig
from ups_models.normaliser import TINY, Normaliser
from ups_models.problem import Problems

CHUNK_CELLS = 2**19
"""Cells that are transformed at once while fitting."""


class LinearConfig(PartConfig):
    """How the least squares are regularised, and how many maps there may be.

    Attributes:
        ridges: strengths tried, over the mean energy of a wavenumber's inputs.
        max_maps: the most parameter values that get a map of their own.
    """

    ridges: tuple[float, ...] = (1e-10, 1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1)
    max_maps: int = 32


class Linear(AbstractEmulator):
    """y_k = A_k x_k for each wavenumber k of the grid, one set of A_k per parameter value seen in `fit`.

    x: the standardised variable and constant fields and a field of ones; y: the standardised increment of the variable
    fields (prediction `residual`; it grows linearly with the time step) or their next state (`direct`). A_k minimises
    the squared error over the mean square of the next state, with the ridge that is best on the validation pairs; a
    sample is predicted with the map of the parameter value nearest in the logarithm. All axes are taken as periodic,
    an approximation at other boundaries. Of the normaliser the training mean and deviation are used, not its frame.

    Args:
        problems: one dataset.
        config: ridge strengths.
        normaliser: with the dataset's statistics.
    """

    Config = LinearConfig
    maps: Tensor
    values: Tensor
    cells: Tensor

    def __init__(self, problems: Problems, config: LinearConfig, normaliser: Normaliser) -> None:
        super().__init__()
        (self.problem,) = problems.values()
        self.config, self.normaliser = config, normaliser
        self.register_buffer("maps", torch.zeros(0))  # (P, outputs, inputs, *half spectrum, 2): real, imaginary
        self.register_buffer("values", torch.zeros(0))  # (P, 2 parameters)
        self.register_buffer("cells", torch.zeros(0, dtype=torch.int64))  # (D,), the grid of the maps
        self.register_load_state_dict_pre_hook(_take_shapes)

    def fit(self, pairs: Batch, valid_pairs: Batch) -> None:
        """Solve for the maps of each ridge strength and keep those with the smallest error on `valid_pairs`."""
        self.values = _seen_values(pairs, self.config.max_maps)
        self.cells = torch.tensor(pairs.geometry.shape, device=pairs.time_step.device)
        training, validation = self._moments(pairs), self._moments(valid_pairs)
        counts = count_conjugates(pairs.geometry.shape).to(pairs.time_step.device)
        candidates, errors = [], []
        for ridge in self.config.ridges:
            candidates.append({value: moments.ridge_maps(ridge) for value, moments in training.items()})
            errors.append(sum(_error(candidates[-1][value], validation[value], counts) for value in validation))
        best = torch.stack(list(candidates[errors.index(min(errors))].values())).movedim(1, -1)
        half = (*pairs.geometry.shape[:-1], pairs.geometry.shape[-1] // 2 + 1)
        self.maps = torch.view_as_real(best.unflatten(-1, half).contiguous()).to(pairs.time_step.dtype)

    def step(self, batch: Batch) -> Fields:
        """The next frame, name -> (B, 1, *space, C).

        Raises:
            ModelError: before `fit`, or on another grid than the one of `fit`.
        """
        shape, axes = batch.geometry.shape, tuple(range(2, 2 + batch.geometry.num_dimensions))
        if tuple(self.cells.tolist()) != shape:
            raise ModelError(f"linear: expected the grid of its fit, {tuple(self.cells.tolist())}, got {shape}")
        spectrum = torch.fft.rfftn(self._inputs(batch), dim=axes)
        mapped = torch.fft.irfftn(self._mapped(spectrum, _nearest(batch, self.values)), s=shape, dim=axes)
        outputs = unstack_channels(mapped, self.problem.variable_fields)
        return {name: self._physical(batch, name, output) for name, output in outputs.items()}

    def _mapped(self, spectrum: Tensor, nearest: Tensor) -> Tensor:
        """(B, inputs, *half) -> (B, outputs, *half), each sample by its own map."""
        maps = torch.view_as_complex(self.maps).to(spectrum.dtype)
        mapped = spectrum.new_zeros(len(spectrum), maps.shape[1], *spectrum.shape[2:])
        for value in nearest.unique().tolist():
            chosen = nearest == value
            mapped[chosen] = torch.einsum("bi...,oi...->bo...", spectrum[chosen], maps[value])
        return mapped

    def _physical(self, batch: Batch, name: str, output: Tensor) -> Tensor:
        scaled = output.movedim(1, -1)[:, None] * self.normaliser.statistic(batch.dataset, name, "std")
        if self.normaliser.prediction == "residual":
            return batch.fields[name][:, :1] + scaled
        return scaled + self.normaliser.statistic(batch.dataset, name, "mean")

    def _inputs(self, batch: Batch) -> Tensor:
        """(B, inputs, *space): standardised fields of frame 0 and ones; times the step's length if residual."""
        present, names = self._frame(batch, 0), self.problem.constant_fields
        constant = [self._standardised(batch, name, batch.constant_fields[name]) for name in names]
        stacked = torch.cat([present, *constant, torch.ones_like(present[:, :1])], dim=1)
        if self.normaliser.prediction == "direct":
            return stacked
        return stacked * (batch.time_step / self.problem.time_step).reshape(-1, *(1,) * (stacked.ndim - 1))

    def _targets(self, batch: Batch) -> Tensor:
        """(B, outputs, *space): the standardised next state, or its increment."""
        following = self._frame(batch, 1)
        return following - self._frame(batch, 0) if self.normaliser.prediction == "residual" else following

    def _frame(self, batch: Batch, frame: int) -> Tensor:
        fields = self.problem.variable_fields
        return torch.cat([self._standardised(batch, name, batch.fields[name][:, frame]) for name in fields], dim=1)

    def _standardised(self, batch: Batch, name: str, field: Tensor) -> Tensor:
        """(B, *space, C) -> (B, C, *space)."""
        mean, std = (self.normaliser.statistic(batch.dataset, name, kind) for kind in ("mean", "std"))
        return ((field - mean) / std).movedim(-1, 1)

    def _moments(self, pairs: Batch) -> dict[int, Moments]:
        """The moments of the pairs of each parameter value that they have."""
        weights, nearest = self._weights(pairs), _nearest(pairs, self.values)
        present = nearest.unique().tolist()
        return {value: sum_moments(self._samples(pairs, weights, nearest == value)) for value in present}

    def _samples(self, pairs: Batch, weights: Tensor, chosen: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        size = max(1, CHUNK_CELLS // pairs.geometry.num_cells)
        for members in chosen.nonzero()[:, 0].split(size):
            chunk = pairs.map(lambda tensor, members=members: tensor[members].double())
            yield self._inputs(chunk), self._targets(chunk), weights[members]

    def _weights(self, pairs: Batch) -> Tensor:
        """(B,) one over the mean square of the next state in units of its deviation, bounded for decayed states."""
        squares = [
            (field[:, 1] / self.normaliser.statistic(pairs.dataset, name, "std")).square().flatten(1).mean(1)
            for name, field in pairs.fields.items()
        ]
        square = torch.stack(squares).mean(0).double()
        return 1 / (square + 1e-6 * square.mean() + TINY)


def _error(maps: Tensor, moments: Moments, counts: Tensor) -> float:
    return float((moments.squared_error(maps) * counts).sum())


def _seen_values(pairs: Batch, max_maps: int) -> Tensor:
    """(P, 2 parameters) the distinct parameter values of `pairs`, or `max_maps` of them evenly from their order."""
    if not pairs.parameters:
        return pairs.time_step.new_zeros(1, 0)
    distinct = torch.stack(list(pairs.parameters.values()), dim=1).unique(dim=0)
    kept = torch.linspace(0, len(distinct) - 1, min(len(distinct), max_maps)).round().long()
    return _coordinates(distinct[kept])


def _nearest(batch: Batch, values: Tensor) -> Tensor:
    """(B,) index of the seen value nearest to each sample's parameters."""
    if not batch.parameters:
        return torch.zeros_like(batch.time_step, dtype=torch.int64)
    own = _coordinates(torch.stack(list(batch.parameters.values()), dim=1))
    return (own[:, None] - values).square().sum(2).argmin(1)


def _coordinates(parameters: Tensor) -> Tensor:
    """(N, p) -> (N, 2 p) logarithms and signs, so that another sign is two decades away."""
    return torch.cat([torch.log10(parameters.abs() + TINY), parameters.sign()], dim=1)


def _take_shapes(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """The shapes follow from the data of the fit: take them from the weights that are being loaded."""
    for name in ("maps", "values", "cells"):
        saved = state.get(prefix + name)
        if saved is not None:
            setattr(module, name, torch.empty_like(saved, device=module.get_buffer(name).device))
