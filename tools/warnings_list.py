"""The list of warnings that libraries may print: what is on it leaves the staged page, what is not fails the build."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path

import nbformat
import yaml

from tools.paths import ROOT

LIST = ROOT / "tools" / "allowed_warnings.yml"
WARNING = re.compile(r"^(?P<path>\S.*?):\d+: (?P<category>\w+): (?P<message>.*)$")
CELL = re.compile(r"ipykernel_\d+|^<ipython-input|^<string>")


@dataclass(frozen=True)
class Allowed:
    """One entry: a warning's class (or ``log``), its beginning as a pattern, where it is raised, and why it may be."""

    category: str
    message: str
    module: str
    reason: str

    def covers(self, notice: Notice) -> bool:
        """Tell whether this entry allows a notice; a log line names no module, so only its text counts."""
        at_home = notice.category == "log" or f"{notice.module}.".startswith(f"{self.module}.")
        return self.category == notice.category and at_home and re.match(self.message, notice.message) is not None


@dataclass(frozen=True)
class Notice:
    """One thing printed on stderr: a warning (with its module), or a ``log`` line."""

    category: str
    message: str
    module: str = ""


def load_allowed(path: Path = LIST) -> list[Allowed]:
    """Read the list.

    Raises
    ------
    ValueError
        If an entry lacks one of the four fields, has another, or leaves one empty.
    """
    entries = []
    for number, row in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")) or [], start=1):
        wanted = [field.name for field in fields(Allowed)]
        if sorted(row) != sorted(wanted) or not all(isinstance(text, str) and text.strip() for text in row.values()):
            raise ValueError(
                f"Entry {number} of {path.name} must have the texts {', '.join(wanted)}, "
                f"got {', '.join(sorted(row))}; fill each in."
            )
        entries.append(Allowed(**row))
    return entries


def module_of(path: str) -> str:
    """Return the dotted module of a file named in a warning; ``__main__`` for a notebook's own cell.

    Examples
    --------
    >>> module_of("/env/lib/python3.11/site-packages/causalml/inference/tree.py")
    'causalml.inference.tree'
    >>> module_of("/tmp/ipykernel_41/2954.py")
    '__main__'
    """
    if CELL.search(path):
        return "__main__"
    parts = list(Path(path.replace("\\", "/")).with_suffix("").parts)
    home = next((name for name in ("site-packages", "src") if name in parts), None)
    parts = parts[parts.index(home) + 1 :] if home else parts
    return ".".join(part for part in parts if part not in {"/", "__init__"})


def notices(text: str) -> list[Notice]:
    r"""Split a stderr stream into warnings (each with the source line below it) and log lines.

    Examples
    --------
    >>> warning, log = notices("/env/site-packages/a/b.py:3: UserWarning: be careful\n  call()\nsampling\n")
    >>> warning
    Notice(category='UserWarning', message='be careful', module='a.b')
    >>> log.message
    'sampling'
    """
    found: list[Notice] = []
    for line in text.splitlines():
        match = WARNING.match(line)
        if match:
            found.append(Notice(match["category"], match["message"], module_of(match["path"])))
        elif line.strip() and not (found and found[-1].category != "log" and line.startswith("  ")):
            found.append(Notice("log", line.strip()))
    return found


def without_listed(name: str, notebook: nbformat.NotebookNode, allowed: list[Allowed]) -> list[str]:
    """Take every stderr stream that is wholly on the list out of a notebook's outputs, in place.

    Parameters
    ----------
    name : str
        The notebook's name, for the sentences.
    notebook : NotebookNode
        An executed notebook.
    allowed : list of Allowed
        The list.

    Returns
    -------
    list of str
        A sentence for each notice that is not on the list; its stream stays where it is.
    """
    wrong = []
    for number, cell in enumerate(notebook.cells):
        kept = []
        for output in cell.get("outputs", []):
            loud = output.output_type == "stream" and output.name == "stderr"
            said = notices(output.text) if loud else []
            strange = [notice for notice in said if not any(entry.covers(notice) for entry in allowed)]
            wrong += [sentence(name, number, notice) for notice in strange]
            kept += [output] if strange or not loud else []
        if "outputs" in cell:
            cell.outputs = kept
    return wrong


def sentence(name: str, number: int, notice: Notice) -> str:
    """Say what was printed, where, and what to do."""
    where = f" from {notice.module}" if notice.module else ""
    return (
        f"{name}, cell {number}, must print no warning that is not on the list, got {notice.category}{where}: "
        f"{notice.message}; mend its cause or list it in tools/allowed_warnings.yml."
    )
