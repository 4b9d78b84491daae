"""What a card declares of its equations' scalings and invariants, and where that can hold."""

from collections.abc import Sequence

from pydantic import BaseModel

from upsctl.sample import BoundaryKind


class FrameCard(BaseModel, frozen=True, extra="forbid"):
    """The scaling that the equations allow, from which the normaliser makes exact dimensionless fields.

    The unit of length is the domain's extent L, the unit of velocity is
    `r^2 = rms(u)^2 + L rms(f)` of each sample, and each field is divided by the power of both that its units name.

    Attributes:
        velocity: the field u that carries the velocity scale.
        forcing: the constant field f (an acceleration) that can move a state at rest, if any.
        is_galilean_invariant: whether the mean velocity is taken out (it stays a number); on periodic axes.
        vorticity: the field that is the curl of u in a periodic plane, if any; u is then found from it.
        transported: fields that the flow u carries along, changed on the way only by diffusion and sources.
        conserved_means: fields whose spatial mean never changes; their increments lose their mean.
        dissipated: fields without a source, whose rms about their mean never grows.
        linear: fields in which the equations are linear and homogeneous up to a constant; each is measured in its
            own mean and rms.
    """

    velocity: str
    forcing: str | None = None
    is_galilean_invariant: bool = False
    vorticity: str | None = None
    transported: tuple[str, ...] = ()
    conserved_means: tuple[str, ...] = ()
    dissipated: tuple[str, ...] = ()
    linear: tuple[str, ...] = ()


def check_frame(
    frame: FrameCard, fields: Sequence[str], boundary: Sequence[tuple[BoundaryKind, BoundaryKind]]
) -> None:
    """Refuse what cannot hold on a card's fields and axes.

    Raises:
        ValueError: a name that is no field; a vorticity elsewhere than on a periodic plane; a mean velocity taken out
            where there are walls, which stand still.
    """
    lists = (*frame.transported, *frame.conserved_means, *frame.dissipated, *frame.linear)
    named = {frame.velocity, frame.forcing, frame.vorticity, *lists}
    unknown = {name for name in named if name is not None} - set(fields)
    if unknown:
        raise ValueError(f"`frame` names fields the card lacks: {', '.join(sorted(unknown))}")
    is_periodic = all(kind == "periodic" for ends in boundary for kind in ends)
    if frame.vorticity is not None and not (is_periodic and len(boundary) == 2):
        raise ValueError("`frame.vorticity` finds the velocity on two periodic axes only; leave it out")
    if frame.is_galilean_invariant and not is_periodic:
        raise ValueError("`frame.is_galilean_invariant` needs periodic axes: a wall does not move along; set it false")
