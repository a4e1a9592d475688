"""The points between two system calls at which a run can be killed.

Whatever changes the disk is preceded by a call of :func:`reached`, by way of this module. The tests put a
function in its place that kills the process, or that raises from then on, so that nothing more is written.
"""

from __future__ import annotations


def reached(point: str) -> None:
    """Do nothing; ``point`` says what comes next."""
