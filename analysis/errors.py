"""What is wrong with a run that cannot be read."""


class BadRun(Exception):  # noqa: N818 - named for what is wrong
    """A run directory does not hold what its format says; the message names file, line, column and value."""
