"""The pages of the documentation: their sections, links and blocks of code."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.paths import ROOT

DOCS = ROOT / "docs"
#: What people read: the site's own pages, and those that are files of the repository.
PAGES = sorted(
    [
        *(path for path in DOCS.rglob("*.md") if not {"_build", "examples"} & set(path.relative_to(DOCS).parts[:-1])),
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
        *(ROOT / name for name in ("benchmarks/README.md", "tests/README.md")),
    ]
)
_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+)(?P<info>.*)$")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def text_of(page: str) -> str:
    """What a page says; the name is the file's, without its ending, or a path from the root of the project."""
    path = ROOT / page if page.endswith(".md") else DOCS / f"{page}.md"
    return path.read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    """The text below a heading, with that of the headings below it."""
    text = text_of(page)
    [(marks, found)] = re.findall(rf"^(##+) {re.escape(title)}\n(.*?)(?=^##? |\Z)", text, re.DOTALL | re.MULTILINE)
    return re.split(rf"^#{{2,{len(marks)}}} ", found, flags=re.MULTILINE)[0]


@dataclass(frozen=True)
class Block:
    """A block of code of a page."""

    page: str
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of code of a page, those in lists included; the language of a directive is its name in braces."""
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        if opening := _FENCE.match(line):
            code = []
            for _, inner in lines:
                if inner.strip() == opening["fence"]:
                    break
                code.append(inner)
            language = opening["info"].split(" ")[0]
            yield Block(name_of(page), number, language, textwrap.dedent("\n".join(code)) + "\n")


BLOCKS = [block for page in PAGES for block in blocks(page)]
