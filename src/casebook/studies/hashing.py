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
    and the packages above a module count, since importing it runs them. A package whose ``__init__`` holds
    nothing but imports, a docstring and ``__all__`` only passes names on: ``from package import name`` then
    leads to the module that defines the name and leaves its neighbours out. Data files and modules named only
    in strings are not seen.

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
    waiting = [module for name in module_names for module in _with_packages_above(name)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        spec = _spec(name)
        if spec is None:
            refuse(f"module {name!r}", "importable", "no such module", "mend the name or the import")
        found[name] = _source(spec)
        waiting += [needed for needed in _imports(spec) if needed.partition(".")[0] == root]
    return found


def _imports(spec: ModuleSpec) -> Iterator[str]:
    """Dotted names of the modules that a module imports."""
    for node in ast.walk(ast.parse(_source(spec))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_packages_above(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, spec)
            for alias in node.names if _same_root(base, spec) else []:
                yield from _modules_behind(base, alias.name)


def _modules_behind(base: str, name: str) -> Iterator[str]:
    """Modules to read for "from base import name": the name may be a module or something in one."""
    if name != "*" and _spec(f"{base}.{name}") is not None:
        yield from _with_packages_above(f"{base}.{name}")
        return
    passed_on = _passed_on(base) or {}
    if name in passed_on:
        yield from _modules_behind(*passed_on[name])
    else:
        yield from _with_packages_above(base)


def _passed_on(name: str) -> dict[str, tuple[str, str]] | None:
    """Where the names of a package come from if all it does is to pass them on, else None."""
    spec = _spec(name)
    if spec is None or spec.submodule_search_locations is None:
        return None
    sources: dict[str, tuple[str, str]] = {}
    for node in ast.parse(_source(spec)).body:
        if isinstance(node, ast.ImportFrom) and _same_root(_base(node, spec), spec):
            sources |= {alias.asname or alias.name: (_base(node, spec), alias.name) for alias in node.names}
        elif not _is_docstring(node) and not _is_all(node):
            return None
    return sources


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]


def _base(node: ast.ImportFrom, spec: ModuleSpec) -> str:
    package = spec.name if spec.submodule_search_locations is not None else spec.name.rpartition(".")[0]
    return resolve_name("." * node.level + (node.module or ""), package)


def _same_root(name: str, spec: ModuleSpec) -> bool:
    return name.partition(".")[0] == spec.name.partition(".")[0]


def _with_packages_above(name: str) -> Iterator[str]:
    """The module and the packages above it, save those that only pass names on."""
    parts = name.split(".")
    above = (".".join(parts[:count]) for count in range(1, len(parts)))
    yield from (package for package in above if _passed_on(package) is None)
    yield name


def _source(spec: ModuleSpec) -> bytes:
    if spec.origin is None:  # a namespace package has no source
        return b""
    return Path(spec.origin).read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _spec(name: str) -> ModuleSpec | None:
    try:
        return find_spec(name)
    except ModuleNotFoundError:  # a package above it does not exist
        return None
