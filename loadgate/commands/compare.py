"""`loadgate compare`: the analysis is a package of its own, and so is its command."""

from analysis.comparison.command import compare as compare
