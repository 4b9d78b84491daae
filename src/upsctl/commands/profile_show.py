"""`upsctl profile show`: every value and where it is from."""

from upsctl.options import AsJson, Overrides, ProfileReference


def profile_show(reference: ProfileReference, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Show a profile resolved: every value with its origin (file and line, --set, environment variable, default).

    Example: upsctl profile show runs/quickstart --set optimiser.learning_rate=1e-3
    """
    from upsctl import console
    from upsctl.profile_reader import load_profile, parse_reference

    resolved = load_profile(*parse_reference(reference), overrides or [])
    found = list(resolved.values())
    values = {
        "name": resolved.name,
        "path": str(resolved.path),
        "values": {key: value for key, value, _ in found},
        "origins": {key: origin for key, _, origin in found},
    }
    rows = [(key, str(value), origin) for key, value, origin in found]
    console.show(console.Result(values, columns=("key", "value", "origin"), rows=rows), as_json)
