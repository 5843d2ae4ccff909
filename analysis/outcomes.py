"""What became of a request: the closed set of outcomes, and what each means for latency.

    every planned request
    |-- not sent
    |   `-- dropped              the limit of requests in flight was reached
    |-- no answer
    |   |-- connection_error     refused, reset, TLS or DNS failed
    |   |-- client_timeout       nothing by the gateway's limit plus grace     } at least this slow:
    |   `-- unfinished           still in flight when the run ended            } censored
    `-- answered
        |-- 2xx
        |   |-- ok               and the answer passes its check
        |   `-- bad_answer       not JSON, uuid not echoed, wrong number of results
        |-- by the gateway
        |   |-- gateway_timeout  504 or 408: the time limit                      censored at the limit
        |   |-- oversize         413, or cut off before any answer to a body over the limit
        |   |-- unauthorized     401, 403
        |   |-- throttled        429
        |   `-- unavailable      502, 503
        `-- by the model or unknown
            |-- server_error     other 5xx
            `-- client_error     every other status

The latency population is `ok` plus the censored ones: a timeout took *at least* that long, and leaving it out
would make a service look faster the worse it gets. Rejections are counted, never averaged in.
"""

from enum import StrEnum


class Outcome(StrEnum):
    OK = "ok"
    GATEWAY_TIMEOUT = "gateway_timeout"
    CLIENT_TIMEOUT = "client_timeout"
    OVERSIZE = "oversize"
    UNAUTHORIZED = "unauthorized"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    SERVER_ERROR = "server_error"
    CLIENT_ERROR = "client_error"
    BAD_ANSWER = "bad_answer"
    CONNECTION_ERROR = "connection_error"
    DROPPED = "dropped"
    UNFINISHED = "unfinished"


class AnsweredBy(StrEnum):
    """Who gave the answer to a request. Of what was not answered it is NOBODY."""

    GATEWAY = "gateway"
    MODEL = "model"
    UNKNOWN = "unknown"  # something between that does not speak as the gateway does
    NOBODY = ""


CENSORED = frozenset({Outcome.GATEWAY_TIMEOUT, Outcome.CLIENT_TIMEOUT, Outcome.UNFINISHED})
POPULATION = CENSORED | {Outcome.OK}

# One sentence each for the report: what it means, and who answered.
MEANING = {
    Outcome.OK: "The model answered, and the answer passed its check.",
    Outcome.GATEWAY_TIMEOUT: "The gateway stopped waiting for the model and answered 504 or 408 instead.",
    Outcome.CLIENT_TIMEOUT: "Nobody answered within the gateway's limit plus grace; loadgate gave up.",
    Outcome.OVERSIZE: "The gateway refused the body as too large (413, or the connection cut without an answer).",
    Outcome.UNAUTHORIZED: "The gateway refused the credentials (401 or 403); the model saw nothing.",
    Outcome.THROTTLED: "The gateway refused the request because there were too many (429).",
    Outcome.UNAVAILABLE: "The gateway had no instance to pass the request to (502 or 503).",
    Outcome.SERVER_ERROR: "The model, or something behind the gateway, failed (another 5xx).",
    Outcome.CLIENT_ERROR: "The request itself was refused (another 4xx, or a status nobody expects).",
    Outcome.BAD_ANSWER: "The model answered 2xx, but the answer did not pass its check.",
    Outcome.CONNECTION_ERROR: "Nobody answered: the connection was refused or reset, or TLS or DNS failed.",
    Outcome.DROPPED: "Not sent: loadgate had reached its limit of requests in flight.",
    Outcome.UNFINISHED: "Still waiting for an answer when the run ended.",
}
