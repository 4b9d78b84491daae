"""`upsctl data prune`: room on the disk."""

from typing import Annotated

import typer

from upsctl.options import AsJson, DryRun


def data_prune(
    max_gb: Annotated[float, typer.Option("--max-gb", min=0, max=1e9, help="What the cache may take, in GB.")],
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Also remove work that was stopped and could go on.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Free the least recently used datasets until the cache takes at most so much; never what a running job holds.

    Example: upsctl data prune --max-gb 2
    """
    from upsctl import console
    from upsctl.data.prune import prune_cache

    console.show(prune_cache(round(max_gb * 1e9), with_unfinished=unfinished, is_dry_run=dry_run), as_json)
