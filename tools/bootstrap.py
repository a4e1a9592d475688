"""Make the locked environment in ``.venv``, with nothing but Python at hand; standard library only."""

from __future__ import annotations

import ctypes.util
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tools.paths import ROOT, VENV

STAMP = VENV / ".casebook-stamp"
UV_HOME = ROOT / ".uv"
OLDEST, NEWEST = (3, 11), (3, 13)


class MissingPartError(SystemExit):
    """A part of the machine that the course cannot bring by itself, with the command that does."""


def venv_python(venv: Path = VENV) -> Path:
    """Return the interpreter of a virtual environment on this platform."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def check_python(version: tuple[int, int]) -> None:
    """Refuse a Python outside the supported range in one sentence."""
    if not OLDEST <= version <= NEWEST:
        raise MissingPartError(
            f"Python must be 3.11 to 3.13, got {version[0]}.{version[1]}; "
            "install Python 3.11 and run `make PYTHON=python3.11 site`."
        )


def check_openmp(system: str, find: Callable[[str], str | None] = ctypes.util.find_library) -> None:
    """Name the OpenMP runtime that LightGBM loads, where it is missing."""
    if system == "Linux" and not find("gomp"):
        raise MissingPartError(
            "libgomp must be installed, got none; run `apt-get install libgomp1` (Debian, Ubuntu) "
            "or `dnf install libgomp` (Fedora)."
        )
    kegs = (Path("/opt/homebrew/opt/libomp"), Path("/usr/local/opt/libomp"))
    if system == "Darwin" and not (find("omp") or any(keg.exists() for keg in kegs)):
        raise MissingPartError("libomp must be installed, got none; run `brew install libomp`.")


def check_compiler(version: tuple[int, int], which: Callable[[str], str | None] = shutil.which) -> None:
    """Name the compiler that causalml needs on Python 3.13, where no wheel exists."""
    if version >= (3, 13) and not (which("cc") or which("gcc") or which("cl")):
        raise MissingPartError(
            "A C++ compiler must be installed on Python 3.13 (causalml has no wheel there), got none; "
            "run `apt-get install build-essential`, or use Python 3.11 or 3.12."
        )


def find_uv() -> str:
    """Return uv's path; fetch it by pip into ``.uv`` where it is missing."""
    local = UV_HOME / ("Scripts/uv.exe" if os.name == "nt" else "bin/uv")
    found = shutil.which("uv") or (str(local) if local.exists() else None)
    if found:
        return found
    print("uv is missing: bringing it by pip into .uv", flush=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(UV_HOME)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise MissingPartError(
            "Python's venv module must work, got an error; run `apt-get install python3-venv`.\n" + made.stdout
        )
    subprocess.run([str(venv_python(UV_HOME)), "-m", "pip", "install", "--quiet", "uv"], check=True)
    return str(local)


def wanted_stamp() -> str:
    """Return the digest of all that decides what the environment holds."""
    digest = hashlib.sha256(f"{sys.version}|{ROOT}".encode())  # a copied checkout must not import the original's src
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def ensure() -> Path:
    """Make or refresh the environment and return its interpreter; a finished one is left alone.

    The stamp is written last, so a killed first try is simply begun again.
    """
    version = sys.version_info[:2]
    check_python(version)
    check_openmp(platform.system())
    python = venv_python(VENV)
    if python.exists() and STAMP.exists() and STAMP.read_text() == wanted_stamp():
        return python
    check_compiler(version)
    uv = find_uv()
    print("Installing the locked environment into .venv", flush=True)
    quiet = ["--quiet", "--python", str(python)]
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)], check=True)
    subprocess.run([uv, "pip", "sync", *quiet, "--compile-bytecode", "requirements.lock"], cwd=ROOT, check=True)
    subprocess.run([uv, "pip", "install", *quiet, "--no-deps", "--editable", "."], cwd=ROOT, check=True)
    STAMP.write_text(wanted_stamp())
    return python
