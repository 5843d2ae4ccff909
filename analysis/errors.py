"""What is wrong with what was to be read."""


class BadRun(Exception):  # noqa: N818 - named for what is wrong
    """A file or run that cannot be read, or not as asked; the message says what, where, and what would be right."""
