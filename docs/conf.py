"""Sphinx' configuration: README.md, CONTRIBUTING.md, CHANGELOG.md and docs/ as one site.

``make docs-site`` builds it, from the same files that GitHub shows and with its anchors.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from sphinx.addnodes import pending_xref

ROOT = Path(__file__).resolve().parent.parent

project = "Tandem"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Tandem"
html_copy_source = False

root_doc = "README"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md"]
# Only what is not to be looked through at all.
exclude_patterns = [".git", ".venv", ".cache", "build", "dist", "**/__pycache__"]

myst_heading_anchors = 6
myst_heading_slug_func = "github"

ORDER = re.compile(r"\]\(([a-z-]+)\.md\)")  # of the table in docs/README.md


def add_contents(app: Any, document: str, source: list[str]) -> None:
    """Give the first page the list of all others, which the site's side bar shows."""
    if document == root_doc:
        pages = dict.fromkeys(ORDER.findall((ROOT / "docs/README.md").read_text()))
        names = ["docs/README", *(f"docs/{page}" for page in pages), "CONTRIBUTING", "CHANGELOG"]
        lines = "\n".join(names)
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{lines}\n```\n"


def leave_folders(app: Any, document: Any) -> None:
    """Show each link to a folder of the repository, which is no page, as its text alone."""
    here = (ROOT / app.env.docname).parent
    for link in list(document.findall(pending_xref)):
        if link.get("reftype") == "myst" and (here / link["reftarget"]).is_dir():
            link.replace_self(link.children)


def add_index(app: Any, exception: Exception | None) -> None:
    """Show the first page also where browsers and servers look for one."""
    if exception is None and app.builder.name == "html":
        shutil.copyfile(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))


def setup(app: Any) -> dict[str, bool]:
    """Connect the above."""
    app.connect("source-read", add_contents)
    app.connect("doctree-read", leave_folders)
    app.connect("build-finished", add_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
