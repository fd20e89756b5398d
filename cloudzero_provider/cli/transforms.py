"""The transforms of a check: FOCUS with its options, and functions of the user's own modules."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudzero_provider.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from cloudzero_provider.transforms import Transform

_EXPECTED = "expected module:function, like acme.bill:to_cbf, or file.py:function"


def chosen_transforms(names: Sequence[str], *, focus: bool, focus_options: Mapping[str, Any]) -> list[Transform]:
    """
    Return the transforms to apply, in order.

    :param names: functions, or lists of functions, as ``module:name``.
    :param focus: whether the rows are FOCUS charges, which are converted first.
    :param focus_options: parameters of :func:`~cloudzero_provider.anycost.focus.to_cbf`; ``None`` and an empty list
        leave its default.
    :raises ConfigurationError: when one can't be imported, or an option of FOCUS is given without FOCUS.
    """
    options = {name: value for name, value in focus_options.items() if value not in (None, [])}
    if options and not focus:
        raise ConfigurationError(f"{', '.join(_option(name) for name in options)}: only with --focus.")
    return ([_to_cbf(options)] if focus else []) + [each for name in names for each in load(name)]


def load(name: str) -> list[Transform]:
    """
    Import what a DAG gives as ``transform``: from a module that Python finds, also in this folder, or from a file.

    :param name: ``module:name`` or ``file.py:name`` of a function, or of a list of functions.
    :return: the functions, in order.
    :raises ConfigurationError: when there is no such module or function.
    """
    where, colon, attribute = name.rpartition(":")
    if not (colon and where and attribute.isidentifier()):
        raise ConfigurationError(f"--transform is {name!r}: {_EXPECTED}.")
    try:
        module = _module(where)
    except Exception as error:  # Importing a user's module may raise anything.
        raise ConfigurationError(f"--transform: {where} can't be imported ({type(error).__name__}: {error}).") from None
    found = getattr(module, attribute, None)
    transforms: list[Any] = list(found) if isinstance(found, (list, tuple)) else [found]
    if not transforms or not all(map(callable, transforms)):
        problem = "has no" if found is None else "is not a function, nor a list of functions:"
        raise ConfigurationError(f"--transform: {where} {problem} {attribute}; {_EXPECTED}.")
    return transforms


def _module(where: str) -> ModuleType:
    if not where.endswith(".py"):
        _find_modules_in(Path.cwd())
        return importlib.import_module(where)
    path = Path(where).resolve(strict=True)
    # Modules beside a DAG file can be imported in Airflow, too.
    _find_modules_in(path.parent)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _find_modules_in(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _to_cbf(options: Mapping[str, Any]) -> Transform:
    from cloudzero_provider.anycost.focus import to_cbf

    # The name of the function is in the log.
    transform = partial(to_cbf, **options)
    transform.__name__ = to_cbf.__name__  # type: ignore[attr-defined]
    return transform


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
