"""Has schemathesis ask the demonstration what its document allows, and what it does not; tells what it is answered with that is not documented.

usage: made_up_requests.py PROGRAM [ARGUMENT of schemathesis run]...
"""
import pathlib
import re
import subprocess
import sys
import tempfile

folder = pathlib.Path(__file__).parent
demo = subprocess.Popen(
    [sys.argv[1], "demo", "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
try:
    base = "http://" + next(found.group(1) for line in demo.stderr if (found := re.search(r"addresses=(\S+)", line)))
    with tempfile.TemporaryDirectory() as place:
        # What it keeps from run to run lies where it is started.
        run = subprocess.run(
            [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "--config-file",
             folder.resolve() / "schemathesis.toml", "run", base + "/openapi.json", *sys.argv[2:]], cwd=place)
finally:
    demo.terminate()
    demo.wait()
sys.exit(run.returncode)
