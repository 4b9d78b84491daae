"""The dataset card: the registry entry of one dataset, typed. Read by `upsctl.profile_reader` alone."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from upsctl.frame_card import FrameCard, check_frame
from upsctl.sample import BoundaryKind

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*_v[0-9]+$"
"""A dataset's name: a folder's name too, ending in its version."""


class Frozen(BaseModel):
    """A frozen part of a profile that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AxisCard(Frozen):
    """One spatial axis.

    Attributes:
        name: x, y or z.
        low, high: the domain's ends, in `units`.
        num_cells: stored cells.
        units: of length.
        boundary: the kind at the low and at the high end.
    """

    name: Literal["x", "y", "z"]
    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    num_cells: int = Field(gt=0)
    units: str = "m"
    boundary: tuple[BoundaryKind, BoundaryKind]

    @model_validator(mode="after")
    def _has_an_extent(self) -> "AxisCard":
        if not self.low < self.high:
            raise ValueError(f"axis {self.name}: expected `low` below `high`, got {self.low:g} and {self.high:g}")
        return self


class TimeCard(Frozen):
    """The stored frames.

    Attributes:
        dt: time between frames, in `units`.
        num_frames: stored frames; 1 for a steady problem.
        start: time of the first frame.
        units: of time.
    """

    dt: float = Field(gt=0, allow_inf_nan=False)
    num_frames: int = Field(gt=0)
    start: float = 0.0
    units: str = "s"


class FieldCard(Frozen):
    """One field.

    Attributes:
        role: whether it changes in time.
        tensor_order: 0 scalar, 1 vector, 2 tensor.
        units: such as m/s; 1 for a number.
        description: its meaning, in one line.
    """

    role: Literal["variable", "constant"] = "variable"
    tensor_order: Literal[0, 1, 2] = 0
    units: str
    description: str


class ParameterCard(Frozen):
    """One physical parameter.

    Attributes:
        units: such as m2/s; 1 for a number.
        description: its meaning, in one line.
        values: the few values that it takes; results are then told for each.
        range: or the ends between which it is drawn.
    """

    units: str
    description: str
    values: tuple[float, ...] = ()
    range: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _has_values_or_range(self) -> "ParameterCard":
        if bool(self.values) == bool(self.range):
            raise ValueError("a parameter has either `values` or a `range`")
        return self

    @property
    def values_text(self) -> str:
        """`0.001, 0.01`, or `0.1 to 5`."""
        if self.range is not None:
            return "{:g} to {:g}".format(*self.range)
        return ", ".join(f"{value:g}" for value in self.values)


class RecipeSource(Frozen):
    """Content made by a deterministic solver.

    Attributes:
        recipe: a file of `upsctl/recipes/`.
        seed: of every draw.
        settings: the recipe's own config; unknown keys are refused.
    """

    recipe: str
    seed: int = Field(ge=0)
    settings: dict[str, Any]


class VendorFile(Frozen):
    """One file of the vendor.

    Attributes:
        filename: the vendor's name of it.
        address: where to get it.
        md5: the hash it must have.
        num_bytes: its size.
        parameters: the physical parameters of all its trajectories, for people: the converter reads the file's own.
    """

    filename: str
    address: str
    md5: str
    num_bytes: int
    parameters: dict[str, float] = Field(default_factory=dict)


class VendorSource(Frozen):
    """Content converted from the vendor's files.

    Attributes:
        converter: a file of `upsctl/converters/`.
        settings: the converter's own config; unknown keys are refused.
        files: what is fetched.
    """

    converter: str
    settings: dict[str, Any] = Field(default_factory=dict)
    files: tuple[VendorFile, ...] = ()


class SplitsCard(Frozen):
    """Number of trajectories in each split, in all.

    Attributes:
        train: for training and statistics.
        valid: for choosing.
        test: for the last look.
    """

    train: int = Field(ge=0)
    valid: int = Field(ge=0)
    test: int = Field(ge=0)


class Probe(Frozen):
    """One stored value by which a machine with other last bits recognises the same content.

    Attributes:
        trajectory_id, field: which array.
        index: frame, cell indices and component.
        value: in the field's units; a made artifact agrees to 1e-5 of the field's rms.
    """

    trajectory_id: str
    field: str
    index: tuple[int, ...]
    value: float


class ArchivePart(Frozen):
    """One object in a store.

    Attributes:
        key: its name there.
        num_bytes: its size.
        sha256: of its bytes.
    """

    key: str
    num_bytes: int
    sha256: str


class ArtifactRecord(Frozen):
    """Where one packed artifact of this card was pushed; written back by `upsctl data push`.

    Attributes:
        store: a profile of stores/, by name or path.
        parts: the archive's pieces in order; concatenated, they are one `.tar.zst`.
        archive_digest: SHA-256 over the concatenation.
        content_digest, source_digest: of the artifact inside, as its manifest has them.
    """

    store: str
    parts: tuple[ArchivePart, ...] = Field(min_length=1)
    archive_digest: str
    content_digest: str
    source_digest: str


class DatasetCard(Frozen):
    """One name, one physics, one content.

    Attributes:
        name: the file's name, which ends in the version: `_v1`.
        title: a few words.
        description: what a person must know before using the data.
        equation: what is solved.
        modality: how space is divided.
        axes: one for each dimension, in the order of the arrays.
        time: the stored frames.
        fields: name -> field, variable and constant.
        parameters: name -> physical parameter.
        frame: the exact scaling that the equations allow, if any.
        source: how the content is made.
        splits: number of trajectories.
        checks: what the tests measured of the content.
        probes: values by which another machine's content is recognised.
        licence: of the data.
        citation: of the data.
        artifacts: where packed artifacts were pushed.
    """

    name: str = Field(pattern=NAME_PATTERN)
    title: str
    description: str
    equation: str
    modality: Literal["grid"]
    axes: tuple[AxisCard, ...] = Field(min_length=1, max_length=3)
    time: TimeCard
    fields: dict[str, FieldCard] = Field(min_length=1)
    parameters: dict[str, ParameterCard] = Field(default_factory=dict)
    frame: FrameCard | None = None
    source: RecipeSource | VendorSource
    splits: SplitsCard
    checks: dict[str, float] = Field(default_factory=dict)
    probes: tuple[Probe, ...] = ()
    licence: str
    citation: str
    artifacts: tuple[ArtifactRecord, ...] = ()

    @model_validator(mode="after")
    def _frame_fits(self) -> "DatasetCard":
        if self.frame is not None:
            check_frame(self.frame, list(self.fields), [axis.boundary for axis in self.axes])
        return self

    @property
    def num_dimensions(self) -> int:
        """Number of spatial axes."""
        return len(self.axes)

    @property
    def variable_fields(self) -> dict[str, FieldCard]:
        """The fields that change in time, in the card's order."""
        return {name: card for name, card in self.fields.items() if card.role == "variable"}

    @property
    def constant_fields(self) -> dict[str, FieldCard]:
        """The fields that do not, in the card's order."""
        return {name: card for name, card in self.fields.items() if card.role == "constant"}

    def num_components(self, field: str) -> int:
        """Number of channels of `field`: D to the power of its tensor order."""
        return self.num_dimensions ** self.fields[field].tensor_order
