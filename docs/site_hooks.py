"""The pages that stand outside of docs/ or are made of the package, and sessions shown as such."""

import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}

sys.path.insert(0, str(Path(__file__).parent))
from reference import pages


def on_files(files: Files, *, config: Any) -> None:
    """Adds the pages that stand outside of docs/, and the reference."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text().replace("](docs/", "](")
        for name, target in PAGES.items():
            text = text.replace(f"]({name})", f"]({target})")
        files.append(File.generated(config, page, content=text))
    for page, content in pages().items():
        files.append(File.generated(config, page, content=content))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Python's sessions, whose prompts and outputs are then not copied."""
    return markdown.replace("```python\n>>> ", "```pycon\n>>> ")
