#!/usr/bin/env python3
"""store_faults_test.py BINARY hdfs|moto|s3proxy [CASE…]: a store does wrong at each step, and a job goes on.

Between the job and the store stands fault_proxy.py. Without cases all of these run:
  steps    one job lives through each fault at each step of its talk with the store: each fault is met, and the next
           checkpoint completes
  talk     a fault that lasts fails a checkpoint or an attempt, and the log says what was answered
  away     nobody listens for seconds, over and over
  restore  each fault meets a run that goes on from its latest checkpoint after kill -9
  starts   a run whose store is not well from the start ends with status 69 in its time, and says what was answered
Without --all only half of the faults, by chance, are met in talk, restore and starts. The first four share one folder,
and at its end each running count of each word is there once and nothing is left over. Prints the seed and what was met
how often; what is never met is a failure. Status 77: a program that the store needs is missing.
"""
import argparse
import collections
import os
import pathlib
import random
import re
import shutil
import signal
import sys
import tempfile
import time

import fault_proxy
import store_loop
from fault_proxy import Proxy, Rule
from watched_jobs import Failure, Job, count_words, run, wait_until

EX_UNAVAILABLE = 69
TIMEOUT_MS = 1000
STALL_S = 8  # after which it is tried once more to have a step taken
LARGE = b" ".join(b"%d" % number + b"w" * 1000 for number in range(100)) + b"\n"
MANY = ["reset", "lost", "cut", "half", "html", "500", "503", "redirect", "away", "silent", "slow"]
RATE_OF_LARGE = 4 << 20
TALK = {"reset": "broke off", "half": r"broke off|sends \d+ bytes of|no text of S3", "html": "log in at the gate",
        "500": "the store is tired", "redirect": "307", "silent": "did not answer in its time"}


class Step:
    """Something that is asked of a store. What `needs` a piece of input is asked when there is one."""

    def __init__(self, name, matches, needs="", is_change=False):
        self.name, self.matches, self.needs, self.is_change = name, matches, needs, is_change


def s3_kind(request):
    """What S3 is asked for, and what for."""
    method, query = request.method, request.query
    if method == "POST":
        return "begin" if "uploads" in query else "complete"
    if method == "GET" and "list-type" in query:
        return "list"
    if method == "PUT" and "partNumber" in query:
        return "part"
    if method == "PUT" and "x-amz-copy-source" in request.headers:
        return "copy"
    if method == "PUT" and request.path.endswith("/"):
        return "folder"
    if method == "PUT" and request.path.endswith("/_metadata"):
        return "publish"
    if method == "GET":
        if "/in/" not in request.path:
            return "get"
        return "get input" if request.headers.get("range", "").startswith("bytes=0-") else "get on"
    return method.lower()


def s3_steps():
    def of(kind, needs="", is_change=False):
        return Step(kind, lambda request: s3_kind(request) == kind, needs, is_change)

    return [of("put", is_change=True), of("folder", is_change=True), of("publish", is_change=True), of("get"),
            of("head"), of("list"), of("delete", is_change=True), of("get input", "small"), of("get on", "large read"),
            of("copy", "small", True), of("begin", "large write", True), of("part", "large write", True),
            of("complete", "large write", True)]


def hdfs_kind(request):
    op = request.query.get("op", "")
    if op == "CREATE" and not request.is_first_port:
        return "stream" if "transfer-encoding" in request.headers else "put"
    if op == "OPEN":
        which = "open" if request.is_first_port else "get"
        return f"{which} input" if "/in/" in request.path else which
    if op == "RENAME" and request.query.get("destination", "").endswith("/_metadata"):
        return "publish"
    return {"GETFILESTATUS": "status", "LISTSTATUS_BATCH": "list"}.get(op, op.lower())


def hdfs_steps():
    def of(kind, needs="", is_change=False):
        return Step(kind, lambda request: hdfs_kind(request) == kind, needs, is_change)

    return [of("create"), of("put", is_change=True), of("open"), of("get"), of("status"), of("list"),
            of("mkdirs", is_change=True), of("publish", is_change=True), of("delete", is_change=True),
            of("rename", "small", True), of("open input", "small"), of("get input", "small"),
            of("stream", "large write", True)]


