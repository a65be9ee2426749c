#!/usr/bin/env python3
"""kafka_test.py BINARY [CASE…]: jobs that read from a real Kafka broker count what is there, each record once.

It starts a broker of its own (scripts/kafka), fills topics with kcat, and counts the words itself. Without arguments
all cases run, in one process and on one broker; each has its own topics. Status 77: a program that it needs is missing.
STREAMRUN_TEST_SEED gives the seed of what is random; it is printed.
"""
import collections
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from watched_jobs import (Failure, Job, TooLate, WAIT_S, compare, compare_updates, count_words, counts_of_lines, real_text, run,
                          wait_until)

ROOT = pathlib.Path(__file__).resolve().parents[2]
KAFKA = ROOT / "scripts/kafka"
TOTAL_S = 540  # of all cases; below the time that the caller of this test gives it, so that the broker is stopped
RUN_S = 120  # of one bounded run
EX_UNAVAILABLE = 69


class Broker:
    """One broker, and its topics as kcat sees them."""

    def __init__(self, folder):
        self.folder = folder
        self.address = None

    def call(self, command, *arguments, timeout_s=120):
        return run([KAFKA, command, self.folder, *arguments], timeout_s=timeout_s)

    def start(self):
        self.address = self.call("start", "--port", "0").stdout.decode().strip()

    def kill(self):
        self.call("kill")

    def end(self):
        """Whatever state it is in."""
        for command in ("stop", "kill"):
            done = subprocess.run([KAFKA, command, self.folder], capture_output=True, text=True, check=False)
            if done.returncode in (0, 66):
                return
            print(done.stderr, file=sys.stderr)

    def topic(self, name, partitions):
        self.call("topic", name, "--partitions", partitions)
        return name

    def kcat(self, *arguments, content=b"", timeout_s=WAIT_S):
        return run(["kcat", "-q", "-b", self.address, *arguments], content=content, timeout_s=timeout_s).stdout

    def produce(self, topic, partition, values, *arguments):
        """Records with keys: kcat leaves out what has neither key nor value. With -Z empty values are absent ones."""
        records = b"".join(b"key-%d\t%s\n" % (number, value) for number, value in enumerate(values))
        self.kcat("-P", "-t", topic, "-p", partition, "-K", "\t", *arguments, content=records)

    def values(self, topic):
        """All that the topic holds now, one value a line."""
        return self.kcat("-C", "-t", topic, "-o", "beginning", "-e", "-D", "\n")


class Writer(threading.Thread):
    """Writes lines to a topic, some every tenth of a second, and goes on over the broker's death."""

    def __init__(self, broker, topic, lines, per_turn, talk, *arguments):
        super().__init__(daemon=True)
        self.lines, self.per_turn = lines, per_turn
        self.stopping = False
        self.talk = talk
        # With idempotence the order in a partition holds, and nothing comes twice when the broker did not answer.
        command = ["kcat", "-q", "-E", "-b", broker.address, "-P", "-t", topic, "-K", "\t",
                   "-X", "enable.idempotence=true", "-X", "message.timeout.ms=120000", "-X", "linger.ms=5",
                   *arguments]
        with open(talk, "wb") as said:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)

    def run(self):
        with contextlib.suppress(BrokenPipeError, ValueError):  # it was killed, or its input closed
            for begin in range(0, len(self.lines), self.per_turn):
                if self.stopping:
                    break
                for number, line in enumerate(self.lines[begin:begin + self.per_turn], begin):
                    self.process.stdin.write(b"key-%d\t%s\n" % (number, line))
                self.process.stdin.flush()
                time.sleep(0.1)

    def finish(self, early=False):
        """Waits until the broker has all of it."""
        self.stopping = early
        self.join(WAIT_S)
        try:
            self.process.communicate(timeout=WAIT_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"the writer has not ended after {WAIT_S} s") from None
        if self.process.returncode != 0:
            raise Failure(f"the writer ended with {self.process.returncode}: {self.talk.read_text()[-4000:]}")

    def abandon(self):
        self.stopping = True
        self.process.kill()
        self.process.wait()


