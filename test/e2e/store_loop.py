#!/usr/bin/env python3
"""store_loop.py BINARY hdfs|moto|s3proxy: wordcount with input, output and checkpoints in a store, over many lives.

Each life is ended by kill -9 at random and the next goes on from the newest checkpoint, at another parallelism, with
another kind of checkpoint. After each life every name below the folder of checkpoints has to belong to something, and
complete checkpoints have to be whole; at the end of a round each running count is there once, and nothing is left that
nothing refers to. Prints the seed, and one line a round. Status 77: a program that the store needs is missing.
"""
import argparse
import collections
import importlib.machinery
import importlib.util
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
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from crash_loop.life import Life  # noqa: E402
from crash_loop.oracle import Failure, Text, expected_lines, first_differences, make_blocks, output_lines  # noqa: E402
from crash_loop.store import StoreCheck, files_named_by  # noqa: E402

FINISH_LIMIT_S = 240
LIVES_OF_ROUND = 10
TEXTS = 6
BUCKET = "loop"
KINDS = ([], ["execution.checkpointing.incremental=true"], ["execution.checkpointing.unaligned.enabled=true"])
ON_DISK = ["state.backend.type=rocksdb", "taskmanager.memory.managed.size=4mb"]


def script(name):
    """A script of this project as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(ROOT / "scripts" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def started(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode == 69 and "apt-get install" in done.stderr:
        print(f"skipped: {done.stderr.strip()}")
        sys.exit(77)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: {done.stderr}")


class Hdfs:
    """A real HDFS, looked at through WebHDFS."""

    def __init__(self, folder):
        self.folder = folder
        self.begin()
        settings = dict(line.split("=", 1) for line in (folder / "server.properties").read_text().splitlines())
        self.url = f"http://localhost:{settings['http-port-0']}/webhdfs/v1"
        self.place = "hdfs:///loop"
        self.settings = []
        self.environment = {"HADOOP_CONF_DIR": str(folder / "conf"), "HADOOP_USER_NAME": "root"}
        self.call("PUT", "/loop", "MKDIRS")

    def begin(self):
        started([ROOT / "scripts/hdfs", "start", self.folder, "--port", "0", "--http-port", "0"])

    def end(self):
        subprocess.run([ROOT / "scripts/hdfs", "kill", self.folder], capture_output=True, check=False)

    def call(self, method, path, operation, body=None, **query):
        query = urllib.parse.urlencode({"op": operation, "user.name": "root", **query})
        url = f"{self.url}{urllib.parse.quote(path)}?{query}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method, data=body), timeout=60) as answer:
            return answer.read()

    def put(self, name, content):
        query = urllib.parse.urlencode({"op": "CREATE", "user.name": "root", "noredirect": "true"})
        request = urllib.request.Request(f"{self.url}/loop/.draft-{name.replace('/', '-')}?{query}", method="PUT")
        with urllib.request.urlopen(request, timeout=60) as answer:
            where = json.load(answer)["Location"]
        with urllib.request.urlopen(urllib.request.Request(where, method="PUT", data=content), timeout=60):
            pass
        self.call("PUT", f"/loop/{name.rsplit('/', 1)[0]}", "MKDIRS")
        self.call("PUT", f"/loop/.draft-{name.replace('/', '-')}", "RENAME", destination=f"/loop/{name}")

    def files(self, prefix):
        """Names below it with their lengths; folders end with a slash."""
        found, left = {}, [prefix]
        while left:
            folder = left.pop()
            try:
                page = json.loads(self.call("GET", f"/loop/{folder}", "LISTSTATUS"))
            except urllib.error.HTTPError as problem:
                if problem.code == 404:
                    continue
                raise
            for entry in page["FileStatuses"]["FileStatus"]:
                name = f"{folder}/{entry['pathSuffix']}"
                if entry["type"] == "DIRECTORY":
                    left.append(name)
                    found[f"{name}/"] = 0
                else:
                    found[name] = entry["length"]
        return found

    def get(self, name):
        return self.call("GET", f"/loop/{name}", "OPEN")

    def leftovers(self):
        return []


class S3:
    """A server that speaks S3."""

    def __init__(self, folder, kind):
        self.folder, self.kind = folder, kind
        self.begin()
        self.script = script("s3")
        self.store = self.script.Store(folder)
        self.store.make_bucket(BUCKET)
        self.place = f"s3://{BUCKET}/loop"
        lines = self.store.configuration().splitlines()
        self.settings = [line.replace(": ", "=", 1) for line in lines]
        self.environment = {}

    def begin(self):
        started([ROOT / "scripts/s3", "start", self.kind, self.folder, "--port", "0"])

    def end(self):
        subprocess.run([ROOT / "scripts/s3", "kill", self.folder], capture_output=True, check=False)

    def put(self, name, content):
        self.store.put(BUCKET, f"loop/{name}", content)

    def files(self, prefix):
        found = {}
        for key, length in self.store.sizes(BUCKET, f"loop/{prefix}/"):
            name = key.removeprefix("loop/")
            found[name] = length
        return {name: length for name, length in found.items() if name != f"{prefix}/"}

    def get(self, name):
        return self.store.get(BUCKET, f"loop/{name}")

    def leftovers(self):
        """Uploads in parts that nobody completed or aborted. A killed process leaves them to the bucket's rules."""
        return []


