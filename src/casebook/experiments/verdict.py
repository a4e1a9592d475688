"""The steps of a verdict, each of which speaks for a launch, rules it out, or leaves it open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from casebook.experiments.check import SRM
from casebook.experiments.effect import Effect
from casebook.experiments.plan import Margin, Plan
from casebook.experiments.reading import non_inferior

Decision = Literal["launch", "do not launch", "fix and rerun", "inconclusive: keep running"]
Step = Literal["quality", "sample ratio", "guardrail", "primary", "practical"]
Outcome = Literal["pass", "stop", "unknown"]


@dataclass(frozen=True)
class Reason:
    """One step of a reading.

    Parameters
    ----------
    step : {"quality", "sample ratio", "guardrail", "primary", "practical"}
    outcome : {"pass", "stop", "unknown"}
        Whether it speaks for the launch, rules it out, or leaves it open.
    text : str
        One sentence.
    """

    step: Step
    outcome: Outcome
    text: str


@dataclass(frozen=True)
class Report:
    """A verdict on a test, with its reasons in the order in which they were read.

    Parameters
    ----------
    verdict : {"launch", "do not launch", "fix and rerun", "inconclusive: keep running"}
        A fault of the table or of the sample ratio: fix and rerun, and no effect is read. Else anything that rules
        the launch out: do not launch. Else anything left open: inconclusive. Else launch.
    reasons : tuple of Reason
    sentence : str
        What to say.
    effects : mapping of str to Effect
        By metric, at the look's level; empty after a fault.
    """

    verdict: Decision
    reasons: tuple[Reason, ...]
    sentence: str
    effects: Mapping[str, Effect] = field(default_factory=dict)

    @property
    def table(self) -> pd.DataFrame:
        """The reasons, one row each: ``step``, ``outcome``, ``text``."""
        return pd.DataFrame([vars(reason) for reason in self.reasons])

    def __str__(self) -> str:
        """Return the sentence and the reasons, a line each."""
        return "\n".join([self.sentence, *(f"- {one.step}: {one.text}" for one in self.reasons)])


def broken(reasons: list[Reason]) -> Report:
    """Return the report of a test with a fault, of which no effect is read."""
    first = next(one for one in reasons if one.outcome == "stop")
    return Report("fix and rerun", tuple(reasons), f"Fix and rerun, and read no effect until then: {first.text}")


def read(before: list[Reason], effects: dict[str, Effect], plan: Plan, look: int | None) -> Report:
    """Return the report of a sound test from its effects, after the reasons that say that it is sound."""
    last = look is None or look == plan.looks
    guardrails = [_guardrail(effects[one.metric], one) for one in plan.guardrails]
    primary = _primary(effects[plan.primary], plan)
    practical = _practical(effects[plan.primary], plan, last and primary.outcome == "pass")
    reasons = (*before, *guardrails, primary, practical)
    return Report(*_decide(reasons, effects, plan, last), effects)


def ratio_reason(found: SRM) -> Reason:
    """Return what the sizes of the arms say."""
    if found.broken:
        text = f"The arms' sizes contradict the plan (p = {found.p:.2g}): find the cause."
        return Reason("sample ratio", "stop", text)
    return Reason("sample ratio", "pass", f"The arms' sizes agree with the plan (p = {found.p:.2g}).")


def _guardrail(effect: Effect, planned: Margin) -> Reason:
    verdict = non_inferior(effect, planned.margin, planned.worse).verdict
    said = f"{planned.metric} moves by {effect}"
    if verdict == "holds":
        return Reason("guardrail", "pass", f"{said}: harm beyond {planned.margin:g} is excluded.")
    if verdict == "broken":
        return Reason("guardrail", "stop", f"{said}: harm beyond {planned.margin:g} is shown.")
    return Reason("guardrail", "unknown", f"{said}: harm beyond {planned.margin:g} is neither shown nor excluded.")


def _toward_better(effect: Effect, plan: Plan) -> tuple[float, float, float]:
    """Return estimate, worse end and better end, above 0 where it is better."""
    low, high = sorted([plan.sign * effect.low, plan.sign * effect.high])
    return plan.sign * effect.estimate, low, high


def _primary(effect: Effect, plan: Plan) -> Reason:
    _, low, high = _toward_better(effect, plan)
    said = f"{plan.primary} moves by {effect}"
    if low > 0:
        return Reason("primary", "pass", f"{said}: better.")
    if high < 0:
        return Reason("primary", "stop", f"{said}: worse.")
    if high < plan.mde:
        return Reason("primary", "stop", f"{said}: not shown to be better, and a gain of {plan.mde:g} is excluded.")
    return Reason("primary", "unknown", f"{said}: neither 0 nor the planned {plan.mde:g} is excluded.")


def _pays(plan: Plan) -> str:
    return f"the {plan.pays_from:g} from which it pays" if plan.pays_from else "0 (the plan names no effect that pays)"


def _practical(effect: Effect, plan: Plan, final: bool) -> Reason:
    estimate, _, high = _toward_better(effect, plan)
    pays = _pays(plan)
    if high < plan.pays_from:
        end = f"Even the better end of {plan.primary}'s interval, {plan.sign * high:+.4g},"
        return Reason("practical", "stop", f"{end} falls short of {pays}.")
    who = "The estimate"
    if plan.programme is not None and effect.se > 0:
        estimate = plan.programme.update(estimate, effect.se).expected
        who = f"The estimate, shrunk by the programme's past to {plan.sign * estimate:+.4g},"
    if estimate >= plan.pays_from and estimate > 0:
        return Reason("practical", "pass", f"{who} reaches {pays}.")
    if final:
        return Reason("practical", "stop", f"{who} falls short of {pays}, though {plan.primary} is better.")
    return Reason("practical", "unknown", f"{who} falls short of {pays}, but the interval reaches above.")


def _decide(
    reasons: tuple[Reason, ...], effects: Mapping[str, Effect], plan: Plan, last: bool
) -> tuple[Decision, tuple[Reason, ...], str]:
    """Return verdict, reasons and sentence; what rules out comes before what is open."""
    stop = next((one for one in reasons if one.outcome == "stop"), None)
    if stop is not None:
        return "do not launch", reasons, f"Do not launch: {stop.text}"
    unknown = next((one for one in reasons if one.outcome == "unknown"), None)
    if unknown is not None:
        if last:
            end = "That was the plan's last look, so running on needs a new plan."
            return "inconclusive: keep running", reasons, f"Not known: {unknown.text} {end}"
        return "inconclusive: keep running", reasons, f"Keep running: {unknown.text}"
    moved = f"{plan.primary} moves by {effects[plan.primary]}"
    guarded = ", and no guardrail suffers beyond its margin" if plan.guardrails else ""
    return "launch", reasons, f"Launch: {moved}, which reaches {_pays(plan)}{guarded}."
