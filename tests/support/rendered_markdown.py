"""Render Markdown with a real renderer, and read the HTML."""

from __future__ import annotations

from html.parser import HTMLParser

from markdown_it import MarkdownIt


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.tables: list[list[list[str]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        self._in_cell = tag in ("td", "th") or (tag in ("em", "code") and self._in_cell)

    _in_cell = False

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_cell:
            self.tables[-1][-1][-1] += data


def rendered(markdown: str) -> _Reader:
    """
    Render Markdown with tables, raw HTML and strikethrough, as GitHub and Airflow have them.

    :return: the ``tags`` of the HTML, its ``text``, and the ``tables``: rows of cells.
    """
    reader = _Reader()
    reader.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))
    return reader
