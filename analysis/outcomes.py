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
        `-- another status, by whom says `AnsweredBy`
            |-- gateway_timeout  504 or 408: the time limit                      censored at the limit
            |-- oversize         413, or cut off before any answer to a body over the limit
            |-- unauthorized     401, 403
            |-- throttled        429
            |-- unavailable      502, 503
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

# One sentence each for the report. Who answered is not in the outcome: a model can refuse and time out as well.
MEANING = {
    Outcome.OK: "The answer was 2xx and passed its check.",
    Outcome.GATEWAY_TIMEOUT: "A time limit on the way to the answer was reached (504, 408, or words that say so).",
    Outcome.CLIENT_TIMEOUT: "Nobody answered within the gateway's limit plus grace; loadgate gave up.",
    Outcome.OVERSIZE: "The body was refused as too large (413), or was over the limit and the connection cut "
    "without an answer.",
    Outcome.UNAUTHORIZED: "The credentials were refused, or what they may do (401 or 403).",
    Outcome.THROTTLED: "The request was refused because there were too many (429).",
    Outcome.UNAVAILABLE: "The service could not take the request (502, 503, or words that say so).",
    Outcome.SERVER_ERROR: "Something failed in answering the request (another 5xx).",
    Outcome.CLIENT_ERROR: "The request itself was refused (another 4xx, or a status nobody expects).",
    Outcome.BAD_ANSWER: "The answer was 2xx, but did not pass its check.",
    Outcome.CONNECTION_ERROR: "Nobody answered: the connection was refused or reset, or TLS or DNS failed.",
    Outcome.DROPPED: "Not sent: loadgate had reached its limit of requests in flight.",
    Outcome.UNFINISHED: "Still waiting for an answer when the run ended.",
}

# What to do about each where the gateway's profile has no advice for the reason.
ADVICE = {
    Outcome.GATEWAY_TIMEOUT: "The model needs longer than the limit, or requests queue for it: try a lower rate, then "
    "more instances.",
    Outcome.CLIENT_TIMEOUT: "Look at the network in between, and whether --timeout is the gateway's own limit.",
    Outcome.OVERSIZE: "Send a smaller body. Base64 makes a file a third larger; --file sends it as it is.",
    Outcome.UNAUTHORIZED: "Check that the credentials are whole, valid, and for this service, project and region.",
    Outcome.THROTTLED: "Lower the rate, or have the limit of whoever answered raised.",
    Outcome.UNAVAILABLE: "Check that the service is running and that its instances keep up.",
    Outcome.SERVER_ERROR: "Look for the request, by its id, in the log of whoever answered.",
    Outcome.CLIENT_ERROR: "Check the URL, the input's name and the body against what the service expects.",
    Outcome.BAD_ANSWER: "Look at one answer with loadgate send: it is not what such a request should get.",
    Outcome.CONNECTION_ERROR: "Check the host, the port, the network and the certificate.",
    Outcome.DROPPED: "Lower the rate, or raise --max-in-flight.",
    Outcome.UNFINISHED: "Let the run end by itself.",
}
