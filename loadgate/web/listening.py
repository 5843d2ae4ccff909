"""Where the page listens: on this machine alone, unless it is protected or its user insists."""

from typing import Any

from loadgate.errors import ConfigError
from loadgate.target import is_loopback

LOOPBACK = "127.0.0.1"


def choose(web_ui: Any, options: Any) -> None:
    """Keep to this machine where no address was given. Raises ConfigError for an open one without a login."""
    if not options.web_host:
        web_ui.host = LOOPBACK
    elif not is_loopback(web_ui.host) and not (options.web_login or options.known_open):
        raise ConfigError(
            f"--web-host {options.web_host}: anybody who reaches this page can send load with your token. Protect it"
            " with --web-login (and LOADGATE_WEB_PASSWORD), or say --i-know-this-is-open"
        )
