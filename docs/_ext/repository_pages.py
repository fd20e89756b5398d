"""
Makes pages of files that are elsewhere in the repository.

- ``{include} ../CONTRIBUTING.md`` is replaced by that file.
- A link to a file outside of ``docs/`` becomes a link to its page, if it has one. On GitHub, it leads to the file.
- Each example DAG gets a page, and a list of links to examples becomes a gallery.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
EXAMPLES = ROOT / "dags_examples"
INCLUDE = re.compile(r"^```\{include\} (\S+)\n```$", re.MULTILINE)
LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)(#[^)\s]*)?(?=\))")
GALLERY = re.compile(r"(?:^- \[\w+\]\(\.\./dags_examples/\w+\.py\)\n)+", re.MULTILINE)
#: Files of the repository → their pages.
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "benchmarks/README.md": "benchmarks.md",
    "tests/README.md": "tests.md",
    **{f"dags_examples/{path.name}": f"examples/{path.stem}.md" for path in EXAMPLES.glob("*.py")},
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension with Sphinx."""
    app.connect("builder-inited", lambda _: write_examples())
    app.connect("source-read", lambda _, name, source: source.__setitem__(0, page_text(name, source[0])))
    return {"parallel_read_safe": True}


def page_text(name: str, text: str) -> str:
    """Return what Sphinx reads as a page, given what its file says."""
    folder = (DOCS / name).parent

    def included(match: re.Match[str]) -> str:
        path = (folder / match[1]).resolve()
        return with_page_links(path.read_text(encoding="utf-8"), path.parent, folder)

    text = GALLERY.sub(lambda match: gallery(match[0]), text)
    return with_page_links(INCLUDE.sub(included, text), folder, folder)


def with_page_links(text: str, written_in: Path, read_in: Path) -> str:
    """Make links relative to the folder of the page, and lead to pages where files have one."""

    def link(match: re.Match[str]) -> str:
        target = (written_in / match[1]).resolve()
        if target.is_relative_to(ROOT) and target.exists():
            page = PAGES.get(target.relative_to(ROOT).as_posix())
            target = DOCS / page if page else target
            return os.path.relpath(target, read_in) + (match[2] or "")
        return match[0]

    return LINK.sub(link, text)


def gallery(links: str) -> str:
    """Return cards for a list of links to examples."""
    cards = []
    for name in re.findall(r"\[(\w+)\]", links):
        said = documentation(EXAMPLES / f"{name}.py")
        first = said.split("\n\n")[0]
        needs = re.findall(r"^Needs (Airflow [\d.]+ or later)", said, re.MULTILINE)
        text = "\n\n".join([first, *(f"*{need}*" for need in needs)])
        cards.append(f":::{{grid-item-card}} {name}\n:link: examples/{name}\n:link-type: doc\n\n{text}\n:::\n")
    return "::::{grid} 1 2 2 2\n:gutter: 3\n\n" + "".join(cards) + "::::\n"


def documentation(path: Path) -> str:
    """Return what an example says about itself, which Airflow shows as the documentation of its DAG."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").strip()


def write_examples() -> None:
    """Write a page per example. Files are written only if they change, so that Sphinx reads only those again."""
    folder = DOCS / "examples"
    folder.mkdir(exist_ok=True)
    for path in EXAMPLES.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        code = source[source.index("from __future__") :]
        text = f"# {path.stem}\n\n{documentation(path)}\n\n`dags_examples/{path.name}`:\n\n```python\n{code}```\n"
        page = folder / f"{path.stem}.md"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
