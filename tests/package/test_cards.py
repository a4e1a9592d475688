"""The card of a prompt: complete, consistent, shown whole, and refused in plain sentences."""

from copy import deepcopy
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from casebook import cards
from casebook.contracts import ContractError


def plain_card():
    """A complete card as YAML would give it; its texts say only what they are."""
    named = [(f"Which {n}? <b>", f"Answer {n}. <i>") for n in range(10)]
    version = {"what": "rules", "costs": "a day", "buys": "a baseline"}
    return {
        "slug": "04_sample",
        "chapter": "04_sample",
        "title": "Sample",
        "prompt": 'Predict who leaves, where "leaves" < 30 days & counting.',
        "testing": "Whether you ask who pays.",
        "lost": "At the default threshold.",
        "questions": [{"question": q, "answer": a, "matters": n < 4} for n, (q, a) in enumerate(named)],
        "numbers_to_remember": [{"what": "Base rate", "value": "4%"}],
        "metrics": {
            "business": "margin kept",
            "product": "retained users",
            "engineering": "AUPRC",
            "primary": "retained users at 30 days",
            "guardrails": ["tickets", "unsubscribes"],
        },
        "cost_asymmetry": {"ratio": 20, "direction": "fn", "threshold": 0.048},
        "frame": {"naive": "who leaves", "winning": "whom a call keeps"},
        "unit": "account and week",
        "label": "no login for 30 days",
        "horizon": "30 days",
        "leaks": ["cancellation page visits"],
        "features": {"usage": ["logins", "seats"], "billing": ["failed payments"]},
        "versions": {"v0": version, "v1": version, "v2": version},
        "evaluation": {"offline": "by time", "online": "A/B", "threshold": "from costs"},
        "operations": {"serving": "nightly", "retraining": "weekly", "drift": "PSI", "fallback": "v0"},
        "roadmap": ["uplift"],
        "failures": [{"failure": "leak", "mitigation": "as-of join", "cell": "leak-caught"}],
        "senior_signals": [{"signal": "prices both errors", "cell": "money-table"}],
        "follow_ups": [{"question": f"Why {n}?", "answer": "So.", "cell": f"why-{n}"} for n in range(8)],
        "published": [
            {
                "who": f"Firm {n}",
                "year": 2020 + n,
                "what": "a model",
                "disagrees": "ranks",
                "url": "https://example.org/x",
            }
            for n in range(3)
        ],
        "rubric": {row: {"level2": "two", "level4": "four", "staff": "more"} for row in cards.RUBRIC_ROWS},
        "flash_cards": [{"front": f"F{n}", "back": f"B{n}", "cell": "money-table"} for n in range(10)],
    }


def changed(path, value):
    fields = deepcopy(plain_card())
    *steps, last = path
    inner = fields
    for step in steps:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return fields


def test_a_complete_card_is_taken_and_cannot_be_changed():
    card = cards.read_card(plain_card())
    assert card.questions[3].matters is True
    with pytest.raises(ValueError, match="frozen"):
        card.title = "other"


