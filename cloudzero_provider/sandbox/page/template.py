"""The page's HTML document, and what its cells have in common."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template

_MAX_CELL_LENGTH = 120

#: Where the parts of the page are, beside the page itself.
CONTENT_PATH, SCRIPT_PATH, STYLE_PATH, ICON_PATH = (
    "/sandbox/page",
    "/sandbox/page/script.js",
    "/sandbox/page/style.css",
    "/sandbox/page/icon.svg",
)

PAGE = Template(f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>CloudZero sandbox</title>
<link rel="icon" href="{ICON_PATH}" type="image/svg+xml">
<link rel="stylesheet" href="{STYLE_PATH}">
<script src="{SCRIPT_PATH}" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<div><h1>CloudZero sandbox</h1><p>Data sent to this machine instead of CloudZero.</p></div>
<div class="live with-script">
<span id="live" role="status">Live</span><button type="button" id="pause">Pause</button>
</div>
<p class="without-script">Without JavaScript, reload the page to see what is new.</p>
</header>
<form id="view" method="get" action="/"></form>
<main id="content" tabindex="-1">$content</main>
</body>
</html>
""")


def static_file(name: str) -> bytes:
    """Read a file that the page loads."""
    return files("cloudzero_provider.sandbox.page").joinpath("static").joinpath(name).read_bytes()


def cell(value: object, longest: int = _MAX_CELL_LENGTH) -> str:
    """Escape a value for HTML and shorten it; None is blank."""
    text = "" if value is None else str(value)
    return escape(text if len(text) <= longest else f"{text[:longest]}…")


def section(key: str, title: str, inside: str) -> str:
    """Render a part of the page under its heading."""
    return f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{title}</h2>{inside}</section>'
