"""`upsctl data pack`: an artifact as an archive."""

from pathlib import Path
from typing import Annotated

import typer

from upsctl.options import AsJson, DatasetReference, DryRun, PartMegabytes


def data_pack(
    reference: DatasetReference,
    output: Annotated[Path, typer.Option("--output", help="Folder of the archive.")] = Path(),
    part_mb: PartMegabytes = 1000,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Pack an artifact into NAME.tar.zst, in several parts where it is large; the same artifact gives the same bytes.

    `upsctl data fetch NAME --archive FILE` brings it into the cache of another machine.

    Example: upsctl data pack burgers1d_subset_v1 --output packed
    """
    from upsctl import console
    from upsctl.data.byte_text import byte_text
    from upsctl.data.pack import pack_dataset, plan_pack

    if dry_run:
        plan = plan_pack(reference)
        line = f"would pack {plan.name}, {byte_text(plan.num_bytes)} before compression, into {output}"
        console.show(console.Result({**vars(plan), "output": str(output), "is_dry_run": True}, [line]), as_json)
        return
    archive = pack_dataset(reference, output, round(part_mb * 1e6))
    files = [str(output / part.key) for part in archive.parts]
    values = {"files": files, "archive_digest": archive.digest, "num_bytes": archive.num_bytes, "is_dry_run": False}
    lines = [f"packed {file}, {byte_text(part.num_bytes)}" for file, part in zip(files, archive.parts, strict=True)]
    result = console.Result(values, [*lines, f"SHA-256 {archive.digest}"], next_step=f"upsctl data verify {files[0]}")
    console.show(result, as_json)