class World:
    """What one case has: the broker, the binary, and a folder."""

    def __init__(self, binary, broker, folder, text, chance):
        self.binary, self.broker, self.folder, self.text, self.chance = binary, broker, folder, text, chance
        self.jobs, self.writers = [], []
        # Other tests run jobs of the same names.
        self.environment = dict(os.environ, XDG_STATE_HOME=str(folder / "state"))

    def end(self):
        for job in self.jobs:
            job.kill()
        for writer in self.writers:
            writer.abandon()

    def input(self, topic):
        return ["--input", f"kafka://{self.broker.address}/{topic}"]

    def run(self, *arguments, timeout_s=RUN_S, wanted=0):
        return run([self.binary, "run", *arguments], timeout_s=timeout_s, wanted=wanted, environment=self.environment,
                   folder=self.folder)

    def bounded(self, topic, *flags):
        """The counts that a bounded run prints."""
        done = self.run("-q", *flags, "wordcount", *self.input(topic))
        return counts_of_lines(done.stdout.splitlines())

    settings = ["-D", "execution.checkpointing.interval=100ms", "-D", "state.checkpoints.dir=ckpt"]

    def endless(self, topic, *job_arguments, flags=(), job="wordcount"):
        """A job that goes on as records arrive, with a checkpoint every tenth of a second and rows in files."""
        return Job(self, [self.binary, "run", *self.settings, *flags, job, *self.input(topic), "--watch",
                          "--output", "rows", *job_arguments])

    def write(self, topic, lines, per_turn):
        writer = Writer(self.broker, topic, lines, per_turn, self.folder / f"writer-{len(self.writers)}")
        self.writers.append(writer)
        writer.start()
        return writer

    def rows(self):
        """The lines of all finished parts."""
        folder = self.folder / "rows"
        names = [name for name in os.listdir(folder) if not name.startswith(".")] if folder.exists() else []
        return b"".join((folder / name).read_bytes() for name in names)

    def wait_for_rows(self, wanted, job):
        """Until as many rows are visible as words were written; more are an error at once."""
        def enough():
            rows = self.rows().count(b"\n")
            if rows > wanted:
                raise Failure(f"{rows} rows for {wanted} words\n{job.story()}")
            return rows == wanted

        try:
            wait_until(f"{wanted} rows", enough, job=job)
        except Failure as failure:
            rows = self.rows().count(b"\n")
            raise Failure(f"{rows} of {wanted} rows are there\n{failure}") from None


def error_line(done):
    """The first line of stderr that tells of the run's error; others may have told of attempts."""
    said = done.stderr.decode(errors="replace")
    for line in said.splitlines():
        if line.startswith("error: "):
            return line
    raise Failure(f"{' '.join(done.args)}\nended with {done.returncode}, and stderr tells of no error:\n{said}")


def require(done, what, *patterns):
    """The run failed, and the first line about its error matches all patterns."""
    line = error_line(done)
    said = done.stderr.decode(errors="replace")
    for pattern in patterns:
        if done.returncode <= 0 or not re.search(pattern, line):
            raise Failure(f"{what}: status {done.returncode}; the first line about an error should match "
                          f"/{pattern}/\n$ {' '.join(done.args)}\n{said}")


# ---- the cases, in the order in which they run


def bounded(world):
    """All partitions are read up to their ends: with keys, empty and absent values, and one without records."""
    topic = world.broker.topic("bounded", 4)
    lines = (world.text * 4)[:100000]
    third = len(lines) // 3
    parts = [lines[:third], lines[third:2 * third], [*lines[2 * third:], b"", b" \t ", b"the end", b""]]
    for partition, part in enumerate(parts):
        world.broker.produce(topic, partition, part)
    world.broker.produce(topic, 1, [b"", b""], "-Z")
    wanted = count_words(b"\n".join(line for part in parts for line in part))
    compare("kcat", count_words(world.broker.values(topic)), wanted)
    for parallelism in (1, 3):
        compare(f"-p {parallelism}", world.bounded(topic, "-p", parallelism), wanted)


def end_is_fixed(world):
    """A bounded run ends though more and more comes; all that was there when it began is counted."""
    topic = world.broker.topic("end-is-fixed", 2)
    early = [b"early word %d" % number for number in range(20000)]
    world.broker.produce(topic, 0, early)
    writer = world.write(topic, [b"late"] * 2000000, per_turn=2000)
    counts = world.bounded(topic)
    if not writer.is_alive():
        raise Failure("the run ended no sooner than what was written meanwhile")
    writer.finish(early=True)
    counts.pop(b"late", None)
    compare("what was there", counts, count_words(b"\n".join(early)))


