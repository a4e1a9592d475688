"""What the README shows is what the command prints."""

from __future__ import annotations

import pytest

from casebook.screening.__main__ import main
from tools.paths import ROOT

pytestmark = pytest.mark.slow  # it fits a model, and its digits are those of the reference platform


def test_the_first_thing_a_reader_sees_is_what_the_command_prints(capsys):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.split("$ python -m casebook.screening\n")[1].split("```")[0]
    main()
    assert capsys.readouterr().out == shown
