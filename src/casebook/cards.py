"""Cards of prompts: read, refused in plain sentences where they are incomplete, shown, printed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml
from IPython.display import HTML, display
from pydantic import ValidationError

from casebook.card_model import RUBRIC_ROWS, Card
from casebook.card_pages import card_html, sheet_html
from casebook.contracts import ContractError, refuse

__all__ = ["RUBRIC_ROWS", "Card", "load_card", "load_cards", "read_card", "sheet_html", "show"]


def load_card(slug: str) -> Card:
    """Read one card of ``casebook.data``.

    Parameters
    ----------
    slug : str
        The file's stem, as ``"04_churn"``.

    Returns
    -------
    Card

    Raises
    ------
    ContractError
        If there is no such card, or with one sentence for each thing wrong in it.

    Examples
    --------
    >>> load_card("99_no_such")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: card must be one in data/cards, got '99_no_such'; write 99_no_such.yml.
    """
    path = _folder() / f"{slug}.yml"
    if not path.is_file():
        refuse("card", "one in data/cards", repr(slug), f"write {slug}.yml")
    card = read_card(yaml.safe_load(path.read_text(encoding="utf-8")), name=slug)
    if card.slug != slug:
        refuse(f"card {slug}, slug", "the name of its file", repr(card.slug), "rename one of the two")
    return card


def load_cards() -> dict[str, Card]:
    """Read all cards, in the order of their numbers.

    Returns
    -------
    dict of str to Card
        By slug.

    Raises
    ------
    ContractError
        At the first card that is not complete.

    Examples
    --------
    >>> all(slug == card.slug for slug, card in load_cards().items())
    True
    """
    names = sorted(path.name for path in _folder().iterdir() if path.name.endswith(".yml"))
    return {name.removesuffix(".yml"): load_card(name.removesuffix(".yml")) for name in names}


def read_card(fields: Mapping[str, Any], name: str = "") -> Card:
    """Make a card from plain lists and mappings, as YAML gives them.

    Parameters
    ----------
    fields : mapping
        The card's fields.
    name : str
        What a refusal calls the card; its slug if left out.

    Returns
    -------
    Card

    Raises
    ------
    ContractError
        With one sentence, on a line of its own, for each thing wrong.

    Examples
    --------
    >>> try:
    ...     read_card({"slug": "churn"})
    ... except ContractError as error:
    ...     print(str(error).splitlines()[0])
    card churn, slug must be text like ^[0-9]{2}_[a-z0-9_]+$, got 'churn'; correct it.
    """
    if not isinstance(fields, Mapping):
        refuse("card" + f" {name}" * bool(name), "a mapping of fields", repr(fields), "write field: value")
    called = f"card {name or fields.get('slug', '')}".strip()
    try:
        return Card.model_validate(_tuples(fields))
    except ValidationError as error:
        sentences = [_sentence(called, dict(problem)) for problem in error.errors() if not _miscounted(problem)]
    raise ContractError("\n".join(sentences))


def show(card: Card) -> None:
    """Display a card at a chapter's top; the ten questions are folded.

    Parameters
    ----------
    card : Card
        The chapter's card.
    """
    display(HTML(card_html(card)))


def _folder() -> Traversable:
    return files("casebook.data") / "cards"


def _tuples(value: Any) -> Any:
    """YAML has lists where a frozen card holds tuples."""
    if isinstance(value, Mapping):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list | tuple) else value


def _miscounted(problem: Mapping[str, Any]) -> bool:
    """Pydantic counts only the valid items, and calls a list too short that has a faulty one."""
    return problem["type"] == "too_short" and len(problem["input"]) >= problem["ctx"]["min_length"]


def _sentence(called: str, problem: Mapping[str, Any]) -> str:
    """Pydantic's finding in the house's form."""
    where = called
    for step in problem["loc"]:
        where += f" {step + 1}" if isinstance(step, int) else f", {step}"
    got, context = problem.get("input"), problem.get("ctx", {})
    match problem["type"]:
        case "card":
            return f"{where} {problem['msg']}"
        case "missing":
            return f"{where} must be given, got nothing; add it."
        case "extra_forbidden":
            return f"{where} must be a field of the card, got a stranger; delete it or correct its name."
        case "too_short" | "too_long":
            bound = context.get("min_length", context.get("max_length"))
            least = "at least" if problem["type"] == "too_short" else "at most"
            mend = "add" if problem["type"] == "too_short" else "drop"
            return f"{where} must be a list of {least} {bound}, got {context['actual_length']}; {mend} some."
        case "string_pattern_mismatch" | "string_too_short":
            must = f"text like {context['pattern']}" if "pattern" in context else "text"
            return f"{where} must be {must}, got {_shown(got)}; correct it."
        case _:
            must = problem["msg"].removeprefix("Input should be ")
            return f"{where} must be {must}, got {_shown(got)}; correct it."


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