def deleted_records(world):
    """Partitions that begin after offset 0, and one whose records are all gone, are read from where they begin."""
    topic = world.broker.topic("deleted-records", 3)
    for partition in range(3):
        world.broker.produce(topic, partition, [b"part%d record%d" % (partition, number) for number in range(100)])
    world.broker.call("delete-records", topic, 0, 40)
    world.broker.call("delete-records", topic, 1, 100)
    wanted = count_words(world.broker.values(topic))
    compare("kcat", {b"part0": wanted[b"part0"], b"part1": wanted[b"part1"]}, {b"part0": 60, b"part1": 0})
    compare("the rest", world.bounded(topic), wanted)


def transactions(world):
    """Partitions that end in the marks of transactions end for a bounded run too."""
    topic = world.broker.topic("transactions", 2)
    for number in range(3):
        world.broker.produce(topic, 0, [b"in transaction %d" % number] * 100, "-X", f"transactional.id=t-{number}")
    world.broker.produce(topic, 1, [b"in none"] * 100)
    compare("committed records", world.bounded(topic), count_words(world.broker.values(topic)))


def watch(world):
    """An endless job counts what comes later, also in partitions that are added while it runs."""
    topic = world.broker.topic("watch", 1)
    world.broker.produce(topic, 0, [b"first"])
    job = Job(world, [world.binary, "run", *world.settings, "wordcount", *world.input(topic), "--watch",
                      "--partition-discovery", "500ms"])

    def printed(row):
        wait_until(f"{row} is printed", lambda: row in job.out.read_bytes().splitlines(), job=job)

    printed(b"first\t1")
    world.broker.produce(topic, 0, [b"first"])
    printed(b"first\t2")
    world.broker.call("partitions", topic, 3)
    world.broker.produce(topic, 2, [b"second", b"first"])
    printed(b"second\t1")
    printed(b"first\t3")
    job.stop()
    wanted = [b"first\t1", b"first\t2", b"first\t3", b"second\t1"]
    got = sorted(job.out.read_bytes().splitlines())
    if got != wanted:
        raise Failure(f"printed {got}, not {wanted}\n{job.story()}")


def kill_and_resume(world):
    """Over kill -9 at random times, at other parallelisms, no count is left out and none comes twice."""
    topic = world.broker.topic("kill-and-resume", 4)
    writer = world.write(topic, world.text[:30000], per_turn=300)
    resumed = []
    for life in range(8):
        flags = ["-p", world.chance.randint(1, 4), *(["-s", "latest", "--or-fresh"] if life else [])]
        job = world.endless(topic, "--updates", flags=flags)
        if life % 4 == 3:  # at least these go on from a checkpoint of their own
            known = set(world.folder.glob("ckpt/*/chk-*/_metadata"))
            wait_until("a new checkpoint", lambda: set(world.folder.glob("ckpt/*/chk-*/_metadata")) - known, job=job)
        time.sleep(world.chance.uniform(0.02, 1.5))
        if job.process.poll() is not None:
            raise Failure(f"the job ended by itself\n{job.story()}")
        job.kill()
        resumed.append(any(world.folder.glob("ckpt/*/chk-*/_metadata")))
    writer.finish()
    job = world.endless(topic, "--updates", flags=["-p", 2, "-s", "latest"])
    wanted = count_words(world.broker.values(topic))
    compare("kcat", wanted, count_words(b"\n".join(world.text[:30000])))
    world.wait_for_rows(sum(wanted.values()), job)
    job.stop()
    compare_updates("after kill -9", world.rows(), wanted)
    if not all(resumed[3:]):
        raise Failure(f"there was no checkpoint to go on from, by life: {resumed}")


def broker_killed(world):
    """The job goes on when the broker dies and comes back."""
    topic = world.broker.topic("broker-killed", 3)
    writer = world.write(topic, world.text[:12000], per_turn=100)
    job = world.endless(topic, flags=["-p", 2])
    wait_until("the first rows", world.rows, job=job)
    for _ in range(2):
        time.sleep(world.chance.uniform(0.2, 1.5))
        world.broker.kill()
        time.sleep(world.chance.uniform(0, 2))
        world.broker.start()
    writer.finish()
    wanted = count_words(world.broker.values(topic))
    compare("kcat", wanted, count_words(b"\n".join(world.text[:12000])))
    world.wait_for_rows(sum(wanted.values()), job)
    job.stop()
    compare_updates("after the broker's deaths", world.rows(), wanted)


