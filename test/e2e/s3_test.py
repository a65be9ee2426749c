#!/usr/bin/env python3
"""s3_test.py BINARY [CLIENT [CASE…]]: jobs that read from, write to and checkpoint in S3 count each word once.

It starts stores of its own (scripts/s3): moto, and the stricter s3proxy, which keeps its objects when it is killed.
CLIENT is the program that tries the client alone (streamrun_s3_real_store); `-` for none. Without cases all run, each
below its own prefix. Status 77: neither store is to be had; without one of them its cases are left out, aloud.
STREAMRUN_TEST_SEED gives the seed of what is random; it is printed.
"""
import contextlib
import http.server
import importlib.machinery
import importlib.util
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import hdfs_test  # noqa: E402
from hdfs_test import require  # noqa: E402
from watched_jobs import (Failure, Job, TooLate, compare, count_words, counts_of_lines, real_text, run,  # noqa: E402
                          wait_until)

ROOT = pathlib.Path(__file__).resolve().parents[2]
S3 = ROOT / "scripts/s3"
TOTAL_S = 540  # of all cases; below the time that the caller of this test gives it, so that the stores are stopped
EX_UNAVAILABLE = 69
BUCKET = "streamrun-test"


def script():
    loader = importlib.machinery.SourceFileLoader("s3_script", str(S3))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("s3_script", loader))
    loader.exec_module(module)
    return module


SCRIPT = script()


class Store:
    """One store, with one bucket, as its own signed requests show it."""

    def __init__(self, kind, folder):
        self.kind, self.folder = kind, folder
        self.store = SCRIPT.Store(folder)

    def start(self):
        run([S3, "start", self.kind, self.folder, "--port", "0"], timeout_s=180)
        self.store.make_bucket(BUCKET)

    def kill(self):
        run([S3, "kill", self.folder])

    def end(self):
        """Whatever state it is in."""
        subprocess.run([S3, "kill", self.folder], capture_output=True, check=False)

    def endpoint(self):
        return f"http://{self.store.address()}"

    def call(self, function, *arguments):
        """What the script finds wrong is for the caller to weigh, as what the system does."""
        try:
            return function(*arguments)
        except SCRIPT.Failure as failure:
            raise OSError(str(failure)) from None

    def keys(self, path):
        prefix = path.strip("/") + "/"
        for attempt in range(10):  # s3proxy fails a listing when an object vanishes under it
            try:
                return [key[len(prefix):] for key in self.call(lambda: [*self.store.keys(BUCKET, prefix)])]
            except OSError:
                if attempt == 9:
                    raise
                time.sleep(0.1)

    def list(self, path):
        """The names in a folder."""
        return {key.partition("/")[0]: {} for key in self.keys(path) if key}

    def write(self, path, content):
        self.call(self.store.put, BUCKET, path.lstrip("/"), content)

    def read(self, path):
        return self.call(self.store.get, BUCKET, path.strip("/"))


class World(hdfs_test.World):
    """What one case has: a store, the binary, and a folder on both sides."""

    def __init__(self, binary, client, store, name, folder, text, chance):
        # pylint: disable=super-init-not-called
        self.binary, self.client, self.hdfs, self.folder = binary, client, store, folder
        self.text, self.chance = text, chance
        self.path = f"/{name}"
        self.jobs, self.writers = [], []
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        # Other tests run jobs of the same names, and this machine's user may have keys.
        self.environment |= {"XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder),
                             "AWS_ACCESS_KEY_ID": SCRIPT.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SCRIPT.SECRET_KEY}
        for part in ("in", "out"):
            store.write(f"{self.path}/{part}/", b"")

    def uri(self, part, scheme="s3"):
        return f"{scheme}://{BUCKET}{self.path}/{part}"

    def reach(self):
        return ["-D", f"s3.endpoint={self.hdfs.endpoint()}", "-D", "s3.path.style.access=true"]

    def settings(self):
        return [*self.reach(), *super().settings()]

    def open_files(self):
        """What of output is not finished."""
        return [name for name in self.hdfs.list(f"{self.path}/out") if name.startswith(".")]

    def finish(self, job, pieces, what):
        """All is counted once."""
        # The lives before may have left nothing to do: then it is stopped no sooner than it can be.
        wait_until("the job runs", lambda: "RUNNING" in job.said(), job=job)
        super().finish(job, pieces, what)

    def newest(self):
        return max(self.complete(), key=lambda name: int(name.rpartition("-")[2]))


