"""The hash of all code of ours that a study depends on."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, resolve_name
from pathlib import Path

from casebook.contracts import refuse


def code_hash(*module_names: str, root: str = "casebook") -> str:
    """Hash modules together with every module of the same package that they import, however far down.

    Imports are read from the syntax tree, wherever they stand (in functions and under ``TYPE_CHECKING`` too),
    and the packages above a module count, since importing it runs them. Data files and modules named only in
    strings are not seen.

    Parameters
    ----------
    *module_names : str
        Dotted names.
    root : str
        The package whose modules count; imports from elsewhere are left to the lock file.

    Returns
    -------
    str
        sha256 in hex over name and source bytes (newlines normalised) of each module, sorted by name.

    Raises
    ------
    ContractError
        If a module cannot be found.

    Examples
    --------
    >>> len(code_hash("casebook.worlds"))
    64
    """
    digest = hashlib.sha256()
    for name, source in sorted(_sources(module_names, root).items()):
        digest.update(name.encode() + b"\0" + source + b"\0")
    return digest.hexdigest()


def _sources(module_names: tuple[str, ...], root: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    waiting = [ancestor for name in module_names for ancestor in _with_ancestors(name)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        spec = _spec(name)
        if spec is None:
            refuse(f"module {name!r}", "importable", "no such module", "mend the name or the import")
        if spec.origin is None:  # a namespace package has no source
            found[name] = b""
            continue
        source = Path(spec.origin).read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        found[name] = source
        waiting += [needed for needed in _imports(source, spec) if needed.partition(".")[0] == root]
    return found


def _imports(source: bytes, spec: ModuleSpec) -> Iterator[str]:
    """Dotted names of the modules that a source imports, with the packages above them."""
    package = spec.name if spec.submodule_search_locations is not None else spec.name.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_ancestors(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield from _with_ancestors(base)
            # "from package import name": the name may be a module or only something in the package
            inside = _spec(base) if base.partition(".")[0] == spec.name.partition(".")[0] else None
            if inside is not None and inside.submodule_search_locations is not None:
                names = (f"{base}.{alias.name}" for alias in node.names)
                yield from (name for name in names if _spec(name) is not None)


def _with_ancestors(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def _spec(name: str) -> ModuleSpec | None:
    try:
        return find_spec(name)
    except ModuleNotFoundError:  # a package above it does not exist
        return None
