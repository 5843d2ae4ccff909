"""`loadgate report`: the analysis is a package of its own, and so is its command."""

from analysis.report.command import report as report
