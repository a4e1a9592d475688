"""The claims ledger: every figure of the source document, and every moral of ours, judged by executed cells.

A cell computes values and calls :func:`record`; the verdict follows from the stated figure and the values,
and the box it prints carries all that the ledger needs. The ledger is collected from the executed notebooks.
"""

from casebook.claims.boxes import MIME, Judgement, record, record_moral
from casebook.claims.ledger import collect, ledger, ledger_problems
from casebook.claims.model import Claim, load_claims
from casebook.claims.morals import Moral
from casebook.claims.verdicts import Bounds, Verdict, judge, judge_moral

__all__ = [
    "MIME",
    "Bounds",
    "Claim",
    "Judgement",
    "Moral",
    "Verdict",
    "collect",
    "judge",
    "judge_moral",
    "ledger",
    "ledger_problems",
    "load_claims",
    "record",
    "record_moral",
]
