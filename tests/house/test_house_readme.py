"""What the README shows is what the command prints."""

from __future__ import annotations

import pytest

from casebook.screening.__main__ import main
from tools import test as runner
from tools.paths import ROOT


def test_the_headings_of_make_test_are_the_steps_it_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.split("$ make test\n")[1].split("```")[0].splitlines()
    assert shown == [*(f"== {name}" for name, _ in runner.steps(fast=False)), "All of it passed."]


@pytest.mark.slow  # it fits a model, and its digits are those of the reference platform
def test_the_first_thing_a_reader_sees_is_what_the_command_prints(capsys):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.split("$ python -m casebook.screening\n")[1].split("```")[0]
    main()
    assert capsys.readouterr().out == shown
