"""The page of leaderboards and the README's table: from the rows that are committed in docs/leaderboard/."""

from collections.abc import Sequence
from pathlib import Path

import upsctl
from upsctl.console import Result
from upsctl.evaluation.leaderboard import build_leaderboards
from upsctl.evaluation.leaderboard_view import EXPLANATION, build_result
from upsctl.evaluation.looks import count_looks
from upsctl.evaluation.rows import Row
from upsctl.evaluation.rows_file import FILE_NAME, read_rows

ROOT = Path(upsctl.__file__).parents[2]
RECORDS = ROOT / "docs" / "leaderboard"
HEAD = f"""# Leaderboards

Made by `make docs` from the rows in `docs/leaderboard/`. {EXPLANATION}
"""
BEGIN, END = "<!-- leaderboard: made by `make docs` -->\n", "<!-- end of the leaderboard -->\n"
IN_README = "quickstart"


def leaderboard_page() -> str:
    """Every committed campaign with its tables."""
    records = sorted(path.parent for path in RECORDS.glob(f"*/{FILE_NAME}"))
    return HEAD + "".join(map(_section, records))


def readme_page() -> str:
    """The README with the quickstart's present table in its place."""
    before, _, rest = (ROOT / "README.md").read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = read_rows(RECORDS / IN_README / FILE_NAME)
    parts = build_result(build_leaderboards(rows)).parts[:2]  # what it costs stands on the page of leaderboards
    return f"{before}{BEGIN}\n{_tables(parts)}\n{_origin(rows)}\n{END}{after}"


def _section(record: Path) -> str:
    rows = read_rows(record / FILE_NAME)
    parts = build_result(build_leaderboards(rows)).parts
    return f"\n## {record.name}\n\n{_origin(rows)}{_looks(rows)}\n\n{_tables(parts)}"


def _looks(rows: Sequence[Row]) -> str:
    """How often the test splits that the rows are of were looked at, by all campaigns."""
    datasets = sorted({row.dataset for row in rows if row.split == "test"})
    counts = [f"{name} {count_looks(RECORDS, name)}" for name in datasets]
    return f" Looks at the test split so far: {', '.join(counts)} (`test_looks.jsonl`)." if counts else ""


def _tables(parts: Sequence[Result]) -> str:
    return "\n".join(map(_table, parts))


def _table(part: Result) -> str:
    title = "".join(f"**{line}**\n\n" for line in part.lines if line)
    rule = "|---|" + "---:|" * (len(part.columns) - 1)
    return title + "\n".join([_line(part.columns), rule, *map(_line, part.rows)]) + "\n"


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _origin(rows: Sequence[Row]) -> str:
    """What made the rows: commands, seeds, machines and commits."""
    parts = {
        "by": sorted({f"`{row.command}`" for row in rows}),
        "seeds": sorted({str(row.seed) for row in rows}),
        "on": sorted({row.device for row in rows}),
        "at commit": sorted({row.commit[:8] for row in rows}),
    }
    told = [f"{name} {' and '.join(found)}" for name, found in parts.items()]
    return f"Made {', '.join(told)}."
