"""One broken rule of the artifact format."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """Which file, which place in it, which rule, and what stands there instead.

    Attributes:
        file: path inside the artifact.
        place: a dataset, attribute or key; empty for the file as a whole.
        rule: what the format asks.
        got: what came.
    """

    file: str
    place: str
    rule: str
    got: str

    @property
    def line(self) -> str:
        """One line for people."""
        return f"{self.file}{': ' if self.place else ''}{self.place}: {self.rule}; got {self.got}"
