"""What a user can get wrong: one sentence, exit code 2, never a traceback."""


class ConfigError(Exception):
    """A value that cannot work. The message names the value and what would be right."""
