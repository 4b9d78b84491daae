"""One update after another: batch, loss, gradient, clip, AdamW, moving average. Knows no files."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ups_models.batch import Batch
from ups_models.interfaces import AbstractEmulator, AbstractStage
from ups_models.registry import load_part
from upsctl.errors import DivergedError
from upsctl.profiles import OptimiserProfile, StageProfile
from upsctl.training.mixture import Mixture
from upsctl.training.optimiser import MovingAverage, build_optimiser, learning_rate


def stage_class(name: str) -> type[AbstractStage]:
    """The class of a named stage.

    Raises:
        UnknownPartError: naming the nearest known name.
    """
    return load_part("ups_models.stages", name, AbstractStage)


def build_stage(name: str, settings: dict[str, Any]) -> AbstractStage:
    """A stage with its settings.

    Raises:
        UnknownPartError: naming the nearest known name.
    """
    kind: Any = stage_class(name)
    return kind(kind.Config.model_validate(settings))


def gains_from_bfloat16(device: str) -> bool:
    """Whether a device multiplies matrices of bfloat16 faster than of float32."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


@dataclass(frozen=True)
class Update:
    """What one update did: the dataset that it learnt from, how many windows, the loss, and the rate."""

    dataset: str
    num_windows: int
    loss: Tensor
    learning_rate: float


class Updates:
    """The updates of one stage of one model.

    Args:
        model: on its device.
        stage_name: a file of `ups_models/stages/`.
        stage_profile: how many updates, and the stage's settings.
        optimiser_profile: of AdamW, its schedule and the moving average.
        mixture: where batches come from.
        seed: of the run.
        device: where the model is.
    """

    def __init__(
        self, model: AbstractEmulator, stage_name: str, stage_profile: StageProfile,
        optimiser_profile: OptimiserProfile, mixture: Mixture, seed: int, device: str,
    ) -> None:
        self._seed = seed
        self.model, self.mixture, self.device, self.num_steps = model, mixture, device, stage_profile.num_steps
        self.stage, self._profile = build_stage(stage_name, stage_profile.settings), optimiser_profile
        part = self.stage.trainable(model)
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        for parameter in part.parameters():
            parameter.requires_grad_(True)
        self.parameters = {name: value for name, value in model.named_parameters() if value.requires_grad}
        self.optimiser = build_optimiser(part, optimiser_profile)
        self.average = MovingAverage(self.parameters, optimiser_profile.ema_half_life_fraction * self.num_steps)

    @property
    def step(self) -> int:
        """Updates made."""
        return sum(self.mixture.position.values())

    def make_one(self) -> Update:
        """Learn from the next batch.

        Raises:
            DivergedError: when the gradient is not finite; the weights are as before.
        """
        step, progress = self.step, self.step / self.num_steps
        batch = self.mixture.draw(self.stage.num_frames(progress)).map(lambda tensor: tensor.to(self.device))
        rate = learning_rate(step, self.num_steps, self._profile)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        with torch.autocast(self.device, torch.bfloat16, enabled=gains_from_bfloat16(self.device)):
            terms = self.stage.loss(self.model, batch, progress, self._generator())
        loss = torch.stack(list(terms.values())).sum()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters.values(), self._profile.clip_norm)
        if not torch.isfinite(norm):
            raise DivergedError(
                f"step {step} on {batch.dataset}: loss {loss.item():.4g}, gradient not finite",
                next_step="a smaller optimiser.learning_rate",
            )
        self.optimiser.step()
        self.average.update(self.parameters, step)
        return Update(batch.dataset, batch.size, loss.detach(), rate)

    def validation_loss(self, batch: Batch) -> float:
        """The stage's loss on a batch, with the averaged weights."""
        with self.averaged(), torch.no_grad():
            terms = self.stage.loss(self.model, batch, 1.0, self._generator())
        return sum(term.item() for term in terms.values())

    def _generator(self) -> torch.Generator:
        """Every draw of an update depends on the seed and the update's number alone."""
        return torch.Generator().manual_seed(self._seed * 1_000_003 + self.step)

    def take_over(self, position: Mapping[str, int], averages: Mapping[str, Tensor]) -> None:
        """Go on where another process stopped: its batches drawn and its moving averages."""
        self.mixture.position.update(position)
        for name, weight in self.average.weights.items():
            weight.copy_(averages[name])

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The model with the moving averages as its weights, for a look."""
        live = {name: parameter.detach().clone() for name, parameter in self.parameters.items()}
        self._load(self.average.weights)
        try:
            yield
        finally:
            self._load(live)

    def _load(self, weights: Mapping[str, Tensor]) -> None:
        for name, parameter in self.parameters.items():
            parameter.data.copy_(weights[name])

    def averaged_weights(self) -> dict[str, Tensor]:
        """All weights of the model by name, the moving averages in place of the live ones."""
        return {**self.model.state_dict(), **self.average.weights}