# ---- the cases, in the order in which they run


def client(world):
    """The client alone, on each of its operations, with uploads and copies in parts."""
    if world.client is None:
        print("left out: no program that tries the client was named")
        return
    done = run([world.client, world.hdfs.endpoint(), BUCKET], wanted=None, environment=world.environment)
    if done.returncode != 0 or done.stdout.count(b"right: ") < 40:
        raise Failure(f"the client found what should not be:\n{done.stdout.decode()}{done.stderr.decode()}")


def bounded(world):
    """From S3 to S3, with checkpoints there; the same by every scheme."""
    pieces = world.pieces(3, 8000)
    for number, piece in enumerate(pieces):
        world.hdfs.write(f"{world.path}/in/text {number}+%41", piece)
    wanted = count_words(b"".join(pieces))
    for scheme in ("s3", "s3a", "s3p"):
        world.call("run", "-q", "-p", 2, *world.settings(), "wordcount", "--input", world.uri("in", scheme),
                   "--output", world.uri(f"out/{scheme}", scheme))
        output = f"{world.path}/out/{scheme}"
        parts = [world.hdfs.read(f"{output}/{name}") for name in world.hdfs.list(output) if not name.startswith(".")]
        compare(scheme, counts_of_lines(b"".join(parts).splitlines()), wanted)


def kill_and_resume(world, flags=()):
    """Over kill -9 at random times, at other parallelisms, no count is left out and none comes twice."""
    pieces = world.pieces(30, 200)
    writer = world.write(pieces, pause_s=0.2)
    resumed = []
    for life in range(5):
        job = world.endless(flags=[*flags, "-p", world.chance.randint(1, 3),
                                   *(["-s", "latest", "--or-fresh"] if life else [])])
        if life % 2 == 1:  # at least these go on from a checkpoint of their own
            known = world.complete()
            wait_until("a new checkpoint", lambda: world.complete() - known, job=job)
        time.sleep(world.chance.uniform(0.1, 2))
        if job.process.poll() is not None:
            raise Failure(f"the job ended by itself\n{job.story()}")
        job.kill()
        resumed.append(bool(world.complete()))
    writer.finish()
    job = world.endless(flags=[*flags, "-p", 2, "-s", "latest"])
    world.finish(job, pieces, "after kill -9")
    if not all(resumed[1:]):
        raise Failure(f"there was no checkpoint to go on from, by life: {resumed}")
    if world.open_files():
        raise Failure(f"unfinished parts are left: {world.open_files()}")


def incremental(world):
    """The same with state in RocksDB and incremental checkpoints, whose files lie in `shared`."""
    kill_and_resume(world, ["-D", "state.backend.type=rocksdb", "-D", "execution.checkpointing.incremental=true",
                            "-D", f"state.backend.rocksdb.localdir={world.folder / 'local'}", "-D",
                            "taskmanager.memory.managed.size=16mb"])
    shared = [key for key in world.hdfs.keys(f"{world.path}/ckpt") if "/shared/" in key and not key.endswith("/")]
    if not shared:
        raise Failure("nothing is in shared/")


