import subprocess
import sys

from analysis.__main__ import report
from loadgate import commands


def test_the_command_is_the_analysis_own():
    assert commands.loadgate.get_command(None, "report") is report


def test_the_command_does_not_patch_the_process():
    program = "import sys, loadgate.commands.report; print('locust' in sys.modules or 'gevent' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
