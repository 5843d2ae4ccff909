"""What to do about an outcome that is not ok, in plain words."""

from analysis.outcomes import Outcome

ADVICE = {
    Outcome.UNAUTHORIZED: "The gateway refused the token. Get a new one: project-scoped, not domain-scoped, for the "
    "service's own project and region, and less than 24 h old; copy all of it.",
    Outcome.OVERSIZE: "The body is over the gateway's limit. Send a smaller file, or send it as a file instead of "
    "base64, which makes it a third larger.",
    Outcome.GATEWAY_TIMEOUT: "The gateway ended the request at its time limit. The model needs longer than that, or "
    "the service is overloaded: look at its instances and its log.",
    Outcome.CLIENT_TIMEOUT: "Nothing came back, not even the gateway's own time-out. Look at the network between, and "
    "at --timeout.",
    Outcome.THROTTLED: "The gateway let no more requests through. Ask for a higher limit on the API or the service.",
    Outcome.UNAVAILABLE: "The gateway has no running instance to give the request to. Is the service in the state "
    "Running, and not overloaded?",
    Outcome.SERVER_ERROR: "The service failed inside. Its log has the reason; the request id above finds it.",
    Outcome.CLIENT_ERROR: "The service did not accept the request. Check the URL with its custom path, the input's "
    "name (--field, --base64-field) and the body against the service's usage guide.",
    Outcome.BAD_ANSWER: "The status says success, and the answer is not what such a request should get.",
    Outcome.CONNECTION_ERROR: "There was no connection to the service. Check the host, the port, and "
    "the network; for a certificate of your own, --cacert (or -k).",
}
