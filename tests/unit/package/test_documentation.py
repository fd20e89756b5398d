"""The pages of the documentation: links lead somewhere, the README is short, and no example DAG is forgotten."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from support.airflow_lines import SINCE
from support.documentation import DOCS, PAGES, name_of, text_of
from support.paths import ROOT

CODE = re.compile(r"^ *```.*?^ *```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    without_blocks = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", without_blocks, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", CODE.sub("", page.read_text(encoding="utf-8"))):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


def test_every_page_is_in_the_table_of_contents_of_the_site():
    [*tables] = re.findall(r"^```\{toctree\}\n(.*?)```", text_of("index"), re.DOTALL | re.MULTILINE)
    listed = [line for table in tables for line in table.splitlines() if line and not line.startswith(":")]
    assert sorted(listed) == sorted(
        [*(page.stem for page in DOCS.glob("*.md") if page.stem != "index"), "reference/index"]
    )


def test_the_readme_is_short_and_leads_to_every_page():
    text = text_of("README.md")
    assert len(text.splitlines()) <= 150
    pages = {page.name for page in DOCS.glob("*.md")} - {"index.md", "contributing.md", "changelog.md"}
    of_contributing = {"tests.md", "benchmarks.md"}
    assert pages - of_contributing == set(re.findall(r"\(docs/([\w-]+\.md)", text))


EXAMPLES = sorted(path for path in (ROOT / "dags_examples").glob("*.py") if not path.name.startswith("acme_"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_says_what_it_shows_and_which_airflow_it_needs(path):
    text = path.read_text(encoding="utf-8")
    said = ast.get_docstring(ast.parse(text)) or ""
    major, minor = SINCE.get(path.name, (2, 11))
    assert f"\n\nNeeds Airflow {major}.{minor} or later" in said
    assert "doc_md=__doc__," in text.replace("doc_md=__doc__)", "doc_md=__doc__,")


def test_the_gallery_has_every_example():
    listed = re.findall(r"^- \[(\w+)\]\(\.\./dags_examples/(\w+)\.py\)$", text_of("examples"), re.MULTILINE)
    assert all(name == file for name, file in listed)
    assert sorted(name for name, _ in listed) == [path.stem for path in EXAMPLES]


@pytest.mark.parametrize("path", sorted((DOCS / "inventories").glob("*.txt")), ids=lambda path: path.stem)
def test_the_names_of_other_projects_exist(path):
    address, *lines = path.read_text(encoding="utf-8").splitlines()
    assert address.startswith("https://")
    for line in lines:
        name, role, priority, place = line.split(" ")
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(module), attribute), name
        assert (role.startswith("py:"), priority, place.endswith("#$")) == (True, "1", True)
