"""What a campaign tells at its end, and what it would do."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from upsctl.campaign.choices import trained_contestants
from upsctl.campaign.run_campaign import Campaign
from upsctl.campaign.sweep import planned_sweep_seconds
from upsctl.console import Result
from upsctl.evaluation.figure_sources import draw_figure, figure_class, read_source
from upsctl.evaluation.leaderboard import Leaderboard, build_leaderboards
from upsctl.evaluation.leaderboard_view import build_result
from upsctl.evaluation.looks import count_looks
from upsctl.evaluation.recorded_evaluation import PREDICTIONS, predictions_path
from upsctl.evaluation.rows_file import read_rows
from upsctl.profiles import RunProfile
from upsctl.suite_profile import SuiteProfile
from upsctl.training.run_folder import RunFolder
from upsctl.training.run_summary import summarise_runs


def describe_campaign(campaign: Campaign) -> Result:
    """The trainings of a campaign and what they cost from the beginning, without the sweep's extensions at an edge."""
    suite = campaign.suite
    parts = planned_seconds(suite)
    rows = [(name, f"{seconds / 60:.1f}") for name, seconds in parts.items() if seconds]
    lines = [
        f"would compare {', '.join(one.label for one in suite.contestants)}",
        f"on {', '.join(suite.datasets)}, {' and '.join(campaign.splits)} split; everything in {campaign.folder}",
        "the times are those of a campaign begun anew; what is done already is not done again",
        *([f"rows, sweep and step times in {campaign.record}"] if campaign.record != campaign.folder else []),
    ]
    values = {"is_dry_run": True, "suite": campaign.name, "splits": list(campaign.splits), "seconds": parts}
    rows.append(("in all", f"{sum(parts.values()) / 60:.1f}"))
    return Result(values, lines, ("part", "minutes of training"), rows)


def planned_seconds(suite: SuiteProfile) -> dict[str, float]:
    """Part of a campaign -> seconds of training, from the beginning."""
    one_each = len(suite.datasets) * len(suite.seeds) * suite.budget_seconds
    return {
        "tuning": planned_sweep_seconds(suite),
        "trainings": len(trained_contestants(suite)) * one_each,
        "one model for all": one_each if suite.mixture is not None else 0.0,
        "long trainings": 2 * len(suite.datasets) * suite.budget_seconds * (suite.long_budget_factor or 0.0),
    }


def report_campaign(campaign: Campaign) -> Result:
    """Leaderboard, figures, where everything is, and what to type next."""
    every = build_leaderboards(read_rows(campaign.rows_path), campaign=campaign.name)
    boards = [board for board in every if board.contest.split in campaign.splits]
    pictures = [str(path) for path in _draw_figures(campaign, boards)]
    lines = [campaign.suite.note] if campaign.suite.note else []
    lines += [line for board in boards if (line := _looks(campaign, board))]
    places = {
        "rows": str(campaign.rows_path), "trainings": str(campaign.folder / "trainings"),
        "predictions": str(campaign.folder / PREDICTIONS), "step times": str(campaign.file.path),
        "data": ", ".join(str(artifact.path) for artifact in campaign.evaluated.values()),
        "figures": ", ".join(pictures)}  # fmt: skip
    lines += [f"{what}: {place}" for what, place in places.items() if place]
    return build_result(boards, lines, _next_step(campaign, boards), {"places": places})


def _looks(campaign: Campaign, board: Leaderboard) -> str:
    if board.contest.split != "test":
        return ""
    dataset = board.contest.dataset
    return f"looks at the test split of {dataset}: {count_looks(campaign.record.parent, dataset)}"


def _next_step(campaign: Campaign, boards: Sequence[Leaderboard]) -> str:
    """To see the best emulator's rollouts move."""
    for board in boards:
        for path in _predictions(campaign, board):
            return f"upsctl viz draw rollout_movie --predictions {path}"
    return ""


def _predictions(campaign: Campaign, board: Leaderboard) -> list[Path]:
    """What a board's contestants predicted with their first seed, in the board's order; those that are there."""
    contest = board.contest
    paths = [
        predictions_path(campaign.folder, one.label, contest.dataset, contest.split, min(one.seeds),
                         contest.budget_seconds if one.num_steps else None)
        for one in board.entries
    ]  # fmt: skip
    return [path for path in paths if path.is_file()]


def _is_shown(profile: RunProfile, board: Leaderboard, campaign: Campaign) -> bool:
    """Whether a training is the first seed's of a board's budget and dataset."""
    is_of_board = board.contest.dataset in profile.datasets and profile.budget_seconds == board.contest.budget_seconds
    return is_of_board and profile.seed == campaign.suite.seeds[0]


def _figures_folder(campaign: Campaign, board: Leaderboard) -> Path:
    """figures/<dataset>, with the split and the budget where they are not the suite's own."""
    contest, suite = board.contest, campaign.suite
    split = "" if contest.split == suite.split else f"_{contest.split}"
    budget = "" if contest.budget_seconds == suite.budget_seconds else f"_{contest.budget_seconds:g}s"
    return campaign.folder / "figures" / f"{contest.dataset}{split}{budget}"


def _draw_figures(campaign: Campaign, boards: Sequence[Leaderboard]) -> Iterator[Path]:
    """Each figure of the suite, for each board: of as many of its emulators as the figure can show, the first first."""
    readable, _ = summarise_runs(campaign.folder / "trainings")
    runs = [(run, run.profile) for run in (RunFolder(summary.path) for summary in readable)]
    for board in boards:
        labels = [entry.label for entry in board.entries]
        trained = {profile.label: list(run.events()) for run, profile in runs if _is_shown(profile, board, campaign)}
        events = {label: trained[label] for label in labels if label in trained}  # one order, so one colour for each
        found = _predictions(campaign, board)
        for name in campaign.suite.figures:
            for count in (len(found), 3, 1):
                source = read_source(found[:count], events)
                if figure_class(name)().is_drawable(source):
                    result = draw_figure(name, source, _figures_folder(campaign, board))
                    yield Path(result.values["picture"])
                    break
