"""Files as base64 inside JSON: --base64 PATH (a file, a folder or a pattern), or the sample image."""

from loadgate import InferenceUser


class Base64Requests(InferenceUser):
    kind = "base64"
