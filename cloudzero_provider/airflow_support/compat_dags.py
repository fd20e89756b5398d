"""
What the command line uses of Airflow to look at DAGs; otherwise as :mod:`~cloudzero_provider.airflow_support.compat`.

Checked on Airflow 2.11.2, 3.2.2 and 3.3.2:

=================================  ============  ==============================================================
Airflow's name                     versions      used for
=================================  ============  ==============================================================
``DagBag``                         all           parsing DAGs
``include_examples``               2.11 to 3.2   leaving out Airflow's own examples
``DagBundlesManager``              3             the folders of DAGs; 2.11 has one
``DAGS_FOLDER``                    2.11          that folder
``partial_kwargs``                 all           arguments of a mapped task, for which ``__init__`` never runs
``expand_input``                   all           those it is mapped over
``_disallow_kwargs_override``      all           whether these may replace the others
=================================  ============  ==============================================================
"""

from __future__ import annotations

import inspect
import itertools
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudzero_provider.airflow_support.compat import is_expanded, is_output
from cloudzero_provider.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: The bundles of example DAGs that come with Airflow and its providers.
_EXAMPLES = ("example_dags", "-example-dags")


class Unknown:
    """An argument whose value is only known when the task runs."""

    def __repr__(self) -> str:
        return "(known when the task runs)"


UNKNOWN = Unknown()


@dataclass
class ParsedDags:
    """
    DAGs, as Airflow parsed them.

    :param dags: by id.
    :param errors: file → why it could not be imported.
    """

    dags: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def parse_dags(folder: Path | None) -> ParsedDags:
    """
    Import DAG files as Airflow does, without its database.

    :param folder: a folder or a file; ``None`` for what Airflow is configured with.
    """
    from airflow.models import DagBag

    bags = _configured_bags() if folder is None else [(folder, {})]
    parsed = ParsedDags()
    more: dict[str, Any] = {}
    if "include_examples" in inspect.signature(DagBag).parameters:
        more["include_examples"] = False
    for path, bundle in bags:
        with _helper_modules(path if path.is_dir() else path.parent):
            bag = DagBag(str(path), **more, **bundle)
        for dag_id in parsed.dags.keys() & bag.dags.keys():
            parsed.errors[bag.dags[dag_id].fileloc] = f"{parsed.dags[dag_id].fileloc} has a DAG {dag_id!r}, too"
        parsed.dags |= bag.dags
        parsed.errors |= {str(path / name): str(error) for name, error in bag.import_errors.items()}
    return parsed


@contextmanager
def _helper_modules(folder: Path) -> Iterator[None]:
    """
    Let DAG files import modules beside them, as in Airflow.

    Afterwards they are forgotten: Airflow parses each bundle in processes of its own, so another folder's modules may
    have the same names.
    """
    path, modules = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = path
        for name in sys.modules.keys() - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(folder):
                del sys.modules[name]


def _configured_bags() -> Iterator[tuple[Path, dict[str, Any]]]:
    try:
        from airflow.dag_processing.bundles.manager import DagBundlesManager
    except ImportError:  # Airflow 2.11
        from airflow.settings import DAGS_FOLDER

        yield Path(DAGS_FOLDER), {}
        return
    try:
        bundles = list(DagBundlesManager().get_all_dag_bundles())  # type: ignore[no-untyped-call]
    except Exception as error:
        raise ConfigurationError(f"The DAG bundles that Airflow is configured with can't be read: {error}") from error
    for bundle in bundles:
        if not bundle.name.endswith(_EXAMPLES):
            try:
                bundle.initialize()
            except Exception as error:
                # What it says is not shown: it may hold the address of a repository, with its password.
                raise ConfigurationError(
                    f"The DAG bundle {bundle.name!r} can't be read: {type(error).__name__}. To check folders instead, "
                    "name them."
                ) from error
            yield Path(bundle.path), {"bundle_path": Path(bundle.path), "bundle_name": bundle.name}


def possible_arguments(task: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    """
    Return what some arguments of a task's operator can be, as the DAG gives them: each combination once.

    A name that the DAG does not give is missing: the operator's default applies. One that only a run can know, such as
    the output of an upstream task, is :data:`UNKNOWN`.

    :param task: of a parsed DAG.
    :param names: of arguments that are attributes of the operator as well.
    """
    if not is_expanded(task):
        return [_known({name: getattr(task, name) for name in names})]
    given = {name: task.partial_kwargs[name] for name in names if name in task.partial_kwargs}
    expanded = [name for name in names if name not in given or not task._disallow_kwargs_override]
    found = (_known(given | more) for more in _expanded(task.expand_input.value, expanded))
    # By their text, since a mistaken value may not be hashable.
    return list({repr(arguments): arguments for arguments in found}.values())


def _expanded(value: Any, names: list[str]) -> Iterator[dict[str, Any]]:
    """Return what a task is mapped over: lists of values, or a list of dicts."""
    if isinstance(value, dict):
        lists = [_values(value[name]) for name in names if name in value]
        present = [name for name in names if name in value]
        for values in itertools.product(*lists):
            yield dict(zip(present, values, strict=True))
        return
    for arguments in value if isinstance(value, (list, tuple)) else [None]:
        if isinstance(arguments, dict):
            yield {name: arguments[name] for name in names if name in arguments}
        else:
            yield dict.fromkeys(names, UNKNOWN)


def _values(values: Any) -> list[Any]:
    return list(values) if isinstance(values, (list, tuple)) else [UNKNOWN]


def _known(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: UNKNOWN if is_output(value) else value for name, value in arguments.items()}
