#!/usr/bin/env python3
"""readme_test.py BINARY README: runs every `sh` block of the README, in order, in one empty folder."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

binary, readme = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
blocks = re.findall(r"^```sh\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL)
if not blocks:
    sys.exit("the README has no sh block")
environment = dict(os.environ, PATH=f"{binary.parent}:{os.environ['PATH']}")


def end_all():
    """No job outlives the test."""
    listed = subprocess.run([binary, "list", "--json"], env=environment, check=False, capture_output=True, text=True)
    for job in json.loads(listed.stdout)["jobs"] if listed.stdout else []:
        subprocess.run([binary, "cancel", job["job_id"]], env=environment, check=False)


with tempfile.TemporaryDirectory() as folder:
    environment["XDG_STATE_HOME"] = f"{folder}/.state"  # other tests run jobs of the same names
    try:
        for block in blocks:
            for line in block.strip().split("\n"):
                done = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, check=False,
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
                print(f"$ {line}\n{done.stdout}{done.stderr}")
                if done.returncode != 0:
                    sys.exit(f"status {done.returncode}")
                if line.startswith("streamrun run") and "| sort" in line and len(done.stdout.split("\n")) != 6:
                    sys.exit("expected five rows")
    finally:
        end_all()
print(f"{len(blocks)} blocks ran")
