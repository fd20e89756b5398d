"""Sphinx's configuration. ``make docs`` builds the site, without the network, and treats warnings as errors."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]
# autodoc imports the package, and with it Airflow, which writes its settings to its home.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="cloudzero-docs-"))

import inventories  # noqa: E402

from cloudzero_provider import __version__  # noqa: E402

project = "CloudZero for Apache Airflow"
author = "The airflow-provider-cloudzero authors"
release = __version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "repository_pages",
    "short_names",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["attrs_inline", "colon_fence"]
# Links to headings, as GitHub makes them.
myst_heading_anchors = 4

nitpicky = True
# In signatures, but nothing that a user makes or calls.
nitpick_ignore = [
    ("py:mod", "cloudzero_provider.airflow_support.errors"),
    ("py:class", "Claims"),
    ("py:class", "cloudzero_provider.values.json_objects.JsonObjects"),
    ("py:class", "Journal"),
    ("py:class", "NotGiven"),
    ("py:class", "PassedGuards"),
    ("py:class", "Transform"),
    ("py:class", "cloudzero_provider.anycost.plan.Unit"),
    ("py:class", "Decimal"),
    ("py:class", "Values"),
]
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_use_legacy_class_based = True
python_display_short_literal_types = True
python_use_unqualified_type_names = True

# The build needs no network: inventories/ lists the names of other projects that the pages refer to. With ONLINE=1, the
# projects' own inventories are used, which shows whether those lists are still right.
intersphinx_mapping = inventories.mapping(HERE / "inventories", online=bool(os.environ.get("ONLINE")))

html_theme = "furo"
html_title = f"CloudZero for Airflow {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
copybutton_exclude = ".linenos, .gp, .go"