def commands(world):
    """Checkpoints in S3 are listed, verified, inspected and pruned; a damaged one is found."""
    world.hdfs.write(f"{world.path}/in/text", b"".join(world.pieces(1, 5000)))
    job = world.endless(flags=["-D", "execution.checkpointing.num-retained=3", "-D",
                               "execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION"])
    wait_until("three checkpoints", lambda: len(world.complete()) >= 3, job=job)
    job.kill()
    complete, newest = world.complete(), world.newest()
    folder = [*world.reach(), "--dir", world.uri("ckpt")]
    listed = world.call("list-checkpoints", *folder).stdout.decode()
    missing = [name for name in complete if name.split("/")[1] not in listed]
    if missing:
        raise Failure(f"{missing} are not listed:\n{listed}")
    world.call("verify", "--all", "--data", *folder)
    world.call("inspect", *world.reach(), f"{world.uri('ckpt')}/{newest}")
    world.call("prune", *world.reach(), "--keep-last", 1, "--yes", "-D", f"state.checkpoints.dir={world.uri('ckpt')}")
    if world.complete() != {newest}:
        raise Failure(f"after prune there are {world.complete()}, not {newest}")
    metadata = f"{world.path}/ckpt/{newest}/_metadata"
    content = world.hdfs.read(metadata)
    world.hdfs.write(metadata, content[:len(content) // 2])
    done = world.call("verify", *world.reach(), f"{world.uri('ckpt')}/{newest}", wanted=None)
    require(done, "half of a _metadata", 65, "E-META-CORRUPT")


def two_runners(world):
    """Of two runners of one job id the second is refused; when the first is dead, the next may."""
    world.hdfs.write(f"{world.path}/in/text", b"".join(world.pieces(1, 200)))
    one_id = ["-D", f"$internal.pipeline.job-id={'5' * 32}"]
    job = world.endless(flags=one_id)
    wait_until("a checkpoint", world.complete, job=job)
    begin = time.monotonic()
    done = world.call("run", *world.settings(), *one_id, "wordcount", "--input", world.uri("in"), "--watch",
                      "--updates", "--output", world.uri("out"), wanted=None)
    require(done, "a second runner", 75, r"^error: E-LOCK", str(job.process.pid))
    if time.monotonic() - begin > 10:
        raise Failure("the second runner was not refused at once")
    job.kill()
    known = world.complete()
    job = world.endless(flags=[*one_id, "-s", "latest"])
    wait_until("a checkpoint of the next", lambda: world.complete() - known, job=job)
    job.stop()


def store_killed(world):
    """The job goes on when the store dies and comes back."""
    pieces = world.pieces(30, 200)
    writer = world.write(pieces, pause_s=0.2)
    job = world.endless(flags=["-p", 2, "-D", "execution.checkpointing.tolerable-failed-checkpoints=1000", "-D",
                               "restart-strategy.type=fixed-delay", "-D", "restart-strategy.fixed-delay.attempts=1000"])
    wait_until("the first rows", world.rows, job=job)
    for _ in range(2):
        world.hdfs.kill()
        time.sleep(world.chance.uniform(0.5, 3))
        world.hdfs.start()
        time.sleep(1)
    writer.finish()
    world.finish(job, pieces, "after the store's deaths")


class Page(http.server.BaseHTTPRequestHandler):
    """Some proxy, which has a page for everything."""

    def answer(self):
        body = b"<html><body>Please log in</body></html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


def refusals(world):
    """What can't work is said in time, with its code, and never with a secret."""
    world.hdfs.write(f"{world.path}/in/text", b"word")
    count = ["wordcount", "--input", world.uri("in")]

    def refused(what, status, patterns, *arguments, environment=None):
        done = run([world.binary, "run", *arguments], wanted=None, environment=environment or world.environment)
        require(done, what, status, *patterns)
        if SCRIPT.SECRET_KEY.encode() in done.stderr + done.stdout or b"planted" in done.stderr + done.stdout:
            raise Failure(f"{what}: a secret is told: {done.stderr.decode()}")

    reach = world.reach()
    refused("no input", 66, [r"^error: E-PATH"], *reach, "wordcount", "--input", world.uri("nothing"))
    refused("no bucket", 66, [r"^error: E-PATH.*no-such-bucket"], *reach, "wordcount", "--input",
            "s3://no-such-bucket/in")
    nobody = {name: value for name, value in world.environment.items() if not name.startswith("AWS_")}
    refused("no keys", 78, [r"^error: E-CONF", "AWS_ACCESS_KEY_ID"], *reach, *count, environment=nobody)
    if world.hdfs.kind == "s3proxy":  # moto takes any
        wrong = dict(world.environment, AWS_SECRET_ACCESS_KEY="planted-secret")
        refused("a wrong key", 77, [r"^error: E-PERM"], *reach, *count, environment=wrong)
    begin = time.monotonic()
    refused("nobody listens", EX_UNAVAILABLE, [r"^error: E-UNAVAILABLE.*127\.0\.0\.1:1\b"], "-D",
            "s3.endpoint=http://127.0.0.1:1", *count)
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    with contextlib.closing(proxy.socket):
        refused("a page for everything", EX_UNAVAILABLE, [r"^error: E-UNAVAILABLE", "log in"], "-D",
                f"s3.endpoint=http://127.0.0.1:{proxy.server_port}", *count)
        proxy.shutdown()
    if time.monotonic() - begin > 30:
        raise Failure("it took more than 30 s to say that there is no S3")


ON_MOTO = (client, bounded, kill_and_resume, incremental, commands, two_runners, refusals)
ON_S3PROXY = (client, bounded, commands, two_runners, refusals, store_killed)
CASES = {f"{kind}-{case.__name__.replace('_', '-')}": (kind, case)
         for kind, cases in (("moto", ON_MOTO), ("s3proxy", ON_S3PROXY)) for case in cases}


# ---- all of it


def run_case(name, world_of, store):
    """Whether it went well."""
    begin = time.monotonic()
    case = CASES[name][1]
    world = None
    try:
        store.start()  # it runs, unless it is the first case of this one
        world = world_of(store, name)
        case(world)
    except (Failure, OSError) as failure:
        print(f"FAILED {name} after {time.monotonic() - begin:.1f} s: {case.__doc__}\n{failure}", flush=True)
        for job in world.jobs[-1:] if world else []:
            print(job.story(), flush=True)
        return False
    except TooLate:
        print(f"FAILED {name}: {[job.story() for job in world.jobs] if world else 'the store does not start'}")
        raise
    finally:
        if world:
            world.end()
    print(f"right: {name}, {time.monotonic() - begin:.1f} s", flush=True)
    return True


def installed_kinds(names):
    """The stores that are to be had, of those that the cases need."""
    kinds = []
    for kind in sorted({CASES[name][0] for name in names}):
        done = run([S3, "install", kind], timeout_s=400, wanted=None)
        if done.returncode == EX_UNAVAILABLE:
            print(f"left out: there is no {kind} to be had\n{done.stderr.decode()}", flush=True)
        elif done.returncode != 0:
            raise Failure(done.stderr.decode())
        else:
            kinds.append(kind)
    return kinds


def run_cases(binary, tried_client, names, folder, seed):
    """The names of those that failed."""
    text = real_text()

    def world_of(store, name):
        (folder / name).mkdir()
        # Each case has its own chance, so that it finds the same alone.
        return World(binary, tried_client, store, name, folder / name, text, random.Random(f"{seed} {name}"))

    kinds = installed_kinds(names)
    if not kinds:
        print("skipped: neither moto nor s3proxy is to be had")
        sys.exit(77)
    failed = []
    for kind in kinds:
        store = Store(kind, folder / kind)
        try:
            failed += [name for name in names if CASES[name][0] == kind and not run_case(name, world_of, store)]
        finally:
            store.end()
    return failed


def too_late(*_):
    raise TooLate(f"not done within {TOTAL_S} s")


def main():
    if len(sys.argv) < 2 or any(name not in CASES for name in sys.argv[3:]):
        print(f"usage: s3_test.py BINARY [CLIENT [CASE…]], with cases of {', '.join(CASES)}", file=sys.stderr)
        sys.exit(64)
    binary = pathlib.Path(sys.argv[1]).resolve()
    tried_client = pathlib.Path(sys.argv[2]).resolve() if sys.argv[2:] and sys.argv[2] != "-" else None
    names = sys.argv[3:] or [*CASES]
    seed = int(os.environ.get("STREAMRUN_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"STREAMRUN_TEST_SEED={seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, too_late)
    with tempfile.TemporaryDirectory(prefix="streamrun-s3-") as scratch:
        try:
            signal.alarm(TOTAL_S)
            failed = run_cases(binary, tried_client, names, pathlib.Path(scratch), seed)
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
