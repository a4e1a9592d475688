"""A claim, and the committed file of all claims."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from casebook.contracts import refuse

Figure: TypeAlias = FiniteFloat | tuple[FiniteFloat, FiniteFloat]


class Claim(BaseModel):
    """One figure of the source document, or one moral of ours.

    Attributes
    ----------
    id : str
        Section and slug, such as "3.fraud-ratio".
    section : int
    text : str
        What is claimed, in our words.
    source : {"document", "own"}
    kind : {"claim", "moral"}
    figure : float, (low, high) or None
        The claimed number or range in `unit`; None if it cannot be tested. Of a moral: the range of the
        share of drawn worlds in which it holds.
    null_figure : float, (low, high) or None
        Of a moral only: the range of the share of null worlds in which it may hold.
    rounding : float
        Half-width of the figure's rounding: 0.05 for a figure given as 0.7.
    unit : str
    reason : str
        Why it cannot be tested, if `figure` is None.
    finished : bool
        Set by :func:`load_claims`: whether the section's chapter is finished.

    Examples
    --------
    >>> Claim(id="3.fraud-ratio", section=3, text="One in 500.", source="document", kind="claim",
    ...       figure=0.002, rounding=0.0005, unit="share").anchor
    'claim-3-fraud-ratio'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^\d+\.[a-z0-9]+(-[a-z0-9]+)*$")
    section: int
    text: str = Field(min_length=1)
    source: Literal["document", "own"]
    kind: Literal["claim", "moral"]
    figure: Figure | None
    null_figure: Figure | None = None
    rounding: FiniteFloat = Field(default=0.0, ge=0)
    unit: str = ""
    reason: str = ""
    finished: bool = False

    @model_validator(mode="after")
    def _hangs_together(self) -> Claim:
        if int(self.id.partition(".")[0]) != self.section:
            raise ValueError("an id that starts with its section")
        for name in ("figure", "null_figure"):
            figure = getattr(self, name)
            if isinstance(figure, tuple) and figure[0] > figure[1]:
                raise ValueError(f"a {name} of rising ends")
        if self.figure is None and not self.reason.strip():
            raise ValueError("a reason why it cannot be tested, or a figure")
        if (self.null_figure is not None) != (self.kind == "moral" and self.figure is not None):
            raise ValueError("a null_figure if it is a moral with a figure, and only then")
        return self

    @property
    def anchor(self) -> str:
        """The HTML id of the claim's box."""
        return "claim-" + self.id.replace(".", "-")


def load_claims(text_or_path: str | Path | None = None) -> dict[str, Claim]:
    """Read the claims.

    Parameters
    ----------
    text_or_path : str or pathlib.Path, optional
        YAML as a string, or a file's path; by default ``claims.yml`` of ``casebook.data``. Two keys:
        `finished` (sections whose chapter is finished) and `claims`.

    Returns
    -------
    dict of str to Claim
        By id, in the file's order.

    Raises
    ------
    ContractError
        If an id stands twice or a claim breaks its model.

    Examples
    --------
    >>> text = '''
    ... finished: [3]
    ... claims:
    ...   - {id: 3.base-rate, section: 3, text: Fraud is rare., source: document, kind: claim,
    ...      figure: [0.001, 0.005], unit: share}
    ... '''
    >>> load_claims(text)["3.base-rate"].figure
    (0.001, 0.005)
    """
    if text_or_path is None:
        return dict(_committed())
    if isinstance(text_or_path, Path):
        return _parse(text_or_path.read_text(encoding="utf-8"), text_or_path.name)
    return _parse(text_or_path, "claims")


@cache
def _committed() -> dict[str, Claim]:
    """The committed claims, parsed once: a page of sixty boxes would otherwise parse the file sixty times."""
    return _parse((files("casebook.data") / "claims.yml").read_text(encoding="utf-8"), "claims.yml")


def _parse(text: str, where: str) -> dict[str, Claim]:
    document = yaml.safe_load(text)
    if not isinstance(document, dict) or set(document) != {"finished", "claims"}:
        got = repr(sorted(document)) if isinstance(document, dict) else type(document).__name__
        refuse(where, "a mapping with the keys 'finished' and 'claims'", got, "write both, even if empty")
    finished = set(document["finished"] or [])
    claims: dict[str, Claim] = {}
    for position, raw in enumerate(document["claims"] or [], start=1):
        claim = _claim(raw, f"{where}, claim {position}")
        if claim.id in claims:
            refuse(f"{where}, id {claim.id!r}", "there once", "it twice", "rename or remove one")
        claims[claim.id] = claim.model_copy(update={"finished": claim.section in finished})
    return claims


def _claim(raw: Any, where: str) -> Claim:
    if isinstance(raw, Mapping) and "id" in raw:
        where = f"{where} ({raw['id']})"
    try:
        return Claim.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][:1])
        message = first["msg"].removeprefix("Value error, ")
        if not field:
            refuse(where, f"a claim with {message}", "one without", "mend it")
        refuse(f"{where}, field {field!r}", "as the model says", f"{first['input']!r} ({message})", "mend it")