def lost_offsets(world):
    """A checkpoint whose next records are gone is refused by name: going on would leave records out."""
    topic = world.broker.topic("lost-offsets", 1)
    world.broker.produce(topic, 0, [b"kept"] * 100)
    job = world.endless(topic)
    world.wait_for_rows(100, job)  # they are visible once a checkpoint behind them is complete
    job.kill()
    world.broker.produce(topic, 0, [b"lost"] * 50)
    world.broker.call("delete-records", topic, 0, 120)
    done = world.run(*world.settings, "-s", "latest", "wordcount", *world.input(topic), "--watch", "--output", "rows",
                     wanted=None, timeout_s=WAIT_S)
    require(done, "offset 100 of 0 is gone", r"\bE-SOURCE-LOST\b", rf"\bpartition {topic}-0\b", r"\boffset 100\b")


def unknown_topic(world):
    """Named with the broker that has none of this name."""
    done = world.run("wordcount", *world.input("no-such-topic"), wanted=None, timeout_s=WAIT_S)
    require(done, "a topic that is not there", r"\bno-such-topic\b", re.escape(world.broker.address))


def nobody_listens(world):
    """A broker that can't be reached is named, within the time-out."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and does not listen
        address = f"localhost:{held.getsockname()[1]}"
        done = world.run("wordcount", "--input", f"kafka://{address}/lines", wanted=None, timeout_s=WAIT_S)
    require(done, "nobody listens", r"\bE-UNAVAILABLE\b", re.escape(address))


def orders(world):
    """Totals of orders of JSON over kill -9: each order counts once, bad ones end the job or are left out and told of."""
    topic = world.broker.topic("orders", 4)
    keys = [f"key{world.chance.randrange(50)}" for _ in range(40000)]
    lines = [b'{"key":"%s","amount":%d}' % (key.encode(), number) for number, key in enumerate(keys)]
    writer = world.write(topic, lines, per_turn=500)
    for life in range(4):
        flags = ["-p", world.chance.randint(1, 4), *(["-s", "latest", "--or-fresh"] if life else [])]
        job = world.endless(topic, flags=flags, job="kafka-totals")
        time.sleep(world.chance.uniform(0.2, 1.5))
        job.kill()
    writer.finish()
    job = world.endless(topic, flags=["-s", "latest", "--or-fresh"], job="kafka-totals")
    world.wait_for_rows(len(lines), job)
    job.stop()
    rows = collections.defaultdict(list)
    for row in world.rows().decode().splitlines():
        key, count, amount = row.split("\t")
        rows[key].append((int(count), int(amount)))
    wanted = collections.Counter()
    for number, key in enumerate(keys):
        wanted[key] += number
    for key, total in wanted.items():
        seen = sorted(rows[key])
        if [count for count, _ in seen] != [*range(1, keys.count(key) + 1)] or seen[-1][1] != total:
            raise Failure(f"{key}: {len(seen)} rows, the last {seen[-1:]}, instead of {keys.count(key)} with {total}")
    bad = world.broker.topic("bad-orders", 1)
    world.broker.produce(bad, 0, [b'{"key":"a","amount":1}', b'{"key":"a","amount":"2"}', b'{"key":"a","amount":4}'])
    done = world.run("kafka-totals", *world.input(bad), wanted=None)
    require(done, "a bad order", r"\bE-JOB-FAILED\b", r"\bamount\b", rf"\bpartition {bad}-0\b", r"\boffset 1\b")
    done = world.run("kafka-totals", *world.input(bad), "--skip-bad-records")
    if done.stdout != b"a\t1\t1\na\t2\t5\n" or b"1 bad record(s) skipped" not in done.stderr:
        raise Failure(f"skipped badly: {done.stdout}\n{done.stderr.decode()}")


def to_topic(world):
    """Counts go to a topic, with each delivery, and what is committed there is each count once."""
    words = world.broker.topic("to-topic", 2)
    world.broker.produce(words, 0, world.text[:5000])
    wanted = count_words(b"\n".join(world.text[:5000]))
    for delivery in ("none", "at-least-once", "exactly-once"):
        counts = world.broker.topic(f"counts-{delivery}", 3)
        world.run("-p", 2, "-D", "state.checkpoints.dir=ckpt", "wordcount", *world.input(words), "--output",
                  f"kafka://{world.broker.address}/{counts}", "--delivery", delivery)
        rows = world.broker.kcat("-C", "-t", counts, "-o", "beginning", "-e", "-f", "%k\t%s\n",
                                 "-X", "isolation.level=read_committed")
        rows = [row.split(b"\t") for row in rows.splitlines()]
        if any(len(row) != 3 or row[0] != row[1] for row in rows):
            raise Failure(f"{delivery}: the key of a row is not its word: {rows[:5]}")
        compare(delivery, counts_of_lines(b"\t".join(row[1:]) for row in rows), wanted)


def sink_broker_killed(world):
    """Rows that wait for a broker that is gone come when it is back, each once."""
    orders, totals = world.broker.topic("sink-orders", 2), world.broker.topic("sink-totals", 2)
    lines = [b'{"key":"k%d","amount":1}' % (number % 10) for number in range(20000)]
    writer = world.write(orders, lines, per_turn=200)
    job = Job(world, [world.binary, "run", *world.settings, "-D", "restart-strategy.type=fixed-delay", "-D",
                      "restart-strategy.fixed-delay.attempts=1000", "kafka-totals", *world.input(orders), "--watch",
                      "--output", f"kafka://{world.broker.address}/{totals}"])
    for _ in range(2):
        time.sleep(world.chance.uniform(1, 3))
        world.broker.kill()
        time.sleep(world.chance.uniform(0, 3))
        world.broker.start()
    writer.finish()

    def committed():
        return world.broker.kcat("-C", "-t", totals, "-o", "beginning", "-e", "-X", "isolation.level=read_committed",
                                 "-f", "%s\n").splitlines()

    wait_until("all rows", lambda: len(committed()) >= len(lines), job=job)
    job.stop()
    rows = collections.Counter(committed())
    wanted = collections.Counter(b'{"key":"k%d","orders":%d,"amount":%d}' % (key, count, count)
                                 for key in range(10) for count in range(1, 2001))
    if rows != wanted:
        raise Failure(f"{sum((rows - wanted).values())} rows too many, {sum((wanted - rows).values())} are missing\n"
                      f"{job.story()}")


def group(world):
    """Offsets are committed for a group, and nothing depends on them."""
    topic = world.broker.topic("group", 1)
    world.broker.produce(topic, 0, [b"word"] * 10)
    job = world.endless(topic, "--group-id", "watchers")
    world.wait_for_rows(10, job)
    time.sleep(1.5)  # ten checkpoints; nobody tells when the offsets of one are there
    job.stop()
    for name, wanted in (("watchers", 0), ("others", 10)):
        left = world.broker.kcat("-G", name, "-X", "auto.offset.reset=earliest", "-e", topic).count(b"\n")
        if left != wanted:
            raise Failure(f"group {name} has {left} records left to read, not {wanted}")
    compare("a fresh run", world.bounded(topic, "-p", 1), {b"word": 10})


def sink_refusals(world):
    """What can't work is said at the start."""
    words = world.broker.topic("refused", 1)
    world.broker.produce(words, 0, [b"word"])
    address = world.broker.address
    other = world.broker.topic("refused-output", 1)
    output = lambda topic, *more: ["wordcount", *world.input(words), "--output", f"kafka://{address}/{topic}", *more]
    folder = ["-D", "state.checkpoints.dir=ckpt"]
    done = world.run(*output(other), wanted=None)
    require(done, "no folder", r"\bE-CONF\b", "checkpoints")
    done = world.run(*folder, *output(words, "--watch"), wanted=None)
    require(done, "itself", r"\bE-USAGE\b", "read what it writes")
    done = world.run(*folder, *output(world.broker.topic("endless", 1), "--watch"), wanted=None)
    require(done, "no interval", r"\bE-CONF\b", "interval")
    done = world.run(*folder, *output("no-such-topic"), wanted=None)
    require(done, "no topic", r"\bE-PATH\b", "no-such-topic", re.escape(address))
    done = world.run(*folder, *output(other, "--kafka-property", "transaction.timeout.ms=3600000"), wanted=None)
    require(done, "too long", r"\bE-USAGE\b", r"transaction\.timeout\.ms")
    done = world.run(*folder, *output(other, "--kafka-property", "transactional.id=mine"), wanted=None)
    require(done, "not the user's", r"\bE-USAGE\b", r"transactional\.id")
    done = world.run(*folder, *output(other, "--delivery", "maybe"), wanted=None)
    require(done, "no delivery", r"\bE-USAGE\b", "exactly-once")