class Round:
    def __init__(self, loop, number):
        self.loop, self.store = loop, loop.store
        self.chance = random.Random(f"{loop.seed} round {number}")
        self.name = f"round-{number}"
        self.folder = loop.folder / self.name
        self.folder.mkdir()
        # For good: no other backend goes on from its increments.
        self.backend = ON_DISK if self.chance.random() < 0.4 else []
        self.job_id = f"{self.chance.getrandbits(128):032x}" if self.chance.random() < 0.5 else None
        self.waiting, counts = [], collections.Counter()
        for i in range(TEXTS):
            path = self.folder / f"text-{i}"
            counts += Text(path, loop.blocks, self.chance, loop.text_bytes).counts
            self.waiting.append(path)
        self.wanted = expected_lines(counts, updates=True)
        self.seen = set()
        self.publish()

    def publish(self):
        if self.waiting:
            path = self.waiting.pop()
            self.store.put(f"{self.name}/in/{path.name}", path.read_bytes())

    def command(self, finishing):
        settings = [*self.store.settings, *self.backend, *self.chance.choice(KINDS),
                    f"state.checkpoints.dir={self.store.place}/{self.name}/ckpt",
                    f"execution.checkpointing.interval={self.chance.choice((20, 50, 200))}ms",
                    f"execution.checkpointing.data-inline-threshold={self.chance.choice(('0', '0', '20kb'))}",
                    f"state.checkpoints.num-retained={self.chance.choice((1, 2, 3))}"]
        if self.job_id:
            settings.append(f"$internal.pipeline.job-id={self.job_id}")
        elif self.chance.random() < 0.3:
            settings.append("execution.state-recovery.claim-mode=CLAIM")
        job = ["wordcount", "--input", f"{self.store.place}/{self.name}/in", "--updates", "--output",
               f"{self.store.place}/{self.name}/out", *([] if finishing else ["--watch"])]
        return [str(self.loop.binary), "run", "-s", "latest", "--or-fresh", "-p", str(self.chance.choice((1, 2, 4))),
                "--json", *[word for setting in settings for word in ("-D", setting)], *job]

    def begin(self, finishing=False):
        self.loop.lives += 1
        environment = os.environ | self.store.environment | {"XDG_STATE_HOME": str(self.folder / "state")}
        return Life(self.command(finishing), self.folder / f"life-{self.loop.lives}.log", environment)

    def live_and_die(self):
        life = self.begin()
        wait = self.chance.uniform(0.05, 0.6) if self.chance.random() < 0.3 else self.chance.uniform(0.6, self.loop.longest_s)
        while life.age() < wait:
            if life.process.poll() is not None:
                raise Failure(f"a life over a watched folder ended with status {life.process.returncode}\n{life.talk()}")
            time.sleep(0.005)
        if self.chance.random() < 0.6:
            self.publish()
        life.kill()
        self.note(life)
        self.check()

    def note(self, life):
        event = life.start_event()
        self.loop.resumed += bool(event and event.get("restored_from"))
        self.loop.checkpointed += life.log.read_bytes().count(b'"event":"checkpoint"')

    def finish(self):
        while self.waiting:
            self.publish()
        life = self.begin(finishing=True)
        try:
            status = life.process.wait(timeout=FINISH_LIMIT_S)
        except subprocess.TimeoutExpired:
            life.kill()
            raise Failure(f"the last life did not finish within {FINISH_LIMIT_S} s\n{life.talk()}") from None
        if status != 0:
            raise Failure(f"the last life ended with status {status}\n{life.talk()}")
        self.note(life)

    # ---- what the store holds, as a folder with files of the same names and lengths

    def mirror(self):
        folder = self.folder / "mirror"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, length in sorted(self.store.files(f"{self.name}/ckpt").items()):
            path = folder / name.removeprefix(f"{self.name}/ckpt/")
            if name.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.name in ("_metadata", "finished"):
                path.write_bytes(self.store.get(name))
            with open(path, "ab") as file:
                file.truncate(length)
        return folder

    def output(self):
        folder = self.folder / "output"
        folder.mkdir(exist_ok=True)
        names = set()
        for name in self.store.files(f"{self.name}/out"):
            path = folder / pathlib.PurePath(name).name
            names.add(path.name)
            if not path.exists() and not path.name.startswith("."):
                path.write_bytes(self.store.get(name))
        gone = self.seen - names
        if gone:
            raise Failure(f"finished parts are gone: {sorted(gone)[:3]}")
        self.seen = {name for name in names if not name.startswith(".")}
        return folder, sorted(names - self.seen)

    def check(self):
        StoreCheck(self.mirror())
        folder, _ = self.output()
        lines = output_lines(folder)
        if len(set(lines)) != len(lines) or not set(self.wanted).issuperset(lines):
            raise Failure(f"partial output is wrong: {first_differences(lines, self.wanted)}")

    def check_end(self):
        folder, hidden = self.output()
        lines = output_lines(folder)
        if lines != self.wanted:
            raise Failure(f"the output is wrong: {first_differences(lines, self.wanted)}")
        if hidden:
            raise Failure(f"names of unfinished parts are left: {hidden[:3]}")
        mirror = self.mirror()
        StoreCheck(mirror)
        finished = [path.parent for path in mirror.glob("*/finished")]
        if len(finished) != 1:
            raise Failure(f"{len(finished)} runs left the word that they finished")
        kept = [path for path in finished[0].glob("chk-*") if not self.job_id or not (path / "_metadata").exists()]
        kept += list(finished[0].rglob(".*tmp-*")) + list(finished[0].glob(".lock*"))
        needed = {name for path in finished[0].glob("chk-*/_metadata") for name in files_named_by(path)}
        kept += [path for path in (finished[0] / "shared").glob("*") if f"../shared/{path.name}" not in needed]
        if kept:
            raise Failure(f"a finished job left {sorted(map(str, kept))[:3]}")


