"""Check the built documentation: every link inside it leads somewhere, and its pages load nothing from elsewhere."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a browser fetches by itself to show a page.
LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src"), ("source", "srcset")}


@dataclass
class Page(HTMLParser):
    """The ids and the references of a page: (tag, attribute, value)."""

    path: Path
    ids: set[str] = field(default_factory=set)
    references: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name in {"href", "src", "srcset"} and value:
                self.references.append((tag, name, value))


def problems(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the pages of a folder."""
    pages = {path: Page(path) for path in sorted(folder.rglob("*.html"))}
    for page in pages.values():
        name = page.path.relative_to(folder)
        for tag, attribute, value in page.references:
            parts = urlsplit(value)
            if parts.scheme or parts.netloc:
                if (tag, attribute) in LOADED and parts.scheme != "data":
                    yield f"{name}: loads {value}"
                continue
            target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            if not target.exists():
                yield f"{name}: {value}: there is no such file"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                yield f"{name}: {value}: the page has no such place"


def main() -> int:
    """Print the problems; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    found = sorted(set(problems(folder)))
    print(
        "\n".join(found)
        if found
        else f"{sum(1 for _ in folder.rglob('*.html'))} pages: all links inside lead somewhere."
    )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
