"""`upsctl data verify`: whether an artifact keeps every rule of its format."""

from upsctl.options import AsJson, DatasetReference


def data_verify(reference: DatasetReference, as_json: AsJson = False) -> None:
    """Check a dataset in the cache, an artifact's folder or an archive: every hash, every rule of the format.

    Says which file, which place in it, and which rule.

    Example: upsctl data verify burgers1d_subset_v1
    """
    from upsctl import console
    from upsctl.data.verify import verify_data
    from upsctl.errors import IntegrityError

    found = verify_data(reference)
    rows = [(one.file, one.place, one.rule, one.got) for one in found.violations]
    values = {"path": str(found.path), "violations": [dict(vars(one)) for one in found.violations]}
    lines = [] if rows else [f"{found.path}: keeps every rule"]
    console.show(console.Result(values, lines, ("file", "place", "rule", "got") if rows else (), rows), as_json)
    if rows:
        first = found.violations[0].line
        raise IntegrityError(f"{found.path}: breaks {len(rows)} rules, first {first}", next_step=found.next_step)