class Place(store_loop.Round):
    """A store behind a proxy, and a folder in it where one job lives; what it must have written by its end."""

    def __init__(self, options, folder, store):
        # pylint: disable=super-init-not-called
        self.store, self.folder, self.binary = store, folder, pathlib.Path(options.binary).resolve()
        self.is_hdfs = options.store == "hdfs"
        self.chance, self.meets_all = random.Random(options.seed), options.all
        self.name, self.job_id, self.seen = "faults", None, set()
        self.proxy = Proxy(store.url.split("/")[2] if self.is_hdfs else store.store.address())
        self.steps = hdfs_steps() if self.is_hdfs else s3_steps()
        self.met = collections.Counter()  # (step, fault)
        self.counts, self.pieces = collections.Counter(), 0
        self.jobs, self.job = [], None
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("AWS_") and name != "HADOOP_CONF_DIR"}
        self.environment |= {"XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder), "HADOOP_USER_NAME": "root"}
        self.publish("small")

    # ---- the job

    def reach(self):
        """The settings by which a run finds the proxy."""
        address = self.proxy.address()
        if self.is_hdfs:
            settings = ["flink.hadoop.fs.defaultFS=hdfs://store:1",
                        f"flink.hadoop.dfs.namenode.http-address={address}",
                        f"flink.hadoop.dfs.client.socket-timeout={TIMEOUT_MS}", "flink.hadoop.dfs.replication=1"]
        else:
            settings = [each for each in self.store.settings if not each.startswith("s3.endpoint")]
            settings += [f"s3.endpoint=http://{address}", f"s3.connection.timeout={TIMEOUT_MS}ms",
                         "s3.upload.min.part.size=5mb"]
        return settings

    def command(self, finishing=False):
        settings = [*self.reach(), f"state.checkpoints.dir={self.store.place}/{self.name}/ckpt",
                    "execution.checkpointing.interval=250ms", "execution.checkpointing.data-inline-threshold=0",
                    "execution.checkpointing.tolerable-failed-checkpoints=100000",
                    "restart-strategy.type=fixed-delay", "restart-strategy.fixed-delay.attempts=100000",
                    "restart-strategy.fixed-delay.delay=100ms"]
        return [self.binary, "run", "-s", "latest", "--or-fresh",
                *[word for setting in settings for word in ("-D", setting)],
                "wordcount", "--input", f"{self.store.place}/{self.name}/in", "--updates", "--output",
                f"{self.store.place}/{self.name}/out", *([] if finishing else ["--watch"])]

    def begin(self, finishing=False):
        self.job = Job(self, self.command(finishing))
        return self.job

    def newest(self):
        """Of the checkpoints that this life has completed."""
        return max([0, *map(int, re.findall(r"chk-(\d+) done", self.job.said()))])

    def await_checkpoint(self, what):
        known = self.newest()
        wait_until(f"a checkpoint after {what}", lambda: self.newest() > known, job=self.job)

    def publish(self, needs):
        """A piece of input that gives the job something of that kind to do."""
        lines = {"small": 1, "large read": 25, "large write": 13 if self.is_hdfs else 60}[needs]
        content = LARGE * lines if lines > 1 else b"%d is a piece of a few words\n" % self.pieces
        self.store.put(f"{self.name}/in/piece-{self.pieces:05}", content)
        self.pieces += 1
        self.counts += count_words(content)

    # ---- faults

    def rule(self, step, fault, times=1):
        text = (b'{"RemoteException":{"exception":"RetriableException","javaClassName":"org.apache.hadoop.ipc.'
                b'RetriableException","message":"the store rests"}}' if self.is_hdfs else
                b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>the store rests</Message></Error>")
        rate = RATE_OF_LARGE if step.needs.startswith("large") else fault_proxy.RATE
        return Rule(fault, step.matches, times, text, rate)

    def meet(self, fault, steps):
        """Each of the steps meets it once, and then a checkpoint completes."""
        begin = len(self.job.said())
        rules = {step.name: self.rule(step, fault) for step in steps}
        self.proxy.arm(*rules.values())
        needs = sorted({step.needs for step in steps} - {""})

        def are_met():
            return all(rule.is_used_up() for rule in rules.values())

        what = f"{fault} at {', '.join(rules)}"
        for tries in range(1, 9):
            for need in needs:
                self.publish(need)
            try:
                wait_until(what, are_met, timeout_s=STALL_S, job=self.job)
                break
            except Failure as failure:
                if tries == 8 or self.job.process.poll() is not None:
                    missing = [name for name, rule in rules.items() if not rule.is_used_up()]
                    raise Failure(f"{what}: never met at {missing}\n{failure}") from None
        self.proxy.disarm()
        self.await_checkpoint(what)
        # What is met once is tried again, and not seen above the store. Several times away are a long time.
        failure = re.search(r"(chk-\d+ failed|RESTARTING).*(\n.*why: .*)?", self.job.said()[begin:])
        if failure and fault != "away":
            raise Failure(f"{what}: {failure.group()}")
        for name in rules:
            self.met[name, fault] += 1

    def some(self, faults):
        """All of them, or half by chance, in an order by chance."""
        faults = sorted(faults)
        return self.chance.sample(faults, len(faults) if self.meets_all else (len(faults) + 1) // 2)

    def rounds(self):
        """What is met together: three times, some of the steps meet one fault."""
        rounds = []
        for fault in MANY + ["silent-after"]:
            steps = [step for step in self.steps if step.is_change or fault != "silent-after"]
            # Large bodies have time-outs of their own, some 20 s.
            if fault.startswith("silent"):
                steps = [step for step in steps if step.name not in ("part", "get on")]
            # A piece of input gives some of them, the others come with each checkpoint.
            kinds = ("small", "large read", "large write")
            groups = [[step for step in steps if step.needs == needs] for needs in kinds]
            others = [step for step in steps if not step.needs]
            self.chance.shuffle(others)
            rounds += [(fault, group + others[number::3]) for number, group in enumerate(groups)]
        self.chance.shuffle(rounds)
        return rounds

    def report(self):
        faults = MANY + ["silent-after"]
        width = max(map(len, faults))
        for step in self.steps:
            row = ", ".join(f"{fault} {self.met[step.name, fault]}" for fault in faults if self.met[step.name, fault])
            print(f"  {step.name:<{width}}  {row}", flush=True)

    # ---- the cases

    def steps_case(self):
        self.begin()
        wait_until("the first checkpoint", self.newest, job=self.job)
        for fault, steps in self.rounds():
            self.meet(fault, steps)

    def talk_case(self):
        self.begin_unless_it_runs()
        lasting = ["put", "list", "get"] if not self.is_hdfs else ["create", "put", "list", "get", "mkdirs"]
        for fault in self.some(TALK):
            pattern = TALK[fault]
            # A file of which half of the answer comes is found to be there.
            step = self.chance.choice([step for step in self.steps if step.name in lasting
                                       and (fault, step.name) != ("half", "put")])
            begin = len(self.job.said())
            rule = self.rule(step, fault, times=None)
            self.proxy.arm(rule)

            def tells(begin=begin, pattern=pattern):
                return re.search(f"(chk-\\d+ failed|RESTARTING).*(\n.*why: )?.*({pattern})", self.job.said()[begin:])

            wait_until(f"the log tells of {fault} at {step.name}", tells, timeout_s=60, job=self.job)
            self.proxy.disarm()
            self.await_checkpoint(f"lasting {fault} at {step.name}")
            self.met[step.name, fault] += len(rule.hits)

    def away_case(self):
        self.begin_unless_it_runs()
        for _ in range(4):
            self.publish("small")
            time.sleep(self.chance.uniform(0, 1))
            seconds = self.chance.uniform(0.2, 3)
            self.proxy.away(seconds)
            time.sleep(seconds)
            self.await_checkpoint("the store was away")

    def end_well(self):
        """As a person ends it: what could not be removed while the store was away goes now."""
        self.proxy.disarm()
        if self.job is not None and self.job.process.poll() is None:
            self.job.stop()

    def restore_case(self):
        self.begin_unless_it_runs()
        reads = ["get", "head", "list"] if not self.is_hdfs else ["open", "get", "status", "list"]
        steps = [step for step in self.steps if step.name in reads]
        for fault in self.some(MANY):
            self.publish("small")
            self.await_checkpoint("a piece")
            self.job.kill()
            # Others need not be asked for, and the newest is known from outside.
            rules = [self.rule(step, fault) for step in steps]
            self.proxy.arm(*rules)
            self.begin()
            wait_until(f"a run that goes on over {fault}", lambda: "RUNNING" in self.job.said(), job=self.job)
            if not re.search(r"restored .*chk-\d+", self.job.said()):
                raise Failure(f"it did not go on from a checkpoint\n{self.job.story()}")
            unmet = [step.name for step, rule in zip(steps, rules) if not rule.is_used_up()]
            if unmet:
                raise Failure(f"{fault} was not met at {unmet} while it was restored\n{self.job.story()}")
            self.proxy.disarm()
            wait_until("a checkpoint", self.newest, job=self.job)
            for step in steps:
                self.met[step.name, fault] += 1

    def begin_unless_it_runs(self):
        if self.job is None or self.job.process.poll() is not None:
            self.begin()
        wait_until("a checkpoint", self.newest, job=self.job)

    def finish(self):
        """A life that ends with its input goes on."""
        if self.job is None:
            return
        job = self.begin(finishing=True)
        wait_until("the end of the last life", lambda: job.process.poll() is not None)
        if job.process.returncode != 0:
            raise Failure(f"the last life did not end well\n{job.story()}")
        self.wanted = store_loop.expected_lines(self.counts, updates=True)
        try:
            self.check_end()
        except store_loop.Failure as failure:
            names = sorted(name for name in self.store.files(f"{self.name}/ckpt") if "/chk-" in name)
            raise Failure(f"{failure}\nbelow the folder of checkpoints are {names}\n{self.job.story()}") from None
        print(f"right: {self.pieces} pieces, {len(self.wanted)} rows, in {len(self.jobs)} lives", flush=True)

    # ---- stores that are not well from the start

    def starts_case(self):
        base = f"{self.store.place}/starts"
        self.store.put("starts/in/text", b"one two three\n" * 100)
        settings = [*self.reach(), f"state.checkpoints.dir={base}/ckpt"]

        def start(output):
            arguments = [word for setting in settings for word in ("-D", setting)]
            begin = time.monotonic()
            done = run([self.binary, "run", *arguments, "wordcount", "--input", f"{base}/in", "--output",
                        f"{base}/{output}"], wanted=None, environment=self.environment)
            return done, time.monotonic() - begin

        refused = TALK | {"lost": "broke off", "cut": "broke off", "500": "500"}  # a HEAD has no text
        others = self.some(refused.keys() - {"silent", "html"})
        for fault in ["silent", "html", *(others if self.meets_all else others[:2])]:
            pattern = refused[fault]
            rule = Rule(fault, lambda request: True, None)
            self.proxy.arm(rule)
            done, took = start("none")
            self.proxy.disarm()
            self.require_refusal(fault, done, took, pattern)
            if not rule.hits:
                raise Failure(f"{fault} at start was not met")
            self.met["start", fault] += len(rule.hits)
        self.proxy.away(2000)
        done, took = start("none")
        self.proxy.come_back()
        self.require_refusal("away", done, took, "cannot be reached")
        self.met["start", "away"] += 1
        rule = Rule("slow", lambda request: True, None)
        rule.rate = 1 << 20
        self.proxy.arm(rule)
        fault_proxy.DELAY_S, usual = 0.04, fault_proxy.DELAY_S
        done, _ = start("slow")
        fault_proxy.DELAY_S = usual
        self.proxy.disarm()
        if done.returncode != 0:
            raise Failure(f"a slow store: status {done.returncode}\n{done.stderr.decode()}")
        self.met["start", "slow"] += len(rule.hits)
        print("  start         " + ", ".join(f"{fault} {count}" for (step, fault), count in self.met.items()
                                            if step == "start"), flush=True)

    @staticmethod
    def require_refusal(fault, done, took, pattern):
        said = done.stderr.decode(errors="replace")
        is_told = re.search(f"^error: E-UNAVAILABLE(.*\n)*.*({pattern})", said, re.MULTILINE)
        if done.returncode != EX_UNAVAILABLE or not is_told:
            raise Failure(f"{fault} at start: status {done.returncode}, wanted {EX_UNAVAILABLE}, /{pattern}/\n{said}")
        most = 30 if fault == "silent" else 20
        if took > most:
            raise Failure(f"{fault} at start: it took {took:.0f} s to say so")


CASES = {"steps": Place.steps_case, "talk": Place.talk_case, "away": Place.away_case, "restore": Place.restore_case,
         "starts": Place.starts_case}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("store", choices=("hdfs", "moto", "s3proxy"))
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    if not set(options.cases) <= set(CASES):
        parser.error(f"cases are {', '.join(CASES)}")
    print(f"store_faults_test: {options.store} --seed {options.seed}{' --all' if options.all else ''}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="streamrun-faults-"))
    store = place = failed = None
    try:
        make = store_loop.Hdfs if options.store == "hdfs" else lambda path: store_loop.S3(path, options.store)
        store = make(folder / "server")
        place = Place(options, folder, store)
        for name in options.cases or CASES:
            begin = time.monotonic()
            CASES[name](place)
            place.end_well()
            print(f"right: {name}, {time.monotonic() - begin:.1f} s", flush=True)
        place.finish()
    except (Failure, store_loop.Failure) as failure:
        failed = failure
    finally:
        # Who ends a group of processes may tell this one twice.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if place:
            place.report()
            for job in place.jobs:
                job.kill()
        if store:
            store.end()
        shutil.rmtree(folder, ignore_errors=True)
    if failed:
        sys.exit(f"FAILED: {failed}")


if __name__ == "__main__":
    main()
