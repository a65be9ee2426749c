"""One process of streamrun."""
import json
import os
import resource
import subprocess
import time


def open_files_limit():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


class Life:
    """One process. Its talk goes to a file: JSON lines, of which `start` says from what it went on."""

    newest = None

    def __init__(self, command, log, environment, output=os.devnull, armed=None):
        Life.newest = self
        self.log = log
        self.cannot_open = False  # whether it was kept from opening files, for a while
        environment = environment | ({"STREAMRUN_CRASH": armed} if armed else {})
        with open(log, "wb") as talk, open(output, "wb") as printed:
            self.process = subprocess.Popen(command, stdout=printed, stderr=talk, env=environment)
        self.started = time.monotonic()

    def age(self):
        return time.monotonic() - self.started

    def kill(self):
        self.process.kill()
        return self.process.wait() != -9  # it had ended by itself, just before

    def start_event(self):
        for line in self.log.read_bytes().split(b"\n"):
            if b'"start"' in line:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if event.get("event") == "start":
                    return event
        return None

    def talk(self):
        return self.log.read_text(errors="replace")[-3000:]
