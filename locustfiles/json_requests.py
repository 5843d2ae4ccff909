"""JSON bodies: --json PATH (.json, or .jsonl with one body a line), or the sample."""

from loadgate import InferenceUser


class JsonRequests(InferenceUser):
    kind = "json"
