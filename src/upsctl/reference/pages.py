"""All generated pages by their place in docs/."""

from pathlib import Path

from upsctl.reference.command_page import command_page
from upsctl.reference.dataset_page import dataset_page, dataset_registry
from upsctl.reference.exit_code_page import exit_code_page
from upsctl.reference.leaderboard_page import leaderboard_page, readme_page
from upsctl.reference.profile_page import profile_page

PAGES = {
    "reference/commands.md": command_page,
    "reference/profiles.md": profile_page,
    "reference/exit_codes.md": exit_code_page,
    "reference/datasets.md": dataset_page,
    "dataset_registry.yaml": dataset_registry,
    "reference/leaderboards.md": leaderboard_page,
    "../README.md": readme_page,
}


def write_pages(docs: Path) -> list[Path]:
    """Write every page below the folder `docs`; the files written."""
    written = []
    for name, page in PAGES.items():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")
        written.append(path)
    return written
