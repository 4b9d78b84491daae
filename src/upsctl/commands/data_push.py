"""`upsctl data push`: an artifact into a store."""

from typing import Annotated

import typer

from upsctl.options import AsJson, DatasetName, DryRun, PartMegabytes, complete_store


def data_push(
    name: DatasetName,
    store: Annotated[str, typer.Option("--store", help="A store's name or path.", autocompletion=complete_store)],
    part_mb: PartMegabytes = 1000,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Pack a dataset straight into a store, and write into its card where it is, so that others fetch it from there.

    Example: upsctl data push burgers1d_subset_v1 --store home
    """
    from upsctl import console
    from upsctl.data.byte_text import byte_text
    from upsctl.data.open_store import open_writable_store
    from upsctl.data.pack import plan_pack
    from upsctl.data.push import card_to_write, push_dataset

    if dry_run:
        open_writable_store(store)  # what a push does first
        plan, card = plan_pack(name), card_to_write(name)
        lines = [f"would pack {plan.name}, {byte_text(plan.num_bytes)}, into store {store}", f"and say so in {card}"]
        values = {**vars(plan), "store": store, "card": str(card), "is_dry_run": True}
        console.show(console.Result(values, lines), as_json)
        return
    record, card = push_dataset(name, store, round(part_mb * 1e6))
    size = byte_text(sum(part.num_bytes for part in record.parts))
    lines = [f"pushed {name}, {size} in {len(record.parts)} parts, to store {store}", f"its place is in {card}"]
    values = {"record": record.model_dump(mode="json"), "card": str(card), "is_dry_run": False}
    console.show(console.Result(values, lines, next_step=f"upsctl data fetch {name}"), as_json)
