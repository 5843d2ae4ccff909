"""Every error that the vendor documents for a call of a real-time service, by name.

Sources: API Gateway user guide, "Error Codes", "Common Errors Related to IAM Authentication Information" and "What
Should I Do If the App Authentication Information Is Incorrect?"; ModelArts API reference, "Error Codes"; ModelArts
troubleshooting, the pages on prediction failures.
"""

from collections.abc import Iterator, Mapping

from .answers import Refusal

Row = tuple[int, str, str, str]
"""HTTP status, code, message, and a word where status and code mean more than one thing."""

_IAM = "Incorrect IAM authentication information: "
_APP = "Incorrect app authentication information: "

APIG: tuple[Row, ...] = (
    (404, "APIG.0101", "The API does not exist or has not been published in the environment.", ""),
    (404, "APIG.0101", "The API does not exist.", "method"),
    (500, "APIG.0103", "The backend does not exist.", ""),
    (500, "APIG.0104", "The plug-ins do not exist.", ""),
    (500, "APIG.0105", "The backend configurations do not exist.", ""),
    (400, "APIG.0106", "Orchestration error.", ""),
    (400, "APIG.0201", "API request error.", ""),
    (413, "APIG.0201", "Request entity too large.", ""),
    (413, "APIG.0201", "Request entity too large", "no_dot"),
    (414, "APIG.0201", "Request URI too large.", ""),
    (494, "APIG.0201", "Request headers too large.", ""),
    (502, "APIG.0201", "Backend unavailable.", ""),
    (504, "APIG.0201", "Backend timeout.", ""),
    (500, "APIG.0201", "An unexpected error occurred", ""),
    (502, "APIG.0202", "Backend unavailable", ""),
    (504, "APIG.0203", "Backend timeout", ""),
    (400, "APIG.0204", "SSL protocol is not supported: TLSv1.1", ""),
    (400, "APIG.0205", "Verify client certificate failed", ""),
    (401, "APIG.0301", "Incorrect IAM authentication information.", ""),
    (401, "APIG.0301", _IAM + "decrypt token fail", "decrypt"),
    (401, "APIG.0301", _IAM + "x-auth-token not found", "no_token"),
    (401, "APIG.0301", _IAM + "AK access failed to reach the limit,forbidden", "locked"),
    (401, "APIG.0301", _IAM + "Get secretKey failed,ak:{ak},err:ak not exist", "no_ak"),
    (401, "APIG.0301", _IAM + "verify aksk signature fail", "signature"),
    (401, "APIG.0301", _IAM + "verify aksk signature fail, canonicalRequest:{request}", "canonical"),
    (401, "APIG.0301", _IAM + "calc ak sk signature fail:signature expired", "expired"),
    (403, "APIG.0302", "The IAM user is not authorized to access the API.", ""),
    (401, "APIG.0303", "Incorrect app authentication information.", ""),
    (401, "APIG.0303", _APP + "app not found, appkey {appkey}", "no_app"),
    (
        401,
        "APIG.0303",
        _APP + "signature expired, signature time:20230527T000431Z,server time:20230527T020608Z",
        "expired",
    ),
    (401, "APIG.0303", _APP + "verify signature fail, canonicalRequest:{request}", "signature"),
    (401, "APIG.0303", _APP + "app not found with specified appCode", "app_code"),
    (403, "APIG.0304", "The app is not authorized to access the API.", ""),
    (401, "APIG.0305", "Incorrect authentication information.", ""),
    (403, "APIG.0306", "API access denied.", ""),
    (401, "APIG.0307", "The token must be updated.", ""),
    (429, "APIG.0308", "The throttling threshold has been reached.", ""),
    (
        429,
        "APIG.0308",
        "The throttling threshold has been reached: policy user over ratelimit,limit:{limit},time:{time}",
        "user",
    ),
    (
        429,
        "APIG.0308",
        "The throttling threshold has been reached: policy ip over ratelimit,limit:5,time:1 minute",
        "ip",
    ),
    (403, "APIG.0310", "The project is unavailable.", ""),
    (401, "APIG.0312", "Incorrect third-party authentication information,auth fail", ""),
    (401, "APIG.0313", "Incorrect third-party authentication information,identities error", ""),
    (403, "APIG.0314", "Incorrect third-party authentication information,access deny", ""),
    (403, "APIG.0401", "Unknown client IP address.", ""),
    (403, "APIG.0402", "The IP address is not authorized to access the API.", ""),
    (403, "APIG.0404", "Access to the backend IP address has been denied.", ""),
    (403, "APIG.0405", "The app is not accessed from a trusted IP address.", ""),
    (405, "APIG.0501", "The app quota has been used up.", ""),
    (405, "APIG.0502", "The app has been frozen.", ""),
    (500, "APIG.0601", "Internal server error.", ""),
    (400, "APIG.0602", "Bad request.", ""),
    (500, "APIG.0605", "Domain name resolution failed.", ""),
    (500, "APIG.0606", "Failed to load the API configurations.", ""),
    (500, "APIG.0609", "The VPC backend does not exist.", ""),
    (502, "APIG.0610", "No backend available.", ""),
    (500, "APIG.0611", "The backend port does not exist.", ""),
    (500, "APIG.0612", "An API cannot call itself.", ""),
    (503, "APIG.0613", "The IAM service is currently unavailable.", ""),
    (403, "APIG.0802", "The IAM user is forbidden in the currently selected region", ""),
    (400, "APIG.1009", "AppKey or AppSecret is invalid", ""),
)

