"""A rows file -> leaderboards, in the terminal or as a page. Loads no torch."""

from pathlib import Path

from upsctl.console import Result
from upsctl.errors import UsageError
from upsctl.evaluation.leaderboard import build_leaderboards
from upsctl.evaluation.leaderboard_view import build_page, build_result
from upsctl.evaluation.rows import Horizon
from upsctl.evaluation.rows_file import read_rows
from upsctl.nearest_name import nearest
from upsctl.whole_file import whole_file


def show_rows(
    path: Path, metric: str, horizon: Horizon, campaign: str | None, page: Path | None, *, is_dry_run: bool = False
) -> Result:
    """The leaderboards of a rows file; `page` is where an HTML page goes, if anywhere; a dry run writes none.

    Raises:
        DataError: when the file is missing or holds something else.
        UsageError: when no row has that metric, horizon or campaign.
        DiskError: when the page cannot be written.
    """
    rows = read_rows(path)
    for value, known, what in (
        (metric, sorted({row.metric for row in rows if row.per_sample}), "metric"),
        (campaign, sorted({row.campaign for row in rows}), "campaign"),
    ):
        if value is not None and value not in known:
            expected = nearest(value, known) if known else "at least one headline row"
            raise UsageError(f"{path}: no rows of {what} `{value}`", expected=expected)
    boards = build_leaderboards(rows, metric, horizon, campaign)
    if not boards:
        known = sorted({row.horizon for row in rows if row.metric == metric and row.per_sample})
        raise UsageError(f"{path}: no rows of {metric} at the horizon {horizon}", expected=" or ".join(known))
    lines = [f"{path}: {len(rows)} rows"]
    if page is not None and is_dry_run:
        lines.append(f"would write the page {page}")
    elif page is not None:
        with whole_file(page) as partial:
            partial.write_text(build_page(boards), encoding="utf-8")
        lines.append(f"page: {page}")
    values = {"rows": str(path), "page": str(page) if page is not None else None, "is_dry_run": is_dry_run}
    return build_result(boards, lines, values=values)
