"""Studies: slow replicated worlds as committed files that cannot drift from the code.

A study is run once by ``python -m casebook.studies`` and written to ``data/studies/NAME.json``. A page loads
it, recomputes two of its rows live and asserts that they agree. The file carries the hash of the code that
made it.
"""

from casebook.studies.hashing import code_hash
from casebook.studies.model import Study, StudyResult, discover, load
from casebook.studies.running import RTOL, is_stale, run, staleness, study_hash, verify, write

__all__ = [
    "RTOL",
    "Study",
    "StudyResult",
    "code_hash",
    "discover",
    "is_stale",
    "load",
    "run",
    "staleness",
    "study_hash",
    "verify",
    "write",
]
