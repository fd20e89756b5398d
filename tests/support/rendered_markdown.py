"""Render Markdown with a real renderer, and read the HTML."""

from __future__ import annotations

from html.parser import HTMLParser

from markdown_it import MarkdownIt

#: All that a report may become.
TAGS = {"h3", "h4", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "strong", "em"}
#: Values that would be something else than text.
HOSTILE = [
    "](javascript:alert(1))",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<https://evil.example>",
    "a|b",
    "a\\|b",
    "a\\\\|b",
    "ends with \\",
    "`code`",
    "``",
    "`|`",
    "**bold** _it_ __it__ *it*",
    "~~gone~~",
    "&lt;b&gt; &amp; &#124;",
    "# heading",
    "- [ ] task",
    "| --- | --- |",
    "$x$ <!-- comment --> {{ templates }} {% raw %}",
    "[^1] [ref] [ref][1] [x]: y",
    ":---",
]


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


def text_of(shown: str) -> str:
    """A value as it was, without the invisible characters that keep it from becoming a link."""
    return shown.replace("\u2060", "")