def readme(world):
    """What the README says to try does what it says, on a broker of its own."""
    section = (ROOT / "README.md").read_text().split("\n### Kafka\n")[1]
    block = re.search(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL).group(1)
    (world.folder / "scripts").symlink_to(ROOT / "scripts")
    environment = dict(world.environment, PATH=f"{world.binary.parent}:{os.environ['PATH']}")
    try:
        done = run(["bash", "-euc", block], timeout_s=RUN_S, environment=environment,
                   folder=world.folder)
    finally:
        subprocess.run([KAFKA, "kill", world.folder / "kafka"], capture_output=True, check=False)
    rows = done.stdout.splitlines()
    if len(rows) != 6 or rows[5] != b'{"key":"a","orders":1000,"amount":500500}':
        raise Failure(f"it should print five rows and a total:\n{block}\n{done.stdout.decode()}\n{done.stderr.decode()}")


CASES = {case.__name__.replace("_", "-"): case for case in (
    bounded, end_is_fixed, deleted_records, transactions, watch, kill_and_resume, broker_killed, lost_offsets,
    unknown_topic, nobody_listens, orders, group, to_topic, sink_broker_killed, sink_refusals, readme)}


# ---- all of it


def skip_without_programs():
    installed = (ROOT / "build/kafka/lib").exists()
    packages = {"java": "default-jre-headless", "kcat": "kcat"} | ({} if installed else {"mvn": "maven"})
    missing = [program for program in packages if not shutil.which(program)]
    if missing:
        print(f"skipped: {', '.join(missing)} not installed\n"
              f"  try: apt-get install {' '.join(packages[program] for program in missing)}")
        sys.exit(77)


