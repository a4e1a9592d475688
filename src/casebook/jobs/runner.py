"""One run of a job for one key: locked, audited, resumed where it was killed, published by a rename."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from casebook.contracts import ContractError, refuse
from casebook.jobs._lock import take_lock
from casebook.jobs._work import partial_folder, publish, run_steps, seal
from casebook.jobs.atomic import StrPath, digest_of, remove_tree
from casebook.jobs.audit import append_killed, append_line, new_attempt
from casebook.jobs.gates import refuse_if_killed
from casebook.jobs.outputs import check_output, read_manifest
from casebook.jobs.steps import Step, check_key, check_steps, input_digests, refuse_missing_inputs


@dataclass(frozen=True)
class JobResult:
    """What a run did.

    Parameters
    ----------
    status : str
        "done", "replaced" or "already done".
    path : pathlib.Path
        The output's folder, ``folder/<key>``.
    ran, reused : tuple of str
        Names of the steps that this run ran, and of those that a killed run had finished. Both are empty if the
        output was there already.
    """

    status: str
    path: Path
    ran: tuple[str, ...] = ()
    reused: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Plan:
    folder: Path
    key: str
    steps: Sequence[Step]
    inputs: Mapping[str, str | Path]
    known: Mapping[str, str]
    gates: Sequence[Callable[[], object]]
    replace: bool
    switch: str


def run_job(
    folder: StrPath,
    key: str | date,
    steps: Sequence[Step],
    *,
    inputs: Mapping[str, str | Path],
    gates: Sequence[Callable[[], object]] = (),
    replace: bool = False,
    switch: str = "STOP",
    now: Callable[[], datetime] | None = None,
) -> JobResult:
    """Write ``folder/<key>/`` once, whole, however often the run is killed and started again.

    Parameters
    ----------
    folder : str or path
        The job's folder; it is made if need be. It must be on a local disk or one whose locks work.
    key : str or datetime.date
        What the run is for, a date as a rule.
    steps : sequence of Step
        Run in this order. A step that a killed run had finished is not run again, provided that its file, the
        files before it and the inputs are the same.
    inputs : mapping of str to (str or pathlib.Path)
        What the job reads: a digest or version as text, or the Path of a file, which is digested here, before and
        after the run. Put the code's version and the settings here too: a change of code alone is not noticed.
    gates : sequence of callables
        Called before the first step, such as ``lambda: check_fresh(...)``; a refusal goes into the audit.
    replace : bool
        Whether a finished output with other inputs (or damaged files) is swapped. The old one is kept as
        ``folder/.replaced-<key>-<n>``. No system renames two folders in one call, so for an instant there is
        neither; :func:`latest_output` finds the old one even then. Who reads two files during a swap may get one of
        each output, so replace by hand, not every night.
    switch : str
        Name of the kill switch in ``folder``, looked for before every step and before publishing.
    now : callable, optional
        The clock of the audit; by default the time in UTC.

    Returns
    -------
    JobResult

    Raises
    ------
    ContractError
        Kill switch, gate, missing input, an output with other inputs, another process at work on the key, or a
        step that broke its promise. The published outputs are as before.

    Notes
    -----
    Each run adds one line to ``folder/audit.jsonl``; that of a killed run is added by the next. Arguments that are
    no job at all (a key with a slash, two steps with one file) are refused without a line.

    References
    ----------
    Kleppmann (2017), Designing Data-Intensive Applications, chapter 10, on jobs whose output appears whole or not.

    Examples
    --------
    >>> import tempfile
    >>> from casebook.jobs import write_csv
    >>> steps = [
    ...     Step("scores", lambda path, done: write_csv(path, ["id", "score"], [(1, 0.2), (2, 0.9)]), "scores.csv"),
    ...     Step("n", lambda path, done: path.write_text(str(len(done["scores"].read_text().split()) - 1)), "n.txt"),
    ... ]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for _ in range(2):
    ...         result = run_job(folder, "2026-01-05", steps, inputs={"usage": "5f1c", "model": "v2"})
    ...         print(result.status, result.ran, sorted(path.name for path in result.path.iterdir()))
    done ('scores', 'n') ['manifest.json', 'n.txt', 'scores.csv']
    already done () ['manifest.json', 'n.txt', 'scores.csv']
    """
    name = check_key(key)
    check_steps(steps)
    plan = _Plan(Path(folder), name, steps, inputs, input_digests(inputs), gates, replace, switch)
    clock = now or (lambda: datetime.now(UTC))
    attempt = new_attempt(name, plan.known, clock())
    plan.folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = take_lock(plan.folder / f".lock-{name}")
    except ContractError as busy:
        append_line(plan.folder, attempt, "refused", str(busy))
        raise
    with lock:
        if lock.left_behind:
            append_killed(plan.folder, lock.left_behind)
        lock.sign(attempt)
        return _audited(plan, attempt)


def _audited(plan: _Plan, attempt: Mapping[str, object]) -> JobResult:
    try:
        result = _run(plan)
    except BaseException as error:
        refused = isinstance(error, ContractError)
        reason = str(error) if refused else f"{type(error).__name__}: {error}"
        append_line(plan.folder, attempt, "refused" if refused else "failed", reason)
        raise
    append_line(plan.folder, attempt, result.status, ran=result.ran)
    return result


def _run(plan: _Plan) -> JobResult:
    target, work = plan.folder / plan.key, partial_folder(plan.folder, plan.key)

    def guard() -> None:
        refuse_if_killed(plan.folder, plan.switch)

    guard()
    refuse_missing_inputs(plan.inputs, plan.known)
    if target.exists() and _is_done(plan, target):
        remove_tree(work)
        return JobResult("already done", target)
    for gate in plan.gates:
        gate()
    ran = run_steps(work, plan.steps, digest_of(plan.known), guard)
    _refuse_moved_inputs(plan, work)
    seal(work, plan.steps, plan.key, plan.known)
    status = "replaced" if publish(work, target) else "done"
    remove_tree(work)
    reused = tuple(step.name for step in plan.steps if step.name not in ran)
    return JobResult(status, target, ran, reused)


def _is_done(plan: _Plan, target: Path) -> bool:
    """Return whether the output is there and right; refuse one that is not, unless it is to be replaced."""
    mend = "pass --replace to swap the output (the old one is kept)"
    try:
        manifest = read_manifest(target)
        was = manifest["inputs"]
        changed = sorted(name for name in {*was, *plan.known} if was.get(name) != plan.known.get(name))
        if changed:
            got = "a change in " + ", ".join(repr(name) for name in changed)
            refuse(f"the inputs of {plan.key!r}", "those of its finished run", got, mend)
        made = [(output["step"], output["file"]) for output in manifest["outputs"]]
        if made != [(step.name, step.output) for step in plan.steps]:
            refuse(f"the steps of {plan.key!r}", "those of its finished run", "others", mend)
        check_output(target)
    except ContractError:
        if plan.replace:
            return False
        raise
    return True


def _refuse_moved_inputs(plan: _Plan, work: Path) -> None:
    now = input_digests(plan.inputs)
    moved = next((name for name, value in now.items() if value != plan.known[name]), None)
    if moved is not None:
        remove_tree(work)  # no telling which of its files were made from which bytes
        refuse(f"input {moved!r}", "the same at the end of the run as at its start", "other bytes", "run again")
