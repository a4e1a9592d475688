"""What to watch once a model runs: drift with its false alarms, calibration by period, precision with its delay.

The room knows nothing of the cases: every function takes your own arrays, Series or frames. Rows are matched by
position.

============================  =============================================
You have                      Take
============================  =============================================
two samples of one column     ``psi``, ``ks``, ``psi_null``
two tables                    ``psi_table``
counts by cell                ``psi_from_counts``
a reading a day               ``first_alarm``, ``cusum``
a quiet time to learn from    ``false_alarm_rate``, ``average_run_length``
a day on which it went wrong  ``days_to_detect``
probabilities and labels      ``calibration_over_time``
a list of cases and labels    ``precision_over_time``
============================  =============================================
"""

from casebook.monitoring.alarms import (
    Cusum,
    RunLength,
    average_run_length,
    cusum,
    days_to_detect,
    false_alarm_rate,
    first_alarm,
)
from casebook.monitoring.drift import Ks, ks, psi, psi_from_counts, psi_null, psi_table
from casebook.monitoring.quality import calibration_over_time, precision_over_time

__all__ = [
    "Cusum",
    "Ks",
    "RunLength",
    "average_run_length",
    "calibration_over_time",
    "cusum",
    "days_to_detect",
    "false_alarm_rate",
    "first_alarm",
    "ks",
    "precision_over_time",
    "psi",
    "psi_from_counts",
    "psi_null",
    "psi_table",
]
