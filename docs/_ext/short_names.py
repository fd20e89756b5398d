"""
Resolves the names in signatures as the modules write them.

Types are imported under ``TYPE_CHECKING``, so Sphinx sees ``date`` or ``pl.DataFrame`` and not where they come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

#: Names of other projects, as modules write them or as their own modules call them → as their pages do.
FULL_NAMES = {
    "AirflowSensorTimeout": "airflow.exceptions.AirflowSensorTimeout",
    "date": "datetime.date",
    "datetime": "datetime.datetime",
    "pl.DataFrame": "polars.DataFrame",
    "pl.Series": "polars.Series",
    "polars.dataframe.frame.DataFrame": "polars.DataFrame",
    "polars.series.series.Series": "polars.Series",
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension with Sphinx, before intersphinx is asked."""
    app.connect("missing-reference", resolve, priority=400)
    return {"parallel_read_safe": True}


def resolve(_app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Node) -> nodes.Node | None:
    """Find the one documented object with this last name; or give the node the full name, for intersphinx."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"] = FULL_NAMES.get(node["reftarget"], node["reftarget"])
    domain = env.domains["py"]
    last = target.split(".")[-1]
    known = {name for name, *_ in domain.get_objects() if name.split(".")[-1] == last}
    if len(known) != 1 or not ("." not in target or target.startswith("cloudzero_provider.")):
        return None
    return domain.resolve_xref(env, node["refdoc"], env.app.builder, node["reftype"], known.pop(), node, content)
