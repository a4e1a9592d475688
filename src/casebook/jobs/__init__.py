"""A job that runs every night: written once, whole or not at all, restartable, audited, and able to refuse.

The room knows nothing of the cases: a job is a list of steps, each of which writes one file from what you read.

==============================================  ===================================================
You have                                        Take
==============================================  ===================================================
functions that each write one file              ``Step``, ``run_job``
a table that may be stale or half loaded        ``check_fresh``, ``check_loaded`` as ``gates``
a reason to stop tonight's run                  a file ``STOP`` in the job's folder, with the reason
a run that was refused, and readers that wait   ``latest_output``: the fallback, marked as such
an output that another job made                 ``check_output``
the question who ran what on which input        ``read_audit``
one file to write, not a job                    ``write_atomic``, ``write_csv``, ``write_json``
a writer such as ``frame.to_parquet``           ``write_through``
something that identifies an input              ``digest`` of a file, ``digest_of`` a value
a command line                                  ``job_parser``, ``guarded``
==============================================  ===================================================
"""

from casebook.jobs.atomic import digest, digest_of, write_atomic, write_csv, write_json, write_through
from casebook.jobs.audit import read_audit
from casebook.jobs.cli import guarded, job_parser
from casebook.jobs.gates import check_fresh, check_loaded, refuse_if_killed
from casebook.jobs.outputs import Output, check_output, latest_output
from casebook.jobs.runner import JobResult, run_job
from casebook.jobs.steps import Step

__all__ = [
    "JobResult",
    "Output",
    "Step",
    "check_fresh",
    "check_loaded",
    "check_output",
    "digest",
    "digest_of",
    "guarded",
    "job_parser",
    "latest_output",
    "read_audit",
    "refuse_if_killed",
    "run_job",
    "write_atomic",
    "write_csv",
    "write_json",
    "write_through",
]