def test_it_survives_yaml_and_back():
    card = cards.read_card(plain_card())
    text = yaml.safe_dump(card.model_dump(mode="json"))
    assert cards.read_card(yaml.safe_load(text)) == card


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("lost",), None, "card 04_sample, lost must be given, got nothing; add it."),
        (("prompt",), 5, "card 04_sample, prompt must be a valid string, got 5; correct it."),
        (("title",), " ", r"card 04_sample, title must be text like \S, got ' '; correct it."),
        (
            ("extra",),
            "x",
            "card 04_sample, extra must be a field of the card, got a stranger; delete it or correct its name.",
        ),
        (
            ("questions", 9, "matters"),
            True,
            "card 04_sample, questions must be a list of which exactly 4 matter, got 5; choose "
            "those that change the answer.",
        ),
        (
            ("questions", 0, "matters"),
            "yes",
            "card 04_sample, questions 1, matters must be a valid boolean, got 'yes'; correct it.",
        ),
        (("questions", 9), None, "card 04_sample, questions must be a list of at least 10, got 9; add some."),
        (
            ("follow_ups", 7),
            None,
            "card 04_sample, follow_ups must be a list of at least 8, got 7; add some.",
        ),
        (("published", 0), None, "card 04_sample, published must be a list of at least 3, got 2; add some."),
        (
            ("flash_cards", 0),
            None,
            "card 04_sample, flash_cards must be a list of at least 10, got 9; add some.",
        ),
        (
            ("follow_ups", 2, "cell"),
            "Why 2",
            "card 04_sample, follow_ups 3, cell must be text like ^[a-z0-9]+(-[a-z0-9]+)*$, got 'Why 2'; correct it.",
        ),
        (
            ("published", 0, "url"),
            "example.org",
            r"card 04_sample, published 1, url must be text like ^https?://\S+$, got "
            r"'example.org'; correct it.",
        ),
        (
            ("rubric", "Model"),
            None,
            "card 04_sample, rubric must be the rows Business, Metric, Framing, Data and "
            "features, Model, Evaluation, "
            "Deploy monitor iterate, Conversation, got 'Model' missing; mend 'Model'.",
        ),
        (
            ("rubric", "Charm"),
            {"level2": "a", "level4": "b", "staff": "c"},
            "card 04_sample, rubric must be the rows Business, Metric, Framing, Data and "
            "features, Model, Evaluation, "
            "Deploy monitor iterate, Conversation, got 'Charm' too; mend 'Charm'.",
        ),
        (
            ("cost_asymmetry", "threshold"),
            0.05,
            None,
        ),
        (
            ("cost_asymmetry", "threshold"),
            0.952,
            "card 04_sample, cost_asymmetry must be 1 / (1 + ratio) = 0.04762, got 0.952; "
            "correct the threshold or the ratio.",
        ),
        (
            ("cost_asymmetry", "direction"),
            "fp",
            "card 04_sample, cost_asymmetry must be ratio / (1 + ratio) = 0.9524, got 0.048; "
            "correct the threshold or the ratio.",
        ),
        (
            ("cost_asymmetry", "ratio"),
            0.5,
            "card 04_sample, cost_asymmetry, ratio must be greater than or equal to 1, got 0.5; correct it.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(path, value, text):
    if text is None:
        assert cards.read_card(changed(path, value)).cost_asymmetry.threshold == value
        return
    with pytest.raises(ContractError) as caught:
        cards.read_card(changed(path, value))
    assert str(caught.value) == text


def test_too_many_are_refused_too():
    fields = plain_card()
    fields["follow_ups"].append(fields["follow_ups"][0])
    fields["published"] *= 2
    with pytest.raises(ContractError) as caught:
        cards.read_card(fields)
    assert str(caught.value).splitlines() == [
        "card 04_sample, follow_ups must be a list of at most 8, got 9; drop some.",
        "card 04_sample, published must be a list of at most 4, got 6; drop some.",
    ]


def test_what_is_no_mapping_is_refused():
    with pytest.raises(ContractError) as caught:
        cards.read_card(["prompt"], name="04_x")
    assert str(caught.value) == "card 04_x must be a mapping of fields, got ['prompt']; write field: value."


@given(st.integers(1, 200), st.sampled_from(["fn", "fp"]), st.integers(3, 6))
def test_every_threshold_from_costs_is_taken_at_its_written_rounding(ratio, direction, digits):
    # The cheapest policy for one case: act when p * cost_fn exceeds (1 - p) * cost_fp.
    cost_fn, cost_fp = (ratio, 1) if direction == "fn" else (1, ratio)
    exact = cost_fp / (cost_fp + cost_fn)
    written = round(exact, digits)
    asymmetry = {"ratio": ratio, "direction": direction, "threshold": written}
    assert cards.read_card(changed(("cost_asymmetry",), asymmetry)).cost_asymmetry.threshold == written
    asymmetry["threshold"] = round(exact + (2 if exact < 0.5 else -2) * 10.0**-digits, digits)
    # A shift of two in the last digit may drop that digit, and then the writing is honestly coarser.
    if len(f"{asymmetry['threshold']}".split(".")[-1]) == digits:
        with pytest.raises(ContractError, match="correct the threshold or the ratio"):
            cards.read_card(changed(("cost_asymmetry",), asymmetry))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "_folder", lambda: Path(tmp_path))
    (tmp_path / "04_sample.yml").write_text(yaml.safe_dump(plain_card()), encoding="utf-8")
    return tmp_path


