"""`upsctl data fetch`: a dataset into the cache, from wherever it is."""

from pathlib import Path
from typing import Annotated

import typer

from upsctl.options import AsJson, DatasetName, DryRun


def data_fetch(
    name: DatasetName,
    archive: Annotated[Path | None, typer.Option("--archive", help="Take it from this packed archive.")] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, help="Solvers at a time; else one for each processor.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check what the cache has; if it is damaged, fetch it anew.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Bring a dataset into the cache: the cache, a store or the maker, the first that answers; and say which it was.

    Stopped at any moment, the same command goes on where it was; of several vendor's files, with the first again.

    Example: upsctl data fetch burgers1d_subset_v1
    """
    from upsctl import console
    from upsctl.data.archive import archive_parts
    from upsctl.data.byte_text import byte_text
    from upsctl.data.fetch import fetch_dataset
    from upsctl.data.fetch_plan import plan_fetch
    from upsctl.data.pack import import_archive
    from upsctl.profile_reader import find_profile

    if dry_run and archive is not None:
        find_profile("datasets", name)
        parts = archive_parts(archive)
        line = f"{name}: would be unpacked from {', '.join(part.name for part in parts)}, every file checked"
        console.show(console.Result({"name": name, "archive": str(archive), "is_dry_run": True}, [line]), as_json)
        return
    if dry_run:
        plan = plan_fetch(name)
        lines = [f"{plan.name}: would ask {plan.first_source}: {plan.cost}"]
        lines += [f"and, should it not answer, {source}" for source in plan.further_sources]
        console.show(console.Result({**vars(plan), "is_dry_run": True}, lines), as_json)
        return
    result = import_archive(name, archive) if archive is not None else fetch_dataset(name, processes, verify)
    for warning in result.warnings:
        console.warn(warning)
    lines = [f"{result.name}: from {result.answered_by}, {byte_text(result.num_bytes)} in {result.path}"]
    console.show(console.Result({**vars(result), "is_dry_run": False}, lines), as_json)
