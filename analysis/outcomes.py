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
        |   |-- oversize         413, or cut off while sending a body over the limit
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


CENSORED = frozenset({Outcome.GATEWAY_TIMEOUT, Outcome.CLIENT_TIMEOUT, Outcome.UNFINISHED})
POPULATION = CENSORED | {Outcome.OK}
