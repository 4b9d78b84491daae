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
    values = {"path": str(found.path), "violations": [dict(vars(one)) for one in found.violations]}
    lines = [one.line for one in found.violations] or [f"{found.path}: keeps every rule"]
    console.show(console.Result(values, lines), as_json)
    if found.violations:
        problem = f"{found.path}: rules broken: {len(lines)}, first {lines[0]}"
        raise IntegrityError(problem, next_step=found.next_step)
