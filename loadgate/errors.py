"""What a user can get wrong: one sentence, exit code 2, never a traceback."""

CANNOT, INTERRUPTED = 2, 130  # exit codes: of what cannot be done, and of what somebody ended


class ConfigError(Exception):
    """A value that cannot work. The message names the value and what would be right."""
