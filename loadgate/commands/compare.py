"""`loadgate compare`: the analysis is a package of its own, and so is its command."""

from analysis.compare_command import compare as compare
