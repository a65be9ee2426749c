"""Checkpoints in HDFS and S3, beside curl that moves the same bytes to and from the same server, in turn."""
import contextlib
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
PARTS = 4  # that curl uploads to S3 at a time, as ours does
KEY = "streamrun-trial:streamrun-trial-secret"


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
        self.url = f"http://{(folder / 'address').read_text().strip()}/bench"
        self.place, self.environment = "s3://bench/bench", os.environ
        self.sign = ["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", KEY]

    def upload(self, files):
        # Not read twice: the hash of what is sent would be left out, which ours computes.
        parts = [word for i, part in enumerate(files.parts) for word in ("-T", part, f"{self.url}/curl-{i}")]
        call("curl", "-sf", "-Z", *self.sign, "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", *parts)

    def download(self):
        parts = [word for i in range(PARTS) for word in ("-o", "/dev/null", f"{self.url}/curl-{i}")]
        call("curl", "-sf", "-Z", *self.sign, *parts)

    def end(self):
        call(ROOT / "scripts/s3", "kill", self.folder)


class Files:
    """So many bytes, whole and in parts, in the page cache."""

    def __init__(self, folder, size):
        self.whole = folder / "whole"
        self.whole.write_bytes(os.urandom(1 << 20) * (size >> 20) + bytes(size & ((1 << 20) - 1)))
        self.parts = [folder / f"part-{i}" for i in range(PARTS)]
        part = -(-size // PARTS)
        with open(self.whole, "rb") as whole:
            for path in self.parts:
                path.write_bytes(whole.read(part))


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
