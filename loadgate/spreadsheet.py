"""Text from a service in a CSV file that somebody will open in a spreadsheet."""


def cell(text: str) -> str:
    """`text` so that a spreadsheet takes it for text: a service must not write formulas (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
