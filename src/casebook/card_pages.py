"""The two faces of a card: the block at a chapter's top, and the sheet of one A4 page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from casebook.card_model import Card


def card_html(card: Card) -> str:
    """The card as a chapter shows it: prompt and stakes open, the ten questions folded.

    Parameters
    ----------
    card : Card
        The chapter's card.

    Returns
    -------
    str
        HTML; everything from the card is escaped. Classes begin with ``casebook-card``.
    """
    facts = {
        "They are testing": card.testing,
        "The offer is lost": card.lost,
        "Primary metric": card.metrics.primary,
        "Guardrails": "; ".join(card.metrics.guardrails),
        "Cost asymmetry": cost_sentence(card),
        "Naive frame": card.frame.naive,
        "Winning frame": card.frame.winning,
        "Unit, label, horizon": f"{card.unit}; {card.label}; {card.horizon}",
    }
    return "\n".join(
        [
            f'<section class="casebook-card" id="card-{card.slug.replace("_", "-")}">',
            f'<blockquote class="casebook-card-prompt"><p>{escape(card.prompt)}</p></blockquote>',
            _definitions("casebook-card-facts", facts.items()),
            '<p class="casebook-card-heading">Numbers to remember</p>',
            _definitions("casebook-card-numbers", ((n.what, n.value) for n in card.numbers_to_remember)),
            '<details class="casebook-card-questions">',
            f"<summary>{len(card.questions)} clarifying questions, and which of them matter</summary>",
            _questions(card),
            "</details>",
            "</section>",
        ]
    )


def cost_sentence(card: Card) -> str:
    """The cost asymmetry as it is said aloud.

    Parameters
    ----------
    card : Card
        Any card.

    Returns
    -------
    str
        Names the dearer error, the ratio and the threshold that they imply.
    """
    dear, cheap = "missed case", "false alarm"
    if card.cost_asymmetry.direction == "fp":
        dear, cheap = cheap, dear
    ratio, threshold = card.cost_asymmetry.ratio, card.cost_asymmetry.threshold
    if ratio == 1:
        return f"A {dear} costs as much as a {cheap}: act from a probability of {threshold:g}."
    return f"A {dear} costs {ratio:g} times a {cheap}: act from a probability of {threshold:g}."


def sheet_html(card: Card) -> str:
    """The card as a sheet to print, meant for one A4 page.

    Parameters
    ----------
    card : Card
        Any card.

    Returns
    -------
    str
        HTML; everything from the card is escaped. The style of ``casebook-sheet`` and its parts (two columns,
        small type, ``@page`` A4) is the site's.
    """
    return "\n".join(
        [
            f'<article class="casebook-sheet" id="sheet-{card.slug.replace("_", "-")}">',
            f'<h2 class="casebook-sheet-title">{escape(card.title)}</h2>',
            f'<p class="casebook-sheet-prompt">{escape(card.prompt)}</p>',
            '<div class="casebook-sheet-columns">',
            *(_block(heading, body) for heading, body in _sheet_blocks(card)),
            "</div>",
            "</article>",
        ]
    )


def _sheet_blocks(card: Card) -> list[tuple[str, str]]:
    metrics, operations, versions = card.metrics, card.operations, card.versions
    three = (("v0", versions.v0), ("v1", versions.v1), ("v2", versions.v2))
    return [
        ("Ask", _items(question.question for question in card.questions if question.matters)),
        (
            "Numbers",
            _definitions("casebook-sheet-list", ((n.what, n.value) for n in card.numbers_to_remember)),
        ),
        ("Metric", _pairs(metrics.model_dump(exclude={"guardrails"})) + _items(metrics.guardrails)),
        ("Costs", f"<p>{escape(cost_sentence(card))}</p>"),
        (
            "Frame",
            _pairs({**card.frame.model_dump(), **card.model_dump(include={"unit", "label", "horizon"})}),
        ),
        ("Leaks", _items(card.leaks)),
        ("Features", _pairs({group: ", ".join(names) for group, names in card.features.items()})),
        ("Model", _pairs({n: f"{v.what}; costs {v.costs}; buys {v.buys}" for n, v in three})),
        ("Evaluation", _pairs(card.evaluation.model_dump())),
        ("Operations", _pairs(operations.model_dump())),
        ("Roadmap", _items(card.roadmap)),
        ("Failures", _pairs({failure.failure: failure.mitigation for failure in card.failures})),
        ("Senior signals", _items(signal.signal for signal in card.senior_signals)),
        ("They push back", _items(follow_up.question for follow_up in card.follow_ups)),
        ("They did it otherwise", _items(f"{p.who} {p.year}: {p.disagrees}" for p in card.published)),
    ]


def _block(heading: str, body: str) -> str:
    return f'<section class="casebook-sheet-block"><h3>{escape(heading)}</h3>{body}</section>'


def _pairs(pairs: dict[str, str]) -> str:
    return _definitions("casebook-sheet-list", pairs.items())


def _definitions(name: str, pairs: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<div><dt>{escape(term)}</dt><dd>{escape(text)}</dd></div>" for term, text in pairs)
    return f'<dl class="{name}">{rows}</dl>'


def _items(texts: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def _questions(card: Card) -> str:
    """Which questions matter is said in words, not by colour alone."""
    rows = []
    for asked in card.questions:
        name = "casebook-card-question" + (" casebook-card-matters" if asked.matters else "")
        mark = ' <strong class="casebook-card-mark">matters</strong>' if asked.matters else ""
        rows.append(f'<li class="{name}"><p>{escape(asked.question)}{mark}</p><p>{escape(asked.answer)}</p></li>')
    return f'<ol class="casebook-card-list">{"".join(rows)}</ol>'
