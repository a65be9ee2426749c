#!/usr/bin/env python3
"""hdfs_test.py BINARY [CASE…]: jobs that read from, write to and checkpoint in a real HDFS count each word once.

It starts an HDFS of its own (scripts/hdfs) and looks at it through WebHDFS with Python alone. Without arguments all
cases run, each in its own folder of it; cases that need two name nodes have an HDFS of theirs. Status 77: a program that
it needs is missing. STREAMRUN_TEST_SEED gives the seed of what is random; it is printed.
"""
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

from watched_jobs import (Failure, Job, TooLate, WAIT_S, compare, compare_updates, count_words, counts_of_lines, real_text, run,
                          wait_until)

ROOT = pathlib.Path(__file__).resolve().parents[2]
HDFS = ROOT / "scripts/hdfs"
TOTAL_S = 540  # of all cases; below the time that the caller of this test gives it, so that HDFS is stopped
RUN_S = 120  # of one bounded run
EX_UNAVAILABLE = 69
USER = "tester"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Where to go on is an answer too."""

    def redirect_request(self, *_):
        return None


class Hdfs:
    """One HDFS, as WebHDFS shows it."""

    def __init__(self, folder, *options):
        self.folder, self.options = folder, options
        self.opener = urllib.request.build_opener(NoRedirect)

    def start(self):
        run([HDFS, "start", self.folder, "--port", "0", "--http-port", "0", *self.options], timeout_s=180)

    def tell(self, *words):
        return run([HDFS, "tell", self.folder, *words]).stdout.decode().strip()

    def end(self):
        """Whatever state it is in."""
        subprocess.run([HDFS, "kill", self.folder], capture_output=True, text=True, check=False)

    def property(self, site, name):
        for found in xml.etree.ElementTree.parse(self.folder / "conf" / site).getroot():
            if found.findtext("name") == name:
                return found.findtext("value")
        raise Failure(f"{site} has no {name}")

    def root(self):
        return self.property("core-site.xml", "fs.defaultFS")

    def http(self):
        """The address of the active name node."""
        if "--name-nodes" not in self.options:
            return self.property("hdfs-site.xml", "dfs.namenode.http-address")
        active = int(self.tell("status").split()[1]) + 1
        return self.property("hdfs-site.xml", f"dfs.namenode.http-address.streamrun-hdfs.nn{active}")

    def send(self, method, url, data=None):
        with self.opener.open(urllib.request.Request(url, data=data, method=method), timeout=60) as answer:
            return answer.read()

    def ask(self, method, op, path, data=None, **parameters):
        """Of the name node, and where it sends us, which alone is given the data."""
        query = urllib.parse.urlencode({"op": op, "user.name": USER, **parameters})
        try:
            return self.send(method, f"http://{self.http()}/webhdfs/v1{urllib.parse.quote(path)}?{query}")
        except urllib.error.HTTPError as problem:
            if problem.code != 307:
                raise
            return self.send(method, problem.headers["Location"], data)

    def write(self, path, content):
        """The file appears whole."""
        draft = f"{path.rpartition('/')[0]}/.{path.rpartition('/')[2]}"
        self.ask("PUT", "CREATE", draft, content, overwrite="true")
        done = json.loads(self.ask("PUT", "RENAME", draft, destination=path))
        if done != {"boolean": True}:
            raise Failure(f"{draft} can't be renamed")

    def list(self, path):
        """Names and statuses; none if the folder is not there."""
        try:
            found = json.loads(self.ask("GET", "LISTSTATUS", path))
        except urllib.error.HTTPError as problem:
            if problem.code == 404:
                return {}
            raise
        return {status["pathSuffix"]: status for status in found["FileStatuses"]["FileStatus"]}

    def read(self, path):
        return self.ask("GET", "OPEN", path)


class Writer(threading.Thread):
    """Adds files to a folder, one after the other, and goes on over what fails."""

    def __init__(self, hdfs, folder, pieces, pause_s, first):
        super().__init__(daemon=True)
        self.hdfs, self.folder, self.pieces, self.pause_s, self.first = hdfs, folder, pieces, pause_s, first
        self.stopping = False

    def run(self):
        for number, piece in enumerate(self.pieces, self.first):
            while not self.stopping:
                try:
                    self.hdfs.write(f"{self.folder}/text-{number:04}", piece)
                    break
                except (OSError, Failure):  # it may also be there: a write that is repeated changes nothing
                    with contextlib.suppress(OSError, Failure):
                        if f"text-{number:04}" in self.hdfs.list(self.folder):
                            break
                    time.sleep(0.2)
            time.sleep(self.pause_s)

    def finish(self):
        self.join(WAIT_S)
        if self.is_alive():
            raise Failure(f"the writer has not ended after {WAIT_S} s")


class World:
    """What one case has: HDFS, the binary, and a folder on both sides."""

    def __init__(self, binary, hdfs, name, folder, text, chance):
        self.binary, self.hdfs, self.folder, self.text, self.chance = binary, hdfs, folder, text, chance
        self.path = f"/{name}"  # in HDFS
        self.jobs, self.writers = [], []
        # Other tests run jobs of the same names.
        self.environment = dict(os.environ, XDG_STATE_HOME=str(folder / "state"), HADOOP_USER_NAME=USER,
                                HADOOP_CONF_DIR=str(hdfs.folder / "conf"))
        for part in ("in", "out"):
            hdfs.ask("PUT", "MKDIRS", f"{self.path}/{part}")

    def end(self):
        for job in self.jobs:
            job.kill()
        for writer in self.writers:
            writer.stopping = True

    def uri(self, part):
        return f"hdfs://{self.path}/{part}"

    def settings(self):
        return ["-D", "execution.checkpointing.interval=200ms", "-D", f"state.checkpoints.dir={self.uri('ckpt')}"]

    def call(self, *arguments, timeout_s=RUN_S, wanted=0):
        return run([self.binary, *arguments], timeout_s=timeout_s, wanted=wanted, environment=self.environment)

    def endless(self, *job_arguments, flags=()):
        """A job that goes on as files arrive, with a checkpoint every fifth of a second and rows in HDFS."""
        return Job(self, [self.binary, "run", *self.settings(), *flags, "wordcount", "--input", self.uri("in"),
                          "--watch", "--updates", "--output", self.uri("out"), *job_arguments])

    def write(self, pieces, pause_s, first=0):
        writer = Writer(self.hdfs, f"{self.path}/in", pieces, pause_s, first)
        self.writers.append(writer)
        writer.start()
        return writer

    def pieces(self, count, lines):
        return [b"\n".join(self.text[number * lines:(number + 1) * lines]) + b"\n" for number in range(count)]

    def complete(self):
        """The complete checkpoints, as names of jobs and checkpoints."""
        found = set()
        for job in self.hdfs.list(f"{self.path}/ckpt"):
            for name in self.hdfs.list(f"{self.path}/ckpt/{job}"):
                if name.startswith("chk-") and "_metadata" in self.hdfs.list(f"{self.path}/ckpt/{job}/{name}"):
                    found.add(f"{job}/{name}")
        return found

    def rows(self):
        """The lines of all finished parts."""
        names = [name for name in self.hdfs.list(f"{self.path}/out") if not name.startswith(".")]
        return b"".join(self.hdfs.read(f"{self.path}/out/{name}") for name in sorted(names))

    def wait_for_rows(self, wanted, job):
        """Until as many rows are visible as words were written; more are an error at once."""
        count = [0]

        def enough():
            count[0] = self.rows().count(b"\n")
            if count[0] > wanted:
                raise Failure(f"{count[0]} rows for {wanted} words\n{job.story()}")
            return count[0] == wanted

        try:
            wait_until(f"{wanted} rows", enough, job=job if job.process.poll() is None else None)
        except Failure as failure:
            raise Failure(f"{count[0]} of {wanted} rows are there\n{failure}") from None

    def finish(self, job, pieces, what):
        """All is counted once."""
        wanted = count_words(b"".join(pieces))
        self.wait_for_rows(sum(wanted.values()), job)
        job.stop()
        compare_updates(what, self.rows(), wanted)


def require(done, what, status, *patterns):
    """The command failed with this status, and stderr matches all patterns."""
    said = done.stderr.decode(errors="replace")
    for pattern in patterns:
        if done.returncode != status or not re.search(pattern, said, re.MULTILINE):
            raise Failure(f"{what}: status {done.returncode}, wanted {status} and /{pattern}/\n"
                          f"$ {' '.join(done.args)}\n{said}")


# ---- the cases, in the order in which they run


def bounded(world):
    """From HDFS to HDFS, with checkpoints there; the same by every way to write the name."""
    pieces = world.pieces(3, 8000)
    for number, piece in enumerate(pieces):
        world.hdfs.write(f"{world.path}/in/text {number}", piece)
    wanted = count_words(b"".join(pieces))
    authority, http = world.hdfs.root(), world.hdfs.http()
    for number, root in enumerate((authority, "hdfs://", f"webhdfs://{http}")):
        output = f"{world.path}/out/{number}"
        world.call("run", "-q", "-p", 2, *world.settings(), "wordcount", "--input", f"{root}{world.path}/in",
                   "--output", f"{root}{output}")
        parts = [world.hdfs.read(f"{output}/{name}") for name in world.hdfs.list(output) if not name.startswith(".")]
        compare(root, counts_of_lines(b"".join(parts).splitlines()), wanted)


def kill_and_resume(world):
    """Over kill -9 at random times, at other parallelisms, no count is left out and none comes twice."""
    pieces = world.pieces(40, 200)
    writer = world.write(pieces, pause_s=0.3)
    resumed = []
    for life in range(6):
        flags = ["-p", world.chance.randint(1, 3), *(["-s", "latest", "--or-fresh"] if life else [])]
        job = world.endless(flags=flags)
        if life % 3 == 2:  # at least these go on from a checkpoint of their own
            known = world.complete()
            wait_until("a new checkpoint", lambda: world.complete() - known, job=job)
        time.sleep(world.chance.uniform(0.1, 3))
        if job.process.poll() is not None:
            raise Failure(f"the job ended by itself\n{job.story()}")
        job.kill()
        resumed.append(bool(world.complete()))
    writer.finish()
    job = world.endless(flags=["-p", 2, "-s", "latest"])
    world.finish(job, pieces, "after kill -9")
    if not all(resumed[2:]):
        raise Failure(f"there was no checkpoint to go on from, by life: {resumed}")


def commands(world):
    """Checkpoints in HDFS are listed, verified, inspected and pruned; a damaged one is found."""
    world.hdfs.write(f"{world.path}/in/text", b"".join(world.pieces(1, 5000)))
    job = world.endless(flags=["-D", "execution.checkpointing.num-retained=3", "-D",
                               "execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION"])
    wait_until("three checkpoints", lambda: len(world.complete()) >= 3, job=job)
    job.kill()
    complete = world.complete()
    folder = ["--dir", world.uri("ckpt")]
    listed = world.call("list-checkpoints", *folder).stdout.decode()
    missing = [name for name in complete if name.split("/")[1] not in listed]
    if missing:
        raise Failure(f"{missing} are not listed:\n{listed}")
    world.call("verify", "--all", "--data", *folder)
    newest = max(complete, key=lambda name: int(name.rpartition("-")[2]))
    world.call("inspect", f"{world.uri('ckpt')}/{newest}")
    world.call("prune", "--keep-last", 1, "--yes", "-D", f"state.checkpoints.dir={world.uri('ckpt')}")
    if world.complete() != {newest}:
        raise Failure(f"after prune there are {world.complete()}, not {newest}")
    metadata = f"{world.path}/ckpt/{newest}/_metadata"
    content = world.hdfs.read(metadata)
    world.hdfs.ask("PUT", "CREATE", metadata, content[:len(content) // 2], overwrite="true")
    done = world.call("verify", f"{world.uri('ckpt')}/{newest}", wanted=None)
    require(done, "half of a _metadata", 65, "E-META-CORRUPT")


def data_node_restart(world):
    """The job goes on when the only data node ends and comes back."""
    pieces = world.pieces(30, 200)
    writer = world.write(pieces, pause_s=0.2)
    job = world.endless(flags=["-p", 2])
    wait_until("the first rows", world.rows, job=job)
    for _ in range(2):
        world.hdfs.tell("stop-data-node", 0)
        time.sleep(world.chance.uniform(0.5, 3))
        world.hdfs.tell("start-data-node", 0)
        time.sleep(1)
    writer.finish()
    world.finish(job, pieces, "after the data node's deaths")


def full(world):
    """A full data node is said to be the reason; the job goes on when there is room again."""
    pieces = world.pieces(20, 200)
    writer = world.write(pieces[:10], pause_s=0.1)
    job = world.endless()
    wait_until("the first rows", world.rows, job=job)
    writer.finish()
    world.hdfs.tell("capacity", 1 << 20)
    wait_until("E-STORE-FULL is said", lambda: "E-STORE-FULL" in job.said(), job=job)
    world.hdfs.tell("capacity", 1 << 40)
    world.write(pieces[10:], pause_s=0.1, first=10).finish()
    world.finish(job, pieces, "after there was no room")


def nobody_listens(world):
    """What is not there, or is no HDFS, is said in time."""
    begin = time.monotonic()
    done = world.call("run", "wordcount", "--input", "webhdfs://localhost:1/in", wanted=None)
    require(done, "nobody", EX_UNAVAILABLE, r"^error: E-UNAVAILABLE", "localhost:1")
    if time.monotonic() - begin > 15:
        raise Failure("it took more than 15 s to say that nobody listens")
    done = world.call("run", "wordcount", "--input", world.uri("nothing"), wanted=None)
    require(done, "no input", 66, r"^error: E-PATH")
    world.hdfs.ask("PUT", "MKDIRS", f"{world.path}/closed")
    world.hdfs.ask("PUT", "SETPERMISSION", f"{world.path}/closed", permission="500")
    other = dict(world.environment, HADOOP_USER_NAME="somebody")
    done = run([world.binary, "run", "wordcount", "--input", world.uri("closed")], wanted=None, environment=other)
    require(done, "not permitted", 77, r"^error: E-PERM")


def background(world):
    """A job in the background, which looked at HDFS before it was one, takes over from one on another machine."""
    pieces = world.pieces(4, 200)
    world.write(pieces[:2], pause_s=0).finish()
    first = world.endless()
    wait_until("a checkpoint", world.complete, job=first)
    first.kill()
    # As if its machine could not be looked at from here.
    for job in world.hdfs.list(f"{world.path}/ckpt"):
        world.hdfs.ask("DELETE", "DELETE", f"{world.path}/ckpt/{job}/.lock-1")
        world.hdfs.write(f"{world.path}/ckpt/{job}/.lock-1", b"elsewhere pid:[1] none 0 1 1\npid 1 elsewhere")
    command = ["run", "-d", "-s", "latest", *world.settings(), "wordcount", "--input", world.uri("in"), "--watch",
               "--updates", "--output", world.uri("out")]
    done = world.call(*command, timeout_s=60)
    if b"can't be looked at from here" not in done.stderr:
        raise Failure(f"nothing is said of the run elsewhere: {done.stderr.decode()}")
    job = done.stdout.decode().strip()
    world.write(pieces[2:], pause_s=0, first=2).finish()
    world.wait_for_rows(sum(count_words(b"".join(pieces)).values()), first)
    world.call("cancel", job)
    compare_updates("in the background", world.rows(), count_words(b"".join(pieces)))


def fail_over(world):
    """With two name nodes the job goes on when the active one changes, and when it ends."""
    pieces = world.pieces(40, 200)
    writer = world.write(pieces, pause_s=0.2)
    job = world.endless(flags=["-p", 2])
    wait_until("the first rows", world.rows, job=job)
    for step in ("fail-over", "fail-over", "stop-name-node", "start-name-node"):
        time.sleep(world.chance.uniform(0.5, 2))
        world.hdfs.tell(step)
    writer.finish()
    world.finish(job, pieces, "after other name nodes")


CASES = {case.__name__.replace("_", "-"): case for case in (
    bounded, kill_and_resume, commands, data_node_restart, nobody_listens, full, background, fail_over)}
NEEDS_TWO_NAME_NODES = {"fail-over"}


# ---- all of it


def skip_without_programs():
    installed = (ROOT / "build/hdfs/lib").exists()
    packages = {"java": "default-jdk-headless"} | ({} if installed else {"javac": "default-jdk-headless", "mvn": "maven"})
    missing = [program for program in packages if not shutil.which(program)]
    if missing:
        print(f"skipped: {', '.join(missing)} not installed\n"
              f"  try: apt-get install {' '.join(sorted({packages[program] for program in missing}))}")
        sys.exit(77)


def run_case(name, binary, hdfs, folder, text, chance):
    """Whether it went well."""
    begin = time.monotonic()
    folder.mkdir()
    world = None
    try:
        hdfs.start()  # it runs, unless it is the first case of this one
        world = World(binary, hdfs, name, folder, text, chance)
        CASES[name](world)
    except (Failure, OSError) as failure:
        print(f"FAILED {name} after {time.monotonic() - begin:.1f} s: {CASES[name].__doc__}\n{failure}", flush=True)
        if world and world.jobs and "$ " not in str(failure):
            print(world.jobs[-1].story(), flush=True)
        return False
    except TooLate:
        print(f"FAILED {name}: {[job.story() for job in world.jobs] if world else 'HDFS does not start'}")
        raise
    finally:
        if world:
            world.end()
    print(f"right: {name}, {time.monotonic() - begin:.1f} s", flush=True)
    return True


def too_late(*_):
    raise TooLate(f"not done within {TOTAL_S} s")


def run_cases(binary, names, folder, seed):
    """The names of those that failed."""
    text = real_text()
    failed = []
    for two, options in ((False, []), (True, ["--name-nodes", "2"])):
        chosen = [name for name in names if (name in NEEDS_TWO_NAME_NODES) == two]
        hdfs = Hdfs(folder / ("two-name-nodes" if two else "one-name-node"), "--block-bytes", 1 << 20, *options)
        try:
            # Each case has its own chance, so that it finds the same alone.
            failed += [name for name in chosen if not run_case(name, binary, hdfs, folder / name, text,
                                                               random.Random(f"{seed} {name}"))]
        finally:
            if chosen:
                hdfs.end()
    return failed


def main():
    if len(sys.argv) < 2 or any(name not in CASES for name in sys.argv[2:]):
        print(f"usage: hdfs_test.py BINARY [CASE…], with cases of {', '.join(CASES)}", file=sys.stderr)
        sys.exit(64)
    binary, names = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] or [*CASES]
    skip_without_programs()
    seed = int(os.environ.get("STREAMRUN_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"STREAMRUN_TEST_SEED={seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, too_late)
    with tempfile.TemporaryDirectory(prefix="streamrun-hdfs-") as scratch:
        try:
            installed = run([HDFS, "install"], timeout_s=300, wanted=None)
            if installed.returncode == EX_UNAVAILABLE:
                print(f"skipped: there is no HDFS to be had\n{installed.stderr.decode()}")
                sys.exit(77)
            if installed.returncode != 0:
                raise Failure(installed.stderr.decode())
            signal.alarm(TOTAL_S)
            failed = run_cases(binary, names, pathlib.Path(scratch), seed)
        except (Failure, TooLate) as failure:
            print(f"FAILED: {failure}")
            failed = ["all of it"]
        finally:
            signal.alarm(0)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
    print(f"{len(names)} cases went well")


if __name__ == "__main__":
    main()
