"""`upsctl doctor`: whether this machine can do the work."""

from upsctl.options import AsJson


def doctor(as_json: AsJson = False) -> None:
    """Look at Python, packages, cores, memory, disks and devices, and say what to do where something is wrong.

    Example: upsctl doctor
    """
    from dataclasses import asdict

    from upsctl import console
    from upsctl.errors import ResourcesError
    from upsctl.health import examine_machine

    findings = examine_machine()
    wrong = [finding for finding in findings if finding.problem]
    rows = [(found.name, found.value, found.problem or "good", found.next_step) for found in findings]
    values = {"findings": [asdict(finding) for finding in findings], "num_problems": len(wrong)}
    next_step = "" if wrong else "upsctl bench run quickstart"
    result = console.Result(values, columns=("what", "found", "state", "what to do"), rows=rows, next_step=next_step)
    console.show(result, as_json)
    if wrong:
        raise ResourcesError(f"{len(wrong)} problems: " + ", ".join(finding.name for finding in wrong))
