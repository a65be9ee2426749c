"""Checkpoints in HDFS and S3, beside curl that moves the same bytes to and from the same server, in turn."""
import contextlib
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEYS = 4_000_000  # about 100 bytes each
FILL_S = 12
AT_A_TIME = 4  # parts that curl moves to and from S3, as ours does
PART_BYTES = 8 << 20


def script(name):
    loader = importlib.machinery.SourceFileLoader(name, str(ROOT / "scripts" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


S3_SCRIPT = script("s3")


def call(*words, environment=None):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def timed(action):
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


class Hdfs:
    def __init__(self, folder):
        self.folder, self.name = folder, "hdfs"
        call(ROOT / "scripts/hdfs", "start", folder, "--port", 0, "--http-port", 0)
        settings = dict(line.split("=", 1) for line in (folder / "server.properties").read_text().splitlines())
        self.url = f"http://localhost:{settings['http-port-0']}/webhdfs/v1"
        self.place, self.settings = "hdfs:///bench", []
        self.environment = os.environ | {"HADOOP_CONF_DIR": str(folder / "conf"), "HADOOP_USER_NAME": "root"}

    def upload(self, files):
        # The name node is asked first, so that the bytes go out once.
        request = urllib.request.Request(f"{self.url}/curl?op=CREATE&overwrite=true&noredirect=true&user.name=root", method="PUT")
        with urllib.request.urlopen(request) as answer:
            where = json.load(answer)["Location"]
        call("curl", "-sf", "-T", files.whole, where)

    def download(self):
        call("curl", "-sfL", "-o", "/dev/null", f"{self.url}/curl?op=OPEN&user.name=root")

    def end(self):
        call(ROOT / "scripts/hdfs", "kill", self.folder)


class S3:
    def __init__(self, folder, kind):
        self.folder, self.name = folder, f"s3 ({kind})"
        lines = call(ROOT / "scripts/s3", "start", kind, folder, "--port", 0).splitlines()
        self.settings = [word for line in lines if line.startswith("s3.") for word in ("-D", line.replace(": ", "=", 1))]
        call(ROOT / "scripts/s3", "bucket", folder, "bench")
        self.address = (folder / "address").read_text().strip()
        self.place, self.environment = "s3://bench/bench", os.environ
        self.size = 0

    def ask(self, method, query, body):
        status, _, answer = S3_SCRIPT.ask(self.address, method, "/bench/curl", query, body, timeout=120)
        if status != 200:
            raise RuntimeError(f"{method} {query}: {status} {answer}")
        return answer.decode()

    def curl(self, requests):
        """Signed here, with hashes of the bytes that were worked out before: what curl does is to move them."""
        words = ["curl", "-Z", "--parallel-max", AT_A_TIME]
        for i, (method, query, digest, more) in enumerate(requests):
            target, headers = S3_SCRIPT.signed(self.address, method, "/bench/curl", query, digest)
            signed = [word for name, value in headers.items() if name != "host" for word in ("-H", f"{name}: {value}")]
            words += [*(["--next"] if i else []), "-sf", "-o", "/dev/null", *signed, *more, f"http://{self.address}{target}"]
        return call(*words)

    def upload(self, files):
        """One upload in parts of the same size, so many at a time, as ours."""
        upload = self.ask("POST", [("uploads", "")], b"").partition("<UploadId>")[2].partition("</UploadId>")[0]
        said = self.curl([("PUT", [("partNumber", str(i + 1)), ("uploadId", upload)], digest,
                           ["-T", part, "-w", f"{i + 1} %header{{etag}}\n"])
                          for i, (part, digest) in enumerate(zip(files.parts, files.digests))])
        etags = sorted((int(number), etag) for number, etag in (line.split() for line in said.splitlines()))
        listed = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>" for number, etag in etags)
        self.ask("POST", [("uploadId", upload)], f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode())
        self.size = files.whole.stat().st_size

    def download(self):
        """The same ranges as ours, so many at a time."""
        self.curl([("GET", [], hashlib.sha256(b"").hexdigest(), ["-r", f"{begin}-{begin + PART_BYTES - 1}"]) for begin in range(0, self.size, PART_BYTES)])

    def end(self):
        call(ROOT / "scripts/s3", "kill", self.folder)


class Files:
    """So many bytes, whole and in parts, in the page cache."""

    def __init__(self, folder, size):
        self.whole = folder / "whole"
        self.whole.write_bytes(os.urandom(1 << 20) * (size >> 20) + bytes(size & ((1 << 20) - 1)))
        self.parts = [folder / f"part-{i}" for i in range(-(-size // PART_BYTES))]
        self.digests = []
        with open(self.whole, "rb") as whole:
            for path in self.parts:
                part = whole.read(PART_BYTES)
                path.write_bytes(part)
                self.digests.append(hashlib.sha256(part).hexdigest())


def peak_memory(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) << 10
    return 0


def savepoint_of_state(bench, folder, keys):
    """A job that has all its state leaves it in a savepoint on the local disk."""
    subprocess.run([bench.jobs, "run", "-q", "--stop-after", f"{1 if bench.options.quick else FILL_S}s", "-D", f"state.savepoints.dir={folder / 'sp'}",
                    "keyed-updates", "--keys", str(keys), "--count", str(10**15), "--output", str(folder / "rows")],
                   check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return next((folder / "sp").glob("savepoint-*"))


def measure(bench, store, savepoint, folder, keys):
    environment = store.environment | {"XDG_STATE_HOME": str(folder / "state")}
    run = lambda *words: call(bench.jobs, *words, environment=environment)
    log = folder / "log"
    job = run("run", "-d", "--json", "--log-file", log, "-s", savepoint, *store.settings, "-D", f"state.checkpoints.dir={store.place}", "-D",
              "state.checkpoints.num-retained=1", "keyed-updates", "--keys", keys, "--count", 10**15, "--rate", 1000, "--output", folder / "rows").strip()
    job = json.loads(job)["job_id"] if job.startswith("{") else job
    try:
        pid = next(entry["pid"] for entry in json.loads(run("list", "--json"))["jobs"] if entry["job_id"] == job)
        run("checkpoint", "--full", job)
        listed = json.loads(run("list-checkpoints", *store.settings, "--dir", store.place, "--json"))
        size = listed["checkpoints"][0]["full_bytes"]
        files = Files(folder, size)

        def checkpoint():
            """Seconds from the trigger until it is complete; the command asks for that only now and then."""
            run("checkpoint", "--full", job)
            events = [json.loads(line) for line in log.read_text().splitlines() if '"event":"checkpoint"' in line]
            return events[-1]["took_ms"] / 1000

        before = peak_memory(pid)
        rows = [(f"{store.name}: checkpoint of {size / 1e6:.0f} MB / curl", checkpoint, lambda: store.upload(files))]
        latest = lambda: run("list-checkpoints", *store.settings, "--dir", store.place, "--latest").strip()
        rows += [(f"{store.name}: read it all, verify --data / curl", lambda: timed(lambda: run("verify", *store.settings, "--data", latest())), store.download)]
        for name, ours, theirs in rows:
            if bench.wanted(name):
                ours(), theirs()
                pairs = [(ours(), timed(theirs)) for _ in range(bench.pairs)]
                bench.add(name, "MB/s", [size / 1e6 / a for a, _ in pairs], [size / 1e6 / b for _, b in pairs])
        bench.add(f"{store.name}: peak memory of the job, grown while it wrote them", "MB", [(peak_memory(pid) - before) / 1e6], [], True)
    finally:
        with contextlib.suppress(RuntimeError):
            run("cancel", job)


def stores(bench):
    keys = KEYS // 20 if bench.options.quick else KEYS
    stores_by_name = {"hdfs": Hdfs, "s3 (moto)": lambda folder: S3(folder, "moto"), "s3 (s3proxy)": lambda folder: S3(folder, "s3proxy")}
    for name, make in stores_by_name.items():
        if bench.options.only and not bench.options.only.startswith(name) and bench.options.only not in name:
            continue
        folder = pathlib.Path(bench.scratch) / "stores"
        folder.mkdir()
        store = make(folder / "server")
        try:
            measure(bench, store, savepoint_of_state(bench, folder, keys), folder, keys)
        finally:
            store.end()
            shutil.rmtree(folder)
