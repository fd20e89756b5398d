"""The problems of rows: grouped by the rule they break, and in a file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.values.problem_files import ending_of_list, write_list
from cloudzero_provider.values.whole_files import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudzero_provider.exceptions import Problem

OPTION = "--problems"
#: Examples of each rule in a report.
_EXAMPLES = 3


@dataclass
class BrokenRule:
    """A rule that values of a column break."""

    column: str | None
    rule: str
    count: int = 0
    examples: list[Problem] = field(default_factory=list)


def by_rule(problems: Iterable[Problem]) -> list[BrokenRule]:
    """Group problems by column and rule, those of the most rows first; the first few of each are its examples."""
    groups: dict[tuple[str | None, str], BrokenRule] = {}
    for problem in problems:
        group = groups.setdefault((problem.column, problem.rule), BrokenRule(problem.column, problem.rule))
        group.count += 1
        if group.count <= _EXAMPLES:
            group.examples.append(problem)
    return sorted(groups.values(), key=lambda group: -group.count)


def check_path(path: str, files: Sequence[str]) -> None:
    """
    Refuse a list with an unknown extension, or one that would replace one of the files that are checked.

    :param path: of the list.
    :param files: what is checked.
    :raises ConfigurationError: when it can't be written there.
    """
    if "://" in path:
        raise ConfigurationError(f"{OPTION} {path}: expected a file on this machine.")
    ending_of_list(path, OPTION)
    if os.path.realpath(path) in {os.path.realpath(name) for name in files}:
        raise ConfigurationError(f"{OPTION} {path} is a file to check, and would be overwritten.")


def write_problems(problems: Iterable[Problem], path: str) -> None:
    """
    Write every problem to a file: where, column, value and rule.

    :param problems: in the order of the rows.
    :param path: of the file, which is replaced. Its extension says how they are written.
    """
    ending = ending_of_list(path, OPTION)
    with whole_file(path) as file:
        write_list(problems, file, ending)
