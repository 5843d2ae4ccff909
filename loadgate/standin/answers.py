"""What is sent back: the gateway's refusals, in the vendor's words, and the model's answers."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of the gateway itself."""

    status: int
    """HTTP status."""
    code: str
    """`APIG.*` or `ModelArts.*`; only together with status and message does it mean one thing."""
    message: str
    """The vendor's sentence, its dots and spaces included."""

    def body(self, request_id: str) -> bytes:
        """The JSON body under the gateway's default response template."""
        fields = {"error_code": self.code, "error_msg": self.message, "request_id": request_id}
        return json.dumps(fields, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the model, good or bad."""

    status: int
    """HTTP status."""
    body: bytes
    """JSON."""
    model: str = ""
    """Which model answered: json, file or base64."""
    uuid: str = ""
    """The request's own id, if it had one."""


_IAM = "Incorrect IAM authentication information: "

NO_PATH = Refusal(404, "APIG.0101", "The API does not exist or has not been published in the environment.")
NO_METHOD = Refusal(404, "APIG.0101", "The API does not exist.")
NO_TOKEN = Refusal(401, "APIG.0301", _IAM + "x-auth-token not found")
UNKNOWN_TOKEN = Refusal(401, "APIG.0301", _IAM + "decrypt token fail")
EXPIRED_TOKEN = Refusal(401, "APIG.0307", "The token must be updated.")
DOMAIN_TOKEN = Refusal(401, "ModelArts.0212", "Invalid token header because the token does not contain a project.")
TOO_LARGE = Refusal(413, "APIG.0201", "Request entity too large")
MALFORMED = Refusal(400, "ModelArts.4105", "Incorrect JSON format of the input data.")
THROTTLED = Refusal(
    429,
    "APIG.0308",
    "The throttling threshold has been reached: policy user over ratelimit,limit:100,time:1 minute",
)
QUEUE_FULL = Refusal(
    503,
    "ModelArts.4302",
    "Gateway forwarding error. Failed to invoke backend service due to connection refused. ",
)
UNAVAILABLE = Refusal(503, "ModelArts.4302", "Gateway forwarding error because the backend service is unavailable.")
TIMED_OUT = Refusal(
    504,
    "ModelArts.4503",
    "Failed to find backend service because response timed out, "
    "please confirm your service is able to process the request without timeout. ",
)


def excessive(service_id: str) -> Refusal:
    """The refusal of a service's own rate limit."""
    return Refusal(429, "ModelArts.4206", f"Excessive number of requests to {service_id}.")
