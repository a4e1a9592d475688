"""From which ranges feeds are drawn, where each range comes from, and the programme that effects come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casebook.contracts import refuse
from casebook.feed.world import World
from casebook.worlds import Dial


@dataclass(frozen=True)
class Programme:
    """The prior of a programme of tests: most ideas do nothing, the others are t-distributed about zero.

    Parameters
    ----------
    idle : float
        Share of tests whose true effect is zero, in [0, 1].
    scale : float
        Scale of the relative effects of the others: half of them are beyond 0.7 to 0.8 times it.
    tails : float
        Degrees of freedom of their t distribution; the smaller, the more of the gain comes from a few.
    """

    idle: float = 0.7
    scale: float = 0.01
    tails: float = 3.0

    def __post_init__(self) -> None:
        if not (0 <= self.idle <= 1 and self.scale > 0 and self.tails > 0):
            got = f"{self.idle}, {self.scale}, {self.tails}"
            refuse("Programme", "a share, and a scale and tails above 0", got, "see its ranges in PROGRAMME")

    def draw(self, size: int, rng: np.random.Generator, most: float = 0.5) -> NDArray[np.float64]:
        """Draw the true relative effects of ``size`` tests, none beyond ``most`` in size.

        Examples
        --------
        >>> effects = Programme(idle=0.8).draw(100_000, np.random.default_rng(0))
        >>> round(float((effects == 0).mean()), 2)
        0.8
        """
        size_of = self.scale * rng.standard_t(self.tails, size)
        return np.where(rng.random(size) < self.idle, 0.0, np.clip(size_of, -most, most))


PROGRAMME = (
    Dial(
        "idle", 0.5, 0.9, "share of tests",
        "a tenth to a third of tests win at large firms (Kohavi, Tang and Xu 2020, chapter 1), about as many lose",
        "what share of winners is false",
    ),
    Dial(
        "scale", 0.002, 0.02, "relative effect",
        "assumed: typical effects of a fifth of a percent to two percent",
        "how far an underpowered win exaggerates", scale="log",
    ),
    Dial(
        "tails", 1.5, 10.0, "degrees of freedom",
        "extremely fat tails at Bing (Azevedo, Deng, Montiel Olea, Rao and Weyl 2020) to nearly normal",
        "whether a large win may be believed", scale="log",
    ),
)  # fmt: skip

EFFECT = Dial(
    "effect", -0.03, 0.05, "share of minutes", "assumed: around the source's 0.1 and 5 percent, with losses",
    "whether there is anything to find", null=0.0,
)  # fmt: skip

FEED = (
    Dial("spread", 0.7, 1.3, "sd of log visits", "assumed: one user in six comes two to four times the median",
         "how many users a test needs"),
    Dial("rho", 0.1, 0.85, "correlation of minutes before and in the test",
         "variance cuts of 0 to 50 percent are published, which is rho up to 0.7 (Deng, Xu, Kohavi and Walker 2013)",
         "what CUPED saves"),
    Dial("alike", 0.0, 0.2, "share of the variance of log visits", "assumed: friends are alike a little, or not at all",
         "what cluster randomisation costs"),
    Dial("modularity", 0.1, 0.8, "Newman's Q",
         "0.3 to 0.7 in networks with communities (Newman and Girvan 2004), with values beyond both ends",
         "whether clusters can hold the spillover"),
    Dial("friends", 5.0, 30.0, "friends", "assumed", "how far a friend's gain is thinned out", scale="log"),
)  # fmt: skip

FAULT_DIALS = (
    Dial("crash", 0.05, 0.8, "share of slow phones",
         "assumed; six percent of tests have an SRM, often for a client's or a log's reason (Fabijan et al. 2019)",
         "whether the counts still hold", null=0.0),
    Dial("bots", 0.002, 0.02, "share of accounts", "assumed: few accounts, many clicks",
         "what a mean is worth", null=0.0),
    Dial("novelty", 0.01, 0.10, "share of minutes on the first day", "assumed: up to twice the largest effect",
         "whether two weeks foretell half a year", null=0.0),
    Dial("primacy", 0.01, 0.06, "share of minutes on the first day", "assumed: about the size of an effect",
         "whether two weeks say too little", null=0.0),
    Dial("spillover", 0.1, 0.8, "share of a friend's gain", "assumed: a little, or nearly as much as one's own",
         "how far the arms' difference falls short", null=0.0),
    Dial("symbiosis", -0.3, 0.7, "share of the effect",
         "assumed; the bias can have either sign (Brennan et al. 2025)",
         "whether one log may train both arms", null=0.0),
    Dial("appetite", 0.0, 0.4, "share of the effect",
         "assumed; diverting leaves each ranker less to learn from (Brennan et al. 2025)",
         "whether diverting the log mends more than it costs", null=0.0),
    Dial("code_path", -0.03, 0.03, "share of impressions", "assumed: about the size of an effect",
         "whether the 90 percent may be the control", null=0.0),
    Dial("cohort_gap", 0.03, 0.3, "share of minutes", "assumed: one cohort gains much, the mean stays",
         "whether a mean near zero hides anything", null=0.0),
    Dial("outage", 0.2, 1.0, "share of a day's sessions", "assumed: part of a day to all of it",
         "whether one day decides", null=0.0),
    Dial("blackout", 0.2, 1.0, "share of a day's sessions", "assumed: part of a day to all of it",
         "whether a bad day for all moves anything", null=0.0),
    Dial("hide_effect", 0.02, 0.3, "share of hides", "assumed: below and above a margin of a tenth",
         "whether a guardrail sees harm", null=0.0),
    Dial("load_effect", 0.01, 0.15, "share of load time", "assumed: 10 to 150 milliseconds of a second",
         "whether a guardrail sees harm", null=0.0),
    Dial("carry_over", 0.01, 0.08, "share of impressions", "assumed: as large as an effect",
         "whether the arms begin alike", null=0.0),
    Dial("creators", 0.1, 0.8, "percent for a percent", "assumed: less than in proportion",
         "what a small test cannot show of a launch", null=0.0),
    Dial("reallocation", 0.05, 0.6, "share of exposure", "assumed: a nudge, or another kind of feed",
         "whether the new ranker changes who is seen", null=0.0),
)  # fmt: skip

SPEEDS = (
    Dial("half_life", 1.0, 14.0, "days", "assumed: gone in a weekend, or there after two weeks",
         "whether week 2 is enough", scale="log"),
    Dial("primacy_half_life", 3.0, 40.0, "days", "assumed", "whether a 30-day holdback is long enough", scale="log"),
    Dial("creator_half_life", 7.0, 60.0, "days", "assumed", "whether a 30-day holdback is long enough", scale="log"),
    Dial("response", 0.05, 0.6, "percent of posts for a percent of exposure",
         "assumed: less than in proportion", "whether creators matter", scale="log"),
)  # fmt: skip

DIALS = (EFFECT, *FEED, *FAULT_DIALS, *SPEEDS)


def draw_world(
    rng: np.random.Generator, fault_chance: float = 0.1, programme: Programme | None = None, base: World | None = None
) -> World:
    """Draw a feed with an effect from a programme and each fault on with a chance of its own.

    Parameters
    ----------
    rng : numpy.random.Generator
    fault_chance : float
        Chance of each fault, independent of the others, in [0, 1]; 0 gives sound tests.
    programme : Programme, optional
        Where the effect comes from.
    base : World, optional
        Holds the settings that are not drawn: all but effect, faults and their speeds.

    Raises
    ------
    ContractError
        If the chance is none.

    Examples
    --------
    >>> from casebook.feed.world import faults_of
    >>> faults_of(draw_world(np.random.default_rng(7)))
    ('novelty',)
    >>> faults_of(draw_world(np.random.default_rng(7), fault_chance=0.0))
    ()
    """
    if not 0 <= fault_chance <= 1:
        refuse("fault_chance", "in [0, 1]", str(fault_chance), "divide percentages by 100")
    effect = float((programme or Programme()).draw(1, rng)[0])
    on, at = rng.random((2, len(FAULT_DIALS)))
    drawn: dict[str, Any] = {
        dial.name: float(dial.at(place)) if coin < fault_chance else 0.0
        for dial, coin, place in zip(FAULT_DIALS, on, at, strict=True)
    }
    for dial, place in zip(SPEEDS, rng.random(len(SPEEDS)), strict=True):
        drawn[dial.name] = float(dial.at(place))
    return replace(base or World(), effect=effect, **drawn)