MODELARTS: tuple[Row, ...] = (
    (401, "ModelArts.0201", "Token doesn't exist.", ""),
    (401, "ModelArts.0202", "Invalid token header because the token has expired.", ""),
    (401, "ModelArts.0203", "Invalid token.", ""),
    (403, "ModelArts.0203", "Invalid token.", ""),
    (400, "ModelArts.0204", "Token must contain projectId info.", ""),
    (401, "ModelArts.0204", "Failed to parse the token.", ""),
    (401, "ModelArts.0205", "No authorization request header.", ""),
    (401, "ModelArts.0206", "Incorrect authorization request header format.", ""),
    (403, "ModelArts.0206", "Invalid AK/SK.", ""),
    (401, "ModelArts.0207", "Token must contain project info of current region.", ""),
    (401, "ModelArts.0208", "Failed to check the authorization request header.", ""),
    (401, "ModelArts.0209", "No key appId in header.", ""),
    (401, "ModelArts.0210", "No key apiId in header.", ""),
    (401, "ModelArts.0212", "Invalid token header because the token does not contain a project.", ""),
    (413, "ModelArts.4104", "Invalid request body because the size exceeds the maximum size allowed.", ""),
    (400, "ModelArts.4105", "Incorrect JSON format of the input data.", ""),
    (403, "ModelArts.4116", "User has been owed, please check the account status and balance.", ""),
    (403, "ModelArts.4118", "User has been suspended, please check the account balance.", ""),
    (401, "ModelArts.4119", "Invalid RBAC.", ""),
    (400, "ModelArts.4200", "Invalid request.", ""),
    (400, "ModelArts.4201", "Invalid request URL because no service ID or request URI included.", ""),
    (401, "ModelArts.4201", "Invalid token.", ""),
    (400, "ModelArts.4202", "Empty request.", ""),
    (400, "ModelArts.4203", "Invalid request because requested service {service} is unavailable.", ""),
    (401, "ModelArts.4203", "Invalid request because you do not have the access permission.", ""),
    (404, "ModelArts.4204", "API {service} does not exist.", ""),
    (408, "ModelArts.4205", "Connection timed out.", ""),
    (408, "ModelArts.4205", "Connection time out.", "sent"),
    (429, "ModelArts.4206", "Excessive number of requests to {service}.", ""),
    (500, "ModelArts.4302", "Gateway forwarding error because accessing the service is rejected.", ""),
    (503, "ModelArts.4302", "Gateway forwarding error because the backend service is unavailable.", ""),
    (500, "ModelArts.4503", "Failed to obtain the backend service because the service does not exist.", ""),
    (
        504,
        "ModelArts.4503",
        "Failed to obtain the backend service because the response from the backend service timed out.",
        "",
    ),
    (500, "ModelArts.4505", "Internal backend service error because reading timed out.", ""),
    (400, "ModelArts.4506", "The sub-service was not found.", ""),
    (400, "ModelArts.4507", "The specification code was not found.", ""),
    (503, "ModelArts.4700", "Unavailable gateway.", ""),
)