def test_cards_are_loaded_by_slug_in_order(folder):
    (folder / "01_first.yml").write_text(yaml.safe_dump(changed(("slug",), "01_first")), encoding="utf-8")
    assert list(cards.load_cards()) == ["01_first", "04_sample"]
    assert cards.load_card("04_sample") == cards.read_card(plain_card())


def test_a_card_under_anothers_name_is_refused(folder):
    (folder / "05_other.yml").write_text(yaml.safe_dump(plain_card()), encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        cards.load_card("05_other")
    assert str(caught.value) == (
        "card 05_other, slug must be the name of its file, got '04_sample'; rename one of the two."
    )


def test_a_missing_card_is_refused(folder):
    with pytest.raises(ContractError) as caught:
        cards.load_card("07_none")
    assert str(caught.value) == "card must be one in data/cards, got '07_none'; write 07_none.yml."


def test_all_committed_cards_are_complete():
    assert all(card.slug == slug for slug, card in cards.load_cards().items())


class Outline(HTMLParser):
    """Text, tags and classes of well-nested HTML."""

    def __init__(self, html):
        super().__init__()
        self.text, self.open, self.classes, self.inside = "", [], [], {}
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.classes += (dict(attrs).get("class") or "").split()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        for tag in self.open:
            self.inside[tag] = self.inside.get(tag, "") + data


def test_show_displays_the_card_with_its_questions_folded(monkeypatch):
    shown = []
    monkeypatch.setattr(cards, "display", shown.append)
    card = cards.read_card(plain_card())
    cards.show(card)
    (html,) = shown
    outline = Outline(html.data)
    assert card.prompt in outline.text
    assert card.testing in outline.text
    assert card.lost in outline.text
    assert "A missed case costs 20 times a false alarm: act from a probability of 0.048." in outline.text
    assert outline.classes.count("casebook-card-question") == 10
    assert outline.classes.count("casebook-card-matters") == 4
    for question in card.questions:
        assert question.question in outline.inside["details"]
        assert question.answer in outline.inside["details"]
    assert all(name.startswith("casebook-card") for name in outline.classes)


def test_the_sheet_holds_what_a_candidate_says_and_escapes_it():
    card = cards.read_card(plain_card())
    html = cards.sheet_html(card)
    outline = Outline(html)
    assert "&lt; 30 days &amp; counting" in html
    assert card.prompt in outline.text
    for said in (
        "4%",
        "tickets",
        "whom a call keeps",
        "logins, seats",
        "as-of join",
        "Why 7?",
        "Firm 2 2022: ranks",
    ):
        assert said in outline.text
    assert "Which 3?" in outline.text
    assert "Which 4?" not in outline.text
    assert all(name.startswith("casebook-sheet") for name in outline.classes)


@pytest.mark.parametrize(
    ("asymmetry", "said"),
    [
        (
            {"ratio": 9, "direction": "fp", "threshold": 0.9},
            "A false alarm costs 9 times a missed case: act from a probability of 0.9.",
        ),
        (
            {"ratio": 1, "direction": "fn", "threshold": 0.5},
            "A missed case costs as much as a false alarm: act from a probability of 0.5.",
        ),
    ],
)
def test_the_cost_sentence_names_the_dearer_error(asymmetry, said):
    assert said in cards.sheet_html(cards.read_card(changed(("cost_asymmetry",), asymmetry)))
