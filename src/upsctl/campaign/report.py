"""What a campaign tells at its end, and what it would do."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from upsctl.campaign.choices import trained_contestants
from upsctl.campaign.run_campaign import Campaign
from upsctl.console import Result
from upsctl.evaluation.figure_sources import draw_figure, figure_class, read_source
from upsctl.evaluation.leaderboard import Leaderboard, build_leaderboards
from upsctl.evaluation.leaderboard_view import build_result
from upsctl.evaluation.recorded_evaluation import predictions_path
from upsctl.evaluation.rows_file import read_rows
from upsctl.training.run_folder import RunFolder, list_runs


def describe_campaign(campaign: Campaign) -> Result:
    """The trainings of a campaign and what they cost, without the sweep's extensions at an edge."""
    suite = campaign.suite
    trained = trained_contestants(suite)
    final = len(trained) * len(suite.datasets) * len(suite.seeds) * suite.budget_seconds
    tuning = 0.0
    if suite.sweep is not None:
        sizes = [len(one.learning_rates) * len(one.widths) for one in trained]
        rounds = suite.sweep.num_finalists * suite.sweep.final_seconds + 2 * suite.sweep.prediction_seconds
        tuning = len(suite.datasets) * sum(size * suite.sweep.first_seconds + rounds for size in sizes)
    both = len(suite.seeds) * len(suite.datasets) * suite.budget_seconds if suite.mixture is not None else 0.0
    long = 2 * len(suite.datasets) * suite.budget_seconds * (suite.long_budget_factor or 0.0)
    parts = {"tuning": tuning, "trainings": final, "one model for all": both, "long trainings": long}
    rows = [(name, f"{seconds / 60:.1f}") for name, seconds in parts.items() if seconds]
    lines = [
        f"would compare {', '.join(one.label for one in suite.contestants)}",
        f"on {', '.join(suite.datasets)}, {campaign.split} split; everything in {campaign.folder}",
    ]
    values = {"is_dry_run": True, "suite": campaign.name, "split": campaign.split, "seconds": parts}
    rows.append(("in all", f"{sum(parts.values()) / 60:.1f}"))
    return Result(values, lines, ("part", "minutes of training"), rows)


def report_campaign(campaign: Campaign) -> Result:
    """Leaderboard, figures, where everything is, and what to type next."""
    rows = [row for row in read_rows(campaign.rows_path) if row.split == campaign.split]
    boards = build_leaderboards(rows, campaign=campaign.name)
    pictures = [str(path) for path in _draw_figures(campaign, boards)]
    lines = [campaign.suite.note] if campaign.suite.note else []
    lines += [f"rows: {campaign.rows_path}", f"trainings: {campaign.folder / 'trainings'}"]
    lines += [f"figures: {', '.join(pictures)}"] if pictures else []
    checkpoint = next(iter(_checkpoints(campaign)), None)
    next_step = f"upsctl predict {checkpoint} --input state.npz --steps 40" if checkpoint else ""
    return build_result(boards, lines, next_step)


def _draw_figures(campaign: Campaign, boards: Sequence[Leaderboard]) -> Iterator[Path]:
    """Each figure of the suite, for each board: of as many of its emulators as the figure can show, the first first."""
    events = {run.profile.label: list(run.events()) for run in list_runs(campaign.folder / "trainings")}
    for board in boards:
        dataset, labels = board.contest.dataset, [entry.label for entry in board.entries]
        paths = [predictions_path(campaign.folder, label, dataset, campaign.split) for label in labels]
        found = [path for path in paths if path.is_file()]
        for name in campaign.suite.figures:
            for count in (len(found), 3, 1):
                source = read_source(found[:count], events)
                if figure_class(name)().is_drawable(source):
                    result = draw_figure(name, source, campaign.folder / "figures" / dataset)
                    yield Path(result.values["picture"])
                    break


def _checkpoints(campaign: Campaign) -> Iterator[Path]:
    """The checkpoints of our model."""
    for run in list_runs(campaign.folder / "trainings"):
        if run.profile.model.emulator == "universal":
            yield from _of(run)


def _of(run: RunFolder) -> Iterator[Path]:
    for stage in run.profile.stages:
        checkpoint = run.checkpoint(stage)
        if checkpoint is not None:
            yield checkpoint.parent / "checkpoint"