# The troubleshooting pages show these texts without a status, the alarm's without a code, too: both are of the row in
# the table that says the same.
SHOWN: tuple[Row, ...] = (
    (
        503,
        "ModelArts.4302",
        "Gateway forwarding error. Failed to invoke backend service due to connection refused. ",
        "refused",
    ),
    (
        503,
        "ModelArts.4302",
        "Due to self protection, the backend service is disconnected, please wait moment.",
        "self_protection",
    ),
    (
        503,
        "ModelArts.4302",
        "Send the request from gateway to the service failed due to connection refused, "
        "please confirm your service is connectable",
        "alarm_refused",
    ),
    (
        503,
        "ModelArts.4302",
        "Send the request from gateway to the service failed due to connection timeout, "
        "please confirm your service is able to process the new request",
        "alarm_timeout",
    ),
    (
        504,
        "ModelArts.4503",
        "Failed to respond due to backend service not found or failed to respond",
        "keepalive",
    ),
    (
        504,
        "ModelArts.4503",
        "Failed to find backend service because SSL error in the backend service, please check the service is https",
        "ssl",
    ),
    (
        504,
        "ModelArts.4503",
        "Failed to find backend service because response timed out, "
        "please confirm your service is able to process the request without timeout. ",
        "slow",
    ),
    (
        504,
        "ModelArts.4503",
        "Backend service respond timeout, please confirm your service is able to process the request without timeout. ",
        "crash",
    ),
    (500, "ModelArts.4505", "Backend service internal error. Backend service read timed out", "alarm"),
)


def _named(rows: tuple[Row, ...]) -> Iterator[tuple[str, Refusal]]:
    plain = [code for _, code, _, word in rows if not word]
    for status, code, message, word in rows:
        name = [code, str(status), word] if word else [code, str(status)] if plain.count(code) > 1 else [code]
        yield "/".join(name), Refusal(status, code, message)


ERRORS: Mapping[str, Refusal] = dict(_named(APIG + MODELARTS + SHOWN))
"""By name: the code, with the status where it has several, with a word where these mean more than one thing."""

NO_PATH = ERRORS["APIG.0101"]
NO_METHOD = ERRORS["APIG.0101/404/method"]
NO_TOKEN = ERRORS["APIG.0301/401/no_token"]
UNKNOWN_TOKEN = ERRORS["APIG.0301/401/decrypt"]
EXPIRED_TOKEN = ERRORS["APIG.0307"]
DOMAIN_TOKEN = ERRORS["ModelArts.0212"]
AK_LOCKED = ERRORS["APIG.0301/401/locked"]
NO_AK = ERRORS["APIG.0301/401/no_ak"]
WRONG_SIGNATURE = ERRORS["APIG.0301/401/signature"]
WRONG_SIGNATURE_OF = ERRORS["APIG.0301/401/canonical"]
EXPIRED_SIGNATURE = ERRORS["APIG.0301/401/expired"]
NO_APP_CODE = ERRORS["APIG.0303/401/app_code"]
TOO_LARGE = ERRORS["APIG.0201/413/no_dot"]
THROTTLED = ERRORS["APIG.0308/429/user"]
TOO_MANY = ERRORS["ModelArts.4206"]
MALFORMED = ERRORS["ModelArts.4105"]
STOPPED = ERRORS["ModelArts.4203/400"]
REFUSED = ERRORS["ModelArts.4302/503/refused"]
UNAVAILABLE = ERRORS["ModelArts.4302/503"]
SELF_PROTECTION = ERRORS["ModelArts.4302/503/self_protection"]
KEEPALIVE = ERRORS["ModelArts.4503/504/keepalive"]
BACKEND_TIMEOUT = ERRORS["APIG.0203"]

TIME_OUT_AS: Mapping[str, Refusal] = {
    "4503": ERRORS["ModelArts.4503/504/slow"],
    "APIG.0203": BACKEND_TIMEOUT,
    "4205": ERRORS["ModelArts.4205/408/sent"],
}
"""The three answers that are documented for one time limit."""
