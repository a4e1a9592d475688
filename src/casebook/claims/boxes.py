"""The box that a cell prints: a verdict for the reader, and its data for the ledger."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from IPython.display import display

from casebook.claims.model import Claim, load_claims
from casebook.claims.verdicts import Values, Verdict, judge, judge_moral
from casebook.contracts import refuse
from casebook.worlds import Share

MIME = "application/vnd.casebook.claim+json"


@dataclass(frozen=True)
class Judgement:
    """One claim as one cell judged it; its fields are those of the box's JSON.

    Attributes
    ----------
    values : float, dict with low and high, list, or None
        What was judged.
    value : float, str or None
        What is shown as the computed value.
    cell : str
        Anchor of the cell that proves it; by default that of the box itself.
    """

    id: str
    section: int
    claim: str
    kind: str
    source: str
    verdict: Verdict
    value: float | str | None
    values: float | dict[str, float] | list[float] | None
    unit: str
    sentence: str
    cell: str
    anchor: str

    def _ipython_display_(self) -> None:
        """Show nothing: the box stands on the page already."""

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        return {**vars(self), "verdict": str(self.verdict)}

    def to_text(self) -> str:
        """The box as plain text."""
        return f"{_header(self.kind, self.source)}: {self.claim} {self.verdict.capitalize()}. {self.sentence}".rstrip()

    def to_html(self) -> str:
        """The box as HTML, everything escaped."""
        word = str(self.verdict)
        classes = f"casebook-claim casebook-claim--{word.replace(' ', '-')}"
        parts = [("header", _header(self.kind, self.source)), ("text", self.claim), ("verdict", word.capitalize())]
        if self.sentence:
            parts.append(("sentence", self.sentence))
        body = "".join(f'<p class="casebook-claim__{name}">{escape(text)}</p>' for name, text in parts)
        return f'<div class="{classes}" id="{escape(self.anchor)}" role="note">{body}</div>'


def record(
    claim_id: str,
    values: Values | None = None,
    sentence: str = "",
    value: float | str | None = None,
    unit: str = "",
    cell: str | None = None,
    *,
    not_run: str = "",
    claims: Mapping[str, Claim] | None = None,
) -> Judgement:
    """Judge a claim by computed values and display the box.

    Parameters
    ----------
    claim_id : str
    values : float, Bounds, list or array, or None
        As :func:`casebook.claims.judge` takes them; None for a claim that cannot be tested.
    sentence : str
        What the cell found: an f-string of computed values.
    value : float or str, optional
        The computed value to show; by default `values`, where that is a number.
    unit : str
        By default the claim's.
    cell : str, optional
        Anchor of the cell that proves it; by default the box's own.
    not_run : str
        Why it was not run here ("data absent"); the verdict is then "not run", and values must be None.
    claims : mapping of str to Claim, optional
        By default the committed ones.

    Returns
    -------
    Judgement

    Raises
    ------
    ContractError
        If the id is unknown, belongs to a moral that can be tested, or the values cannot be judged.

    Examples
    --------
    >>> claims = load_claims('''
    ... finished: []
    ... claims:
    ...   - {id: 3.ratio, section: 3, text: One in 500., source: document, kind: claim, figure: 0.002}
    ... ''')
    >>> str(record("3.ratio", 0.004, "Here it is one in 250.", claims=claims).verdict)  # doctest: +ELLIPSIS
    {'text/html': ...
    'corrected'
    """
    claim = _look_up(claim_id, claims)
    if not_run:
        if values is not None:
            refuse("values", "None where the claim was not run", repr(values), "leave out values or not_run")
        verdict, sentence = Verdict.NOT_RUN, sentence or f"Not run here ({not_run})."
    elif claim.kind == "moral" and claim.figure is not None:
        refuse(f"claim {claim_id!r}", "a claim", "a moral", "use record_moral with its shares of worlds")
    else:
        verdict = judge(claim.figure, claim.rounding, values)
    plain = _plain(values)
    shown = plain if value is None and isinstance(plain, float) else value
    return _show(claim, verdict, shown, plain, unit, sentence or claim.reason, cell)


def record_moral(
    claim_id: str,
    share: Share,
    null_share: Share,
    sentence: str = "",
    cell: str | None = None,
    *,
    claims: Mapping[str, Claim] | None = None,
) -> Judgement:
    """Judge a moral by the share of drawn worlds and of null worlds in which it holds, and display the box.

    Parameters
    ----------
    claim_id : str
        Of a claim whose kind is "moral".
    share, null_share : Share
        From :func:`casebook.worlds.share_holding`.
    sentence, cell, claims
        As for :func:`record`.

    Returns
    -------
    Judgement
        Its `value` reads "19 of 20 worlds, 0 of 20 null worlds"; its `values` are the Wilson interval.

    Raises
    ------
    ContractError
        If the id is unknown or no moral.
    """
    claim = _look_up(claim_id, claims)
    if claim.kind != "moral":
        refuse(f"claim {claim_id!r}", "a moral", f"a {claim.kind}", "use record with its values")
    verdict = judge_moral(claim.figure, claim.null_figure, share, null_share)
    shown = f"{share} worlds, {null_share} null worlds"
    return _show(claim, verdict, shown, _plain(share), "", sentence, cell)


def _look_up(claim_id: str, claims: Mapping[str, Claim] | None) -> Claim:
    claims = load_claims() if claims is None else claims
    if claim_id not in claims:
        near = difflib.get_close_matches(claim_id, claims, n=1)
        mend = f"did you mean {near[0]!r}" if near else "add it to claims.yml"
        refuse("claim_id", "an id of claims.yml", repr(claim_id), mend)
    return claims[claim_id]


def _show(
    claim: Claim,
    verdict: Verdict,
    value: float | str | None,
    values: float | dict[str, float] | list[float] | None,
    unit: str,
    sentence: str,
    cell: str | None,
) -> Judgement:
    value = value if value is None or isinstance(value, str) else float(value)
    judgement = Judgement(
        id=claim.id,
        section=claim.section,
        claim=claim.text,
        kind=claim.kind,
        source=claim.source,
        verdict=verdict,
        value=value,
        values=values,
        unit=unit or claim.unit,
        sentence=sentence,
        cell=cell or claim.anchor,
        anchor=claim.anchor,
    )
    # The data travel as metadata: as one more type of output the site's builder would warn of it.
    bundle = {"text/html": judgement.to_html(), "text/plain": judgement.to_text()}
    display(bundle, raw=True, metadata={MIME: judgement.to_json()})
    return judgement


def _plain(values: Values | None) -> float | dict[str, float] | list[float] | None:
    if values is None:
        return None
    if hasattr(values, "low") and hasattr(values, "high"):
        return {"low": float(values.low), "high": float(values.high)}
    array = np.asarray(values, dtype=np.float64)
    return float(array) if array.ndim == 0 else [float(value) for value in array]


def _header(kind: str, source: str) -> str:
    if kind == "moral":
        return "Our moral"
    return "The source says" if source == "document" else "We tested"
