"""The README and CONTRIBUTING.md as pages of the site, and sessions shown as such."""

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md"}


def on_files(files: Files, *, config: Any) -> None:
    """Adds the pages that stand outside of docs/."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text().replace("](docs/", "](")
        for name, target in PAGES.items():
            text = text.replace(f"]({name})", f"]({target})")
        files.append(File.generated(config, page, content=text))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Python's sessions, whose prompts and outputs are then not copied."""
    return markdown.replace("```python\n>>> ", "```pycon\n>>> ")
