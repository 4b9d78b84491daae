"""`python -m upsctl.reference`: write every generated page into ./docs."""

from pathlib import Path

from upsctl import console
from upsctl.reference.pages import write_pages

for path in write_pages(Path("docs")):
    console.say(f"wrote {path}")