class Loop:
    def __init__(self, options, folder):
        self.seed, self.binary, self.folder = options.seed, pathlib.Path(options.binary).resolve(), folder
        self.text_bytes, self.longest_s = options.text_kib << 10, options.longest
        self.blocks = make_blocks(random.Random(f"{options.seed} text"))
        self.lives = self.resumed = self.checkpointed = 0
        self.store = Hdfs(folder / "server") if options.store == "hdfs" else S3(folder / "server", options.store)

    def run(self, lives):
        number = 0
        while self.lives < lives:
            begin, before = time.monotonic(), self.lives
            current = Round(self, number)
            for _ in range(min(LIVES_OF_ROUND, lives - self.lives) - 1):
                current.live_and_die()
            current.finish()
            current.check_end()
            shutil.rmtree(current.folder)
            number += 1
            print(f"round {number}: {self.lives - before} lives in {time.monotonic() - begin:.0f} s", flush=True)
        if self.resumed * 3 < self.lives:
            raise Failure(f"only {self.resumed} of {self.lives} lives went on from a checkpoint: this loop has shown nothing")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("store", choices=("hdfs", "moto", "s3proxy"))
    parser.add_argument("--lives", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--text-kib", type=int, default=512, help="KiB of each text")
    parser.add_argument("--longest", type=float, default=4, help="seconds that a life may last")
    options = parser.parse_args()
    print(f"store_loop: {options.store} --lives {options.lives} --seed {options.seed} --text-kib {options.text_kib} "
          f"--longest {options.longest}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="streamrun-store-"))
    loop, failed = None, None
    try:
        loop = Loop(options, folder)
        loop.run(options.lives)
    except Failure as failure:
        failed = failure
    finally:
        if Life.newest:
            Life.newest.kill()
        if loop:
            loop.store.end()
        shutil.rmtree(folder, ignore_errors=True)
    if loop:
        print(f"{loop.lives} lives, {loop.resumed} went on from a checkpoint, {loop.checkpointed} checkpoints completed")
    if failed:
        sys.exit(f"FAILED: {failed}")
    print("every round's output equals the expected one, and nothing is left over")


if __name__ == "__main__":
    main()
