"""What the card of a prompt must hold.

One file feeds the chapter's top, the printed sheet, the drill and the flash cards.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
Cell = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}_[a-z0-9_]+$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]

QUESTIONS = 10
MATTERING = 4
FOLLOW_UPS = 8
FLASH_CARDS = 10  # at least
PUBLISHED = (3, 4)
RUBRIC_ROWS = (
    "Business",
    "Metric",
    "Framing",
    "Data and features",
    "Model",
    "Evaluation",
    "Deploy monitor iterate",
    "Conversation",
)
"""The rows of the practice rubric, in the order in which a mock is graded."""


def _wrong(must: str, got: str, mend: str) -> PydanticCustomError:
    return PydanticCustomError("card", "must be {must}, got {got}; {mend}.", {"must": must, "got": got, "mend": mend})


class Part(BaseModel):
    """A part of a card: no field more, no field less, nothing converted, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Question(Part):
    """A clarifying question with the interviewer's answer; four of ten matter."""

    question: Text
    answer: Text
    matters: bool


class FollowUp(Part):
    """What the interviewer asks later, with its answer and the cell that proves it."""

    question: Text
    answer: Text
    cell: Cell


class RememberedNumber(Part):
    """A number to know by heart, as it is said aloud."""

    what: Text
    value: Text


class Metrics(Part):
    """The metric at three levels, which is primary, and what must not get worse."""

    business: Text
    product: Text
    engineering: Text
    primary: Text
    guardrails: Texts


class CostAsymmetry(Part):
    """How many times the dearer error costs the other, and the probability from which to act.

    ``fn``: a missed case is the dearer one, act from 1 / (1 + ratio). ``fp``: a false alarm is, act from
    ratio / (1 + ratio). Correct decisions are taken as free (Elkan 2001). ``threshold`` is held against the
    formula at the decimals in which it is written.
    """

    ratio: Annotated[float, Field(ge=1, allow_inf_nan=False)]
    direction: Literal["fn", "fp"]
    threshold: Annotated[float, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _follows(self) -> CostAsymmetry:
        exact = (1 if self.direction == "fn" else self.ratio) / (1 + self.ratio)
        decimals = max(-int(Decimal(str(self.threshold)).as_tuple().exponent), 1)
        if abs(self.threshold - exact) > 0.5 * 10.0**-decimals + 1e-12:
            formula = "1 / (1 + ratio)" if self.direction == "fn" else "ratio / (1 + ratio)"
            raise _wrong(f"{formula} = {exact:.4g}", f"{self.threshold}", "correct the threshold or the ratio")
        return self


class Frame(Part):
    """The framing that comes to mind, and the one that wins."""

    naive: Text
    winning: Text


class Version(Part):
    """One version of the model: what it is, what it costs, what it buys."""

    what: Text
    costs: Text
    buys: Text


class Versions(Part):
    """The three versions in the order in which they ship."""

    v0: Version
    v1: Version
    v2: Version


class Evaluation(Part):
    """How it is judged before launch and after, and where the threshold comes from."""

    offline: Text
    online: Text
    threshold: Text


class Operations(Part):
    """What runs every night or on every event."""

    serving: Text
    retraining: Text
    drift: Text
    fallback: Text


class Failure(Part):
    """A way to fail, and what to do about it."""

    failure: Text
    mitigation: Text
    cell: Cell | None = None


class Signal(Part):
    """What a senior candidate says, and the cell that proves it."""

    signal: Text
    cell: Cell | None = None


class RubricRow(Part):
    """A sample phrase at level 2, one at level 4, and what staff adds."""

    level2: Text
    level4: Text
    staff: Text


class Published(Part):
    """A published system, and where it disagrees with the standard answer."""

    who: Text
    year: Annotated[int, Field(ge=1990, le=2100)]
    what: Text
    disagrees: Text
    url: Url


class FlashCard(Part):
    """One fact to drill, and the cell that shows it."""

    front: Text
    back: Text
    cell: Cell


def _four_matter(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    mattering = sum(question.matters for question in questions)
    if mattering != MATTERING:
        raise _wrong(
            f"a list of which exactly {MATTERING} matter",
            f"{mattering}",
            "choose those that change the answer",
        )
    return questions


def _all_rows(rubric: dict[str, RubricRow]) -> dict[str, RubricRow]:
    for name in [*RUBRIC_ROWS, *rubric]:
        if name not in rubric or name not in RUBRIC_ROWS:
            must = f"the rows {', '.join(RUBRIC_ROWS)}"
            raise _wrong(must, f"{name!r} {'missing' if name in RUBRIC_ROWS else 'too'}", f"mend {name!r}")
    return {name: rubric[name] for name in RUBRIC_ROWS}


class Card(Part):
    """The card of a prompt.

    Parameters
    ----------
    slug : str
        The file's stem, as ``"04_churn"``.
    chapter : str
        Slug of the notebook whose cells its anchors name.
    title, prompt : str
        The prompt's short name, and the prompt as the interviewer says it.
    testing, lost : str
        What the interviewer is testing, and where the offer is lost.

    Notes
    -----
    The other fields are those of the house's list; their types say how many of each there are.

    Examples
    --------
    >>> Card.model_fields["flash_cards"].is_required()
    True
    """

    slug: Slug
    chapter: Slug
    title: Text
    prompt: Text
    testing: Text
    lost: Text
    questions: Annotated[
        tuple[Question, ...], Field(min_length=QUESTIONS, max_length=QUESTIONS), AfterValidator(_four_matter)
    ]
    numbers_to_remember: Annotated[tuple[RememberedNumber, ...], Field(min_length=1)]
    metrics: Metrics
    cost_asymmetry: CostAsymmetry
    frame: Frame
    unit: Text
    label: Text
    horizon: Text
    leaks: Texts
    features: Annotated[dict[Text, Texts], Field(min_length=1)]
    versions: Versions
    evaluation: Evaluation
    operations: Operations
    roadmap: Texts
    failures: Annotated[tuple[Failure, ...], Field(min_length=1)]
    senior_signals: Annotated[tuple[Signal, ...], Field(min_length=1)]
    follow_ups: Annotated[tuple[FollowUp, ...], Field(min_length=FOLLOW_UPS, max_length=FOLLOW_UPS)]
    published: Annotated[tuple[Published, ...], Field(min_length=PUBLISHED[0], max_length=PUBLISHED[1])]
    rubric: Annotated[dict[str, RubricRow], AfterValidator(_all_rows)]
    flash_cards: Annotated[tuple[FlashCard, ...], Field(min_length=FLASH_CARDS)]
