"""The rows that count: of each place in a leaderboard the last one, which must be as the campaign would make it now."""

from collections.abc import Sequence
from dataclasses import dataclass

from upsctl.evaluation.rows import Row, metric_file
from upsctl.profiles import RunProfile
from upsctl.training.lineage import profile_digest


@dataclass(frozen=True)
class CountedRows:
    """The rows of one training on one dataset that a leaderboard shows.

    Attributes:
        rows: of any campaigns, trainings and datasets, in the order in which they were made.
        campaign, profile, dataset, split: whose rows count.
        recipe_digest, content_digest: of the dataset as it is now.
    """

    rows: Sequence[Row]
    campaign: str
    profile: RunProfile
    dataset: str
    split: str
    recipe_digest: str
    content_digest: str

    def are_made(self, metrics: Sequence[str]) -> bool:
        """Whether every metric has headlines that are of this profile, these data and the present sources."""
        last = {(row.horizon, row.metric): row for row in self.rows if row.per_sample and self._is_own(row)}
        of_metrics = [[row for row in last.values() if metric_file(row.metric) == name] for name in metrics]
        return all(own and all(self._is_made_now(row) for row in own) for own in of_metrics)

    def _is_own(self, row: Row) -> bool:
        own = (self.campaign, self.profile.label, self.dataset, self.split)
        of_training = (self.profile.seed, self.profile.budget_seconds)
        return (row.campaign, row.label, row.dataset, row.split, row.seed, row.budget_seconds) == own + of_training

    def _is_made_now(self, row: Row) -> bool:
        wanted = (profile_digest(self.profile), self.recipe_digest, self.content_digest)
        return not row.is_stale and (row.profile_digest, row.recipe_digest, row.content_digest) == wanted
