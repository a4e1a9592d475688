"""What a study is, where its results lie, and how all of them are found."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import pandas as pd

from casebook.contracts import refuse
from casebook.worlds import Dial, World, as_table


@dataclass(frozen=True)
class Study:
    """Worlds to be played once and committed.

    Parameters
    ----------
    name : str
        File name without ending, such as ``"03_thresholds"``.
    world : callable
        Function of a module (no lambda, none defined inside a function), so that it can be imported.
    dials : sequence of Dial
    n : int
        Number of drawn worlds.
    seed : int
    null_n : int
        Number of null worlds; 0 for a study that has no null, such as one of coverage.
    title : str
        One line for the page.

    Raises
    ------
    ContractError
        If the world cannot be imported by name, or a count is out of range.

    Examples
    --------
    >>> lift = Dial("lift", 0.0, 2.0, "dollars", "assumed", "treating pays", null=0.0)
    >>> Study("01_x", lambda dials, rng: {}, (lift,), 20, 1, 20, "Treating pays")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: study '01_x', world must be a function of a module, got <lambda>; \
move it to the top level.
    """

    name: str
    world: World
    dials: Sequence[Dial]
    n: int
    seed: int
    null_n: int
    title: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "dials", tuple(self.dials))
        path = getattr(self.world, "__qualname__", repr(self.world))
        if "<" in path or "." in path:
            got = path.rpartition(".")[2]
            refuse(f"study {self.name!r}, world", "a function of a module", got, "move it to the top level")
        if self.n < 1 or self.null_n < 0:
            got = f"n = {self.n}, null_n = {self.null_n}"
            refuse(f"study {self.name!r}", "of n >= 1 and null_n >= 0 worlds", got, "mend the counts")
        if self.null_n and all(dial.null is None for dial in self.dials):
            mend = "give null= to the dial with the effect, or set null_n=0"
            refuse(f"study {self.name!r}, dials", "at least one with a null value", "none", mend)

    @property
    def module(self) -> str:
        """Dotted name of the world's module."""
        return str(self.world.__module__)


@dataclass(frozen=True)
class StudyResult:
    """A committed study.

    Attributes
    ----------
    frame, null_frame : pandas.DataFrame
        As :func:`casebook.worlds.replicate` returns them: index `world`, dials, `seed`, values.
    commit : str
        Short hash of the commit at which it ran, or "unknown".
    code_hash : str
    n : int
        Number of drawn worlds.
    name, title : str
    seed : int
    dials : tuple of Dial
    """

    frame: pd.DataFrame
    null_frame: pd.DataFrame
    commit: str
    code_hash: str
    n: int
    name: str
    title: str
    seed: int
    dials: tuple[Dial, ...]


def load(name: str, folder: Traversable | None = None) -> StudyResult:
    """Read a committed study.

    Parameters
    ----------
    name : str
    folder : pathlib.Path or Traversable, optional
        Where the files lie; by default ``studies`` of ``casebook.data``.

    Raises
    ------
    ContractError
        If there is no such file.

    Examples
    --------
    >>> load("no_such_study")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: study 'no_such_study' must be a file of data/studies, got no \
no_such_study.json; run python -m casebook.studies no_such_study.
    """
    place = (files("casebook.data") / "studies" if folder is None else folder) / f"{name}.json"
    if not place.is_file():
        mend = f"run python -m casebook.studies {name}"
        refuse(f"study {name!r}", "a file of data/studies", f"no {name}.json", mend)
    document = json.loads(place.read_text(encoding="utf-8"))
    return StudyResult(
        frame=as_table(document["rows"], document["columns"]),
        null_frame=as_table(document["null_rows"], document["columns"]),
        commit=document["commit"],
        code_hash=document["code_hash"],
        n=document["n"],
        name=document["name"],
        title=document["title"],
        seed=document["seed"],
        dials=tuple(Dial(**dial) for dial in document["dials"]),
    )


def discover(package: str = "casebook") -> dict[str, Study]:
    """Every study of a package: those in the tuple ``STUDIES`` of each submodule called ``studies``.

    Raises
    ------
    ContractError
        If two studies have one name.

    Examples
    --------
    >>> discover("casebook.worlds")  # a room without studies
    {}
    """
    found: dict[str, Study] = {}
    parent = importlib.import_module(package)
    for info in pkgutil.walk_packages(parent.__path__, f"{package}.", onerror=_fail):
        if not info.name.endswith(".studies") or info.name == f"{package}.studies":
            continue
        for study in getattr(importlib.import_module(info.name), "STUDIES", ()):
            if study.name in found:
                where = f"{found[study.name].module} and {study.module}"
                refuse(f"study {study.name!r}", "named once", f"it in {where}", "rename one")
            found[study.name] = study
    return dict(sorted(found.items()))


def _fail(name: str) -> None:
    """Let a package that cannot be imported stop the search: a study in it would go unchecked."""
    importlib.import_module(name)
