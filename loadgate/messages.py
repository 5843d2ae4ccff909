"""What a master and its workers say to each other, beside what Locust's do."""

READY, CHECK, CHECKED, REFUSED, BEGIN, RATE, STOP, HURRY, TAKEN, LOCKED = (
    f"loadgate-{word}"
    for word in ("ready", "check", "checked", "refused", "begin", "rate", "stop", "hurry", "taken", "locked")
)
REPORT = "loadgate"  # in Locust's own report of a worker
