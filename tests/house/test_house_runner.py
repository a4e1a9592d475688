"""The two halves of `make test` run at once, and each half's failure is one of the whole."""

from __future__ import annotations

import pytest

from tools import test as runner

FINE = ["-c", "print('fine')"]
BROKEN = ["-c", "print('broken'); raise SystemExit(3)"]


@pytest.mark.parametrize(
    ("hidden", "shown", "failed"),
    [(FINE, FINE, []), (BROKEN, FINE, ["hidden"]), (FINE, BROKEN, ["shown"]), (BROKEN, BROKEN, ["shown", "hidden"])],
)
def test_a_half_that_fails_is_named(hidden, shown, failed):
    assert runner.run_beside(("hidden", hidden), ("shown", shown)) == failed


def test_the_kept_output_comes_whole_and_after_the_other(capfd):
    runner.run_beside(("hidden", BROKEN), ("shown", FINE))
    said = capfd.readouterr().out
    order = [said.index(words) for words in ("== shown", "fine", "== hidden", "broken", "== hidden: FAILED")]
    assert order == sorted(order)


def test_the_halves_meet_at_once(tmp_path):
    waits = "import pathlib, sys, time; a, b = map(pathlib.Path, sys.argv[1:]); a.touch()\n"
    waits += "for _ in range(600):\n    if b.exists(): break\n    time.sleep(0.1)\nelse: raise SystemExit('alone')"
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert runner.run_beside(("hidden", ["-c", waits, one, two]), ("shown", ["-c", waits, two, one])) == []


def test_together_they_are_all_tests_and_share_no_folder():
    named = [word for _, arguments in (runner.HOUSE, runner.PACKAGE) for word in arguments if word.startswith("tests/")]
    folders = {f"tests/{path.name}" for path in (runner.ROOT / "tests").iterdir() if any(path.glob("**/test_*.py"))}
    assert sorted(named) == sorted(folders)


def test_a_failed_half_fails_the_whole(monkeypatch, capfd):
    monkeypatch.setattr(runner, "LINT", (("lint", FINE),))
    monkeypatch.setattr(runner, "HOUSE", ("house", FINE))
    monkeypatch.setattr(runner, "PACKAGE", ("package", BROKEN))
    monkeypatch.setattr(runner, "SITE", ("site", FINE))
    monkeypatch.setattr("sys.argv", ["test"])
    assert runner.main() == 1
    assert capfd.readouterr().out.endswith("Failed: package.\n")
