"""The universal surrogate: encoder, latent operator and decoder as one emulator."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn

from ups_models.any_point_decoder import AnyPointDecoder, BetweenNodes
from ups_models.batch import Batch, Fields
from ups_models.blocks.exponential_step import ExponentialStep
from ups_models.carried import carried_fields
from ups_models.conditioning import Conditioning
from ups_models.diffusion import diffusion_numbers, diffusivities, waves_of
from ups_models.dimensionless import DimensionlessState
from ups_models.encoders.grid import GridEncoder
from ups_models.forcing import forced_change, forced_field
from ups_models.interfaces import AbstractEmulator, PartConfig
from ups_models.latent_operator import LatentOperator, LatentOperatorConfig
from ups_models.normaliser import Normaliser, rolled
from ups_models.problem import Problems
from ups_models.sizes import Sizes


class UniversalConfig(PartConfig):
    """The sizes that the parts share, the parts' own configs, and in how many parts of a step a flow carries fields.

    Attributes:
        sizes: of encoder, latent operator and decoder.
        operator: the latent operator's own.
        flow_parts: in 1D, 2D and 3D; fewer leave more to the network, more take longer.
    """

    sizes: Sizes = Sizes()
    operator: LatentOperatorConfig = LatentOperatorConfig()
    flow_parts: tuple[int, int, int] = (8, 8, 2)


@dataclass(frozen=True)
class Advanced:
    """One step, with what its values between the nodes follow from.

    Attributes:
        fields: the next frame, name -> (B, 1, *space, C), physical.
        fine: (B, S, *space) the decoder's features.
        before: the state that was advanced.
    """

    fields: Fields
    fine: Tensor
    before: DimensionlessState

    def first(self, count: int) -> "Advanced":
        """The first samples, without a gradient to the features."""
        fields = {name: field[:count] for name, field in self.fields.items()}
        return Advanced(fields, self.fine[:count].detach(), self.before.first(count))


class Universal(AbstractEmulator):
    """One latent model for all its problems: encode, step, decode, once per time step, and integrate what it says.

    Args:
        problems: dataset name -> Problem.
        config: sizes.
        normaliser: the frame it lives in.
    """

    Config = UniversalConfig

    def __init__(self, problems: Problems, config: UniversalConfig, normaliser: Normaliser) -> None:
        super().__init__()
        dimensions = sorted({problem.num_dimensions for problem in problems.values()})
        self.normaliser, self._problems, self._flow_parts = normaliser, dict(problems), config.flow_parts
        self._frames = {name: normaliser.frame_of(problem) for name, problem in problems.items()}
        self._output_names = {name: list(normaliser.output_fields(problem)) for name, problem in problems.items()}
        self.conditioning = Conditioning(normaliser, config.sizes.conditioning_width)
        self.encoder = GridEncoder(normaliser, config.sizes)
        self.operator = LatentOperator(dimensions, config.operator, config.sizes)
        self.decoder = AnyPointDecoder(normaliser, config.sizes)
        self.integrators = nn.ModuleDict({
            f"{number}d_{name}": ExponentialStep(number, config.sizes.conditioning_width, diffusivities)
            for (number, name), diffusivities in _integrated_fields(normaliser).items()
        })  # fmt: skip

    def step(self, batch: Batch) -> Fields:
        """The next frame, name -> (B, 1, *space, C), in physical units."""
        return self.advance(batch).fields

    def step_at(self, batch: Batch, points: Tensor) -> Fields:
        """The next frame at `points` (B, N, D): name -> (B, 1, N, C); at the nodes, what `step` gives."""
        after = self.advance(batch)
        fields = {name: field[:, 0].movedim(-1, 1) for name, field in after.fields.items()}
        found = self.between_nodes(fields, after, points)
        return {name: one.value.transpose(1, 2)[:, None] for name, one in found.items()}

    def advance(self, batch: Batch) -> Advanced:
        """One step, and what it went through."""
        before = self.see(batch)
        latent = self.operator.step(self.encoder.encode(before, self.conditioning(before)))
        fine = self.decoder.fine_features(latent)
        outputs = self.decoder.decode(fine, self._output_names[batch.dataset])
        changes = self.normaliser.changes(outputs, before)
        if all(batch.geometry.is_periodic):  # waves are the solutions of the linear part there
            changes = self._integrated(self._forced(changes, batch, before), batch, before, latent.conditioning)
        return Advanced(self.normaliser.to_physical(changes, before), fine, before)

    def see(self, batch: Batch) -> DimensionlessState:
        """The dimensionless state of frame 0, and its fields as the flow carries them on."""
        state, frame = self.normaliser.to_dimensionless(batch), self._frames[batch.dataset]
        if frame is None:
            return state
        num_parts = self._flow_parts[batch.geometry.num_dimensions - 1]
        return replace(state, carried=carried_fields(batch, state, frame, num_parts, self._rates(batch)))

    def _rates(self, batch: Batch) -> dict[str, Tensor]:
        """What diffusion does to the waves of each field in one step, with the weights as they are."""
        if not all(batch.geometry.is_periodic):
            return {}
        numbers, waves = diffusion_numbers(self._problems[batch.dataset], batch), waves_of(batch)
        return {
            name: self._integrator(name, batch).diffusion(waves, numbers).detach()
            for name in self._output_names[batch.dataset]
        }

    def _integrator(self, name: str, batch: Batch) -> ExponentialStep:
        step = self.integrators[f"{batch.geometry.num_dimensions}d_{name}"]
        assert isinstance(step, ExponentialStep)
        return step

    def _forced(self, changes: Fields, batch: Batch, before: DimensionlessState) -> Fields:
        """The changes with those of the force that the card declares, where no flow carries the forced field."""
        frame = self._frames[batch.dataset]
        name = None if frame is None else forced_field(frame)
        if frame is None or name is None or name in before.carried:
            return changes
        return {**changes, name: changes[name] + forced_change(batch, before, frame)}

    def _integrated(
        self, changes: Fields, batch: Batch, before: DimensionlessState, conditioning: Tensor
    ) -> Fields:
        """The changes after one exponential step of each field."""
        numbers, waves = diffusion_numbers(self._problems[batch.dataset], batch), waves_of(batch)
        return {
            name: self._integrator(name, batch)(
                before.fields[name], change, before.carried.get(name), self.normaliser.change_scale(name, before),
                conditioning, numbers, waves)
            for name, change in changes.items()
        }  # fmt: skip

    def between_nodes(self, fields: Mapping[str, Tensor], after: Advanced, points: Tensor) -> dict[str, BetweenNodes]:
        """Fields (B, C, *space) at `points` (B, N, D), as the decoder reads between the nodes of `after`."""
        fine = rolled({"fine": after.fine}, after.before.shift, 1)["fine"]  # seen in a frame that moves by whole cells
        return self.decoder.between(fine, fields, after.before.geometry, points)


def _integrated_fields(normaliser: Normaliser) -> dict[tuple[int, str], list[str]]:
    """Number of dimensions and output field -> the diffusivities of all problems that have both."""
    found: dict[tuple[int, str], list[str]] = {}
    for problem in normaliser.problems.values():
        for name in normaliser.output_fields(problem):
            known = found.setdefault((problem.num_dimensions, name), [])
            known.extend(one for one in diffusivities(problem) if one not in known)
    return found
