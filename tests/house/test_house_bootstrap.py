"""The environment's making: each missing part is named with its mend, and a half-made environment is begun again."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tools import bootstrap


def refusal(call) -> str:
    with pytest.raises(bootstrap.MissingPartError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_supported_pythons_pass(version):
    bootstrap.check_python(version)


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (2, 7)])
def test_another_python_is_refused(version):
    assert refusal(lambda: bootstrap.check_python(version)) == (
        f"Python must be 3.11 to 3.13, got {version[0]}.{version[1]}; "
        "install Python 3.11 and run `make PYTHON=python3.11 site`."
    )


def test_openmp_missing_on_linux():
    assert refusal(lambda: bootstrap.check_openmp("Linux", find=lambda _: None)) == (
        "libgomp must be installed, got none; run `apt-get install libgomp1` (Debian, Ubuntu) "
        "or `dnf install libgomp` (Fedora)."
    )


def test_openmp_missing_on_a_mac(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert refusal(lambda: bootstrap.check_openmp("Darwin", find=lambda _: None)) == (
        "libomp must be installed, got none; run `brew install libomp`."
    )


@pytest.mark.parametrize("keg", ["/opt/homebrew/opt/libomp", "/usr/local/opt/libomp"])
def test_homebrews_openmp_counts_on_both_kinds_of_mac(monkeypatch, keg):
    monkeypatch.setattr(Path, "exists", lambda self: self.as_posix() == keg)
    bootstrap.check_openmp("Darwin", find=lambda _: None)


def test_openmp_is_asked_for_by_each_platforms_name():
    asked = []
    for system in ("Linux", "Darwin", "Windows"):
        bootstrap.check_openmp(system, find=lambda name: asked.append(name) or "found")
    assert asked == ["gomp", "omp"]


def test_compiler_missing_on_python_3_13():
    assert refusal(lambda: bootstrap.check_compiler((3, 13), which=lambda _: None)) == (
        "A C++ compiler must be installed on Python 3.13 (causalml has no wheel there), got none; "
        "run `apt-get install build-essential`, or use Python 3.11 or 3.12."
    )


def test_no_compiler_is_needed_before_python_3_13():
    bootstrap.check_compiler((3, 12), which=lambda _: None)


def test_any_compiler_will_do():
    for name in ("cc", "gcc", "cl"):
        bootstrap.check_compiler((3, 13), which=lambda asked, name=name: asked == name)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Return a checkout whose commands are recorded and not run; ``recorded.fail_at`` makes one of them fail."""
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv/.casebook-stamp")
    monkeypatch.setattr(bootstrap, "find_uv", lambda: "uv")
    for check in ("check_python", "check_openmp", "check_compiler"):
        monkeypatch.setattr(bootstrap, check, lambda *_: None)
    return Recorded(tmp_path, monkeypatch)


class Recorded:
    """The commands that would have been run, each with whether the stamp stood when it began."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.commands, self.stamped, self.fail_at = root, [], [], None
        monkeypatch.setattr(bootstrap.subprocess, "run", self.run)

    @property
    def stamp(self) -> Path:
        return self.root / ".venv/.casebook-stamp"

    def run(self, command, **options):
        words = [word for word in command[1:] if not word.startswith("-")][:2]
        self.commands.append(words[0] if words[0] == "venv" else " ".join(words))
        self.stamped.append(self.stamp.exists())
        if words[0] == "venv":  # uv venv --clear empties the folder and makes the interpreter
            assert "--clear" in command
            self.stamp.unlink(missing_ok=True)
            python = bootstrap.venv_python(self.root / ".venv")
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
        if self.fail_at == self.commands[-1]:
            raise KeyboardInterrupt
        return CompletedProcess(command, 0)


WHOLE = ["venv", "pip sync", "pip install"]


def test_a_fresh_checkout_gets_everything(checkout):
    assert bootstrap.ensure() == bootstrap.venv_python(checkout.root / ".venv")
    assert checkout.commands == WHOLE
    assert checkout.stamp.read_text() == bootstrap.wanted_stamp()


def test_a_finished_environment_is_left_alone(checkout):
    bootstrap.ensure()
    bootstrap.ensure()
    assert checkout.commands == WHOLE


def test_a_half_made_environment_is_begun_again(checkout):
    bootstrap.ensure()
    checkout.stamp.unlink()
    bootstrap.ensure()
    assert checkout.commands == WHOLE * 2


def test_an_environment_without_interpreter_is_begun_again(checkout):
    python = bootstrap.ensure()
    python.unlink()
    bootstrap.ensure()
    assert checkout.commands == WHOLE * 2


@pytest.mark.parametrize("step", WHOLE)
def test_the_stamp_is_written_last(checkout, step):
    checkout.fail_at = step
    with pytest.raises(KeyboardInterrupt):
        bootstrap.ensure()
    assert not checkout.stamp.exists()
    checkout.fail_at = None
    bootstrap.ensure()
    assert checkout.commands[-3:] == WHOLE
    assert checkout.stamp.exists()


@pytest.mark.parametrize("step", WHOLE[:2])
def test_a_failed_refresh_leaves_no_old_stamp(checkout, step):
    bootstrap.ensure()
    (checkout.root / "requirements.lock").write_text("newer", encoding="utf-8")
    checkout.fail_at = step
    with pytest.raises(KeyboardInterrupt):
        bootstrap.ensure()
    assert not checkout.stamp.exists()


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_file_makes_the_environment_anew(checkout, name):
    bootstrap.ensure()
    (checkout.root / name).write_text("newer", encoding="utf-8")
    bootstrap.ensure()
    assert checkout.commands == WHOLE * 2


def test_another_python_makes_the_environment_anew(checkout, monkeypatch):
    bootstrap.ensure()
    monkeypatch.setattr(sys, "version", "3.12.1 (another build)")
    bootstrap.ensure()
    assert checkout.commands == WHOLE * 2


def test_a_copied_checkout_does_not_keep_the_originals_environment(checkout, monkeypatch, tmp_path_factory):
    before = bootstrap.wanted_stamp()
    copy = tmp_path_factory.mktemp("copy")
    for name in ("requirements.lock", "pyproject.toml"):
        (copy / name).write_text(name, encoding="utf-8")
    monkeypatch.setattr(bootstrap, "ROOT", copy)
    assert bootstrap.wanted_stamp() != before


def test_the_checks_run_before_anything_is_made(checkout, monkeypatch):
    def refuse(version):
        raise bootstrap.MissingPartError("no")

    monkeypatch.setattr(bootstrap, "check_compiler", refuse)
    with pytest.raises(bootstrap.MissingPartError):
        bootstrap.ensure()
    assert checkout.commands == []
