"""Files as multipart/form-data: --file PATH (a file, a folder or a pattern), or the sample image."""

from loadgate import InferenceUser


class FileRequests(InferenceUser):
    kind = "file"