def run_case(name, binary, broker, folder, text, chance):
    """Whether it went well."""
    begin = time.monotonic()
    folder.mkdir()
    world = None
    try:
        broker.start()  # it runs, unless a case has left it dead
        world = World(binary, broker, folder, text, chance)
        CASES[name](world)
    except Failure as failure:
        print(f"FAILED {name} after {time.monotonic() - begin:.1f} s: {CASES[name].__doc__}\n{failure}", flush=True)
        return False
    except TooLate:
        print(f"FAILED {name}: {[job.story() for job in world.jobs] if world else 'the broker does not start'}")
        raise
    finally:
        if world:
            world.end()
    print(f"right: {name}, {time.monotonic() - begin:.1f} s", flush=True)
    return True


def too_late(*_):
    raise TooLate(f"not done within {TOTAL_S} s")


def main():
    if len(sys.argv) < 2 or any(name not in CASES for name in sys.argv[2:]):
        print(f"usage: kafka_test.py BINARY [CASE…], with cases of {', '.join(CASES)}", file=sys.stderr)
        sys.exit(64)
    binary, names = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] or [*CASES]
    skip_without_programs()
    seed = int(os.environ.get("STREAMRUN_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"STREAMRUN_TEST_SEED={seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, too_late)
    with tempfile.TemporaryDirectory(prefix="streamrun-kafka-") as scratch:
        folder = pathlib.Path(scratch)
        broker = Broker(folder / "broker")
        try:
            installed = run([KAFKA, "install"], timeout_s=300, wanted=None)
            if installed.returncode == EX_UNAVAILABLE:
                print(f"skipped: there is no broker to be had\n{installed.stderr.decode()}")
                sys.exit(77)
            if installed.returncode != 0:
                raise Failure(installed.stderr.decode())
            signal.alarm(TOTAL_S)
            text = real_text()
            # Each case has its own chance, so that it finds the same alone.
            failed = [name for name in names
                      if not run_case(name, binary, broker, folder / name, text, random.Random(f"{seed} {name}"))]
        except (Failure, TooLate) as failure:
            print(f"FAILED: {failure}")
            failed = ["all of it"]
        finally:
            signal.alarm(0)
            broker.end()
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
    print(f"{len(names)} cases went well")


if __name__ == "__main__":
    main()
