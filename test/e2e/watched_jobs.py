"""Runs of a job that a test watches from outside, and what they must have counted; for tests beside real servers."""
import collections
import pathlib
import re
import shutil
import subprocess
import time

WAIT_S = 150  # for something to appear, on a busy machine
WORD = re.compile(rb"[A-Za-z0-9]+")


class Failure(Exception):
    """What a case found wrong."""


class TooLate(Exception):
    """The time of all cases is over."""


def count_words(text):
    return collections.Counter(word.lower() for word in WORD.findall(text))


def real_text():
    """Lines of a real text, none of which is empty or holds a tab."""
    if shutil.which("bible"):
        text = subprocess.run(["bible", "-f", "Gen1:1-Rev22:21"], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, check=True).stdout
    else:
        folder = pathlib.Path("/usr/share/common-licenses")
        text = b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()) * 5
    return [line.replace(b"\t", b" ") for line in text.split(b"\n") if line.strip()]


def wait_until(what, condition, timeout_s=WAIT_S, job=None):
    """The condition's value once it is true. The job must not end meanwhile."""
    deadline = time.monotonic() + timeout_s
    while True:
        ended = job is not None and job.process.poll() is not None
        value = condition()
        if value:
            return value
        if ended:
            raise Failure(f"the job ended while this was awaited: {what}\n{job.story()}")
        if time.monotonic() > deadline:
            raise Failure(f"not within {timeout_s} s: {what}\n{job.story() if job else ''}")
        time.sleep(0.05)


def run(command, content=b"", timeout_s=WAIT_S, wanted=0, environment=None, folder=None):
    """Runs a command that must end in time and, unless `wanted` is None, with this status."""
    line = " ".join(map(str, command))
    try:
        done = subprocess.run([*map(str, command)], input=content, capture_output=True, timeout=timeout_s, check=False,
                              env=environment, cwd=folder)
    except subprocess.TimeoutExpired as expired:
        said = (expired.stderr or b"").decode(errors="replace")
        raise Failure(f"$ {line}\nstill runs after {timeout_s} s; its stderr:\n{said}") from None
    if wanted is not None and done.returncode != wanted:
        said = (done.stderr or done.stdout).decode(errors="replace")
        raise Failure(f"$ {line}\nended with status {done.returncode}, not {wanted}; its stderr:\n{said}")
    return done


class Job:
    """A run in the background, its output and its talk in files."""

    def __init__(self, world, command):
        self.command = [*map(str, command)]
        self.out, self.talk = (world.folder / f"{name}-{len(world.jobs)}" for name in ("out", "talk"))
        with open(self.out, "wb") as out, open(self.talk, "wb") as talk:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=talk,
                                            cwd=world.folder, env=world.environment)
        world.jobs.append(self)

    def said(self):
        return self.talk.read_text(errors="replace")

    def story(self):
        status = self.process.poll()
        how = "runs" if status is None else f"ended with status {status}"
        return f"$ {' '.join(self.command)}\n{how}; its stderr:\n{self.said()[-4000:]}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """As a person does, by SIGTERM; it must end well."""
        self.process.terminate()
        try:
            status = self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"still runs {WAIT_S} s after SIGTERM\n{self.story()}") from None
        if status != 0:
            raise Failure(f"did not end well after SIGTERM\n{self.story()}")


def counts_of_lines(lines):
    counts = {}
    for line in lines:
        word, _, count = line.partition(b"\t")
        if word in counts:
            raise Failure(f"two totals for one word: {line.decode()}")
        counts[word] = int(count)
    return counts


def compare(what, got, wanted):
    """Both are counts by word."""
    if dict(got) == dict(wanted):
        return
    wrong = [f"{word.decode()}: {got.get(word, 0)} instead of {wanted.get(word, 0)}"
             for word in sorted(got.keys() | wanted.keys()) if got.get(word, 0) != wanted.get(word, 0)]
    raise Failure(f"{what}: {len(wrong)} of {len(wanted)} words are counted wrongly\n  " + "\n  ".join(wrong[:10]))


def compare_updates(what, rows, wanted):
    """Each word's running counts are 1, 2, … up to its total, each once."""
    seen = collections.defaultdict(list)
    for line in rows.splitlines():
        word, _, count = line.partition(b"\t")
        seen[word].append(int(count))
    wrong = [f"{word.decode()}: {len(seen[word])} rows, {len(set(seen[word]))} different, up to "
             f"{max(seen[word], default=0)}, instead of 1 to {wanted[word]}"
             for word in sorted(seen.keys() | wanted.keys()) if sorted(seen[word]) != [*range(1, wanted[word] + 1)]]
    if wrong:
        raise Failure(f"{what}: the counts of {len(wrong)} of {len(wanted)} words are wrong\n  "
                      + "\n  ".join(wrong[:10]))
