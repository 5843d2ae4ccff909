"""`loadgate report`: the analysis is a package of its own, and so is its command."""

from analysis.__main__ import report as report
