"""Rounds that vary everything a person may set or do: concurrent checkpoints, restart strategies, tasks that fail, savepoints,
stops and cancels at any moment, and kills in the middle of all that."""
import os
import resource
import signal
import subprocess
import time

from crash_loop.life import Life, open_files_limit
from crash_loop.oracle import Failure, complete_checkpoints, first_differences, output_lines, output_names
from crash_loop.round import FINISH_LIMIT_S, ON_DISK, PARALLELISMS, SHARING, Round

# What makes a mode, and whether several of its checkpoints may be under way at once.
MODES = {
    "aligned": ([], True),
    "unaligned": (["execution.checkpointing.unaligned.enabled=true"], False),
    "switching": (["execution.checkpointing.unaligned.enabled=true"], False),
    "incremental": (SHARING, True),
    "rocksdb": ([*SHARING, *ON_DISK], True),
    "backends": (SHARING, True),
    "at-least-once": (["execution.checkpointing.mode=AT_LEAST_ONCE"], True),
    "in-memory": ([], False),
}
ASK_LIMIT_S = 60
ROWS = 40000
KEYS = 200  # a multiple of each parallelism: all payments of an account come from one subtask
ROWS_PER_SECOND = 10000
# Any of them starts the job again however often its tasks fail here.
RESTARTS = (
    ["restart-strategy.type=fixed-delay", "restart-strategy.fixed-delay.attempts=1000000",
     "restart-strategy.fixed-delay.delay=5ms"],
    ["restart-strategy.type=failure-rate", "restart-strategy.failure-rate.max-failures-per-interval=1000000",
     "restart-strategy.failure-rate.delay=5ms"],
    ["restart-strategy.type=exponential-delay", "restart-strategy.exponential-delay.initial-backoff=1ms",
     "restart-strategy.exponential-delay.max-backoff=50ms"],
)


def rows_of_slow_sink():
    totals = [0] * KEYS
    lines = []
    for index in range(ROWS):
        totals[index % KEYS] += index + 1
        lines.append(b"%d %d %d" % (index % KEYS, index // KEYS + 1, totals[index % KEYS]))
    return sorted(lines)


class ModeRound(Round):
    """One job that is killed, stopped, cancelled and resumed until it has read everything."""

    def __init__(self, loop, number, mode, slow):
        self.mode = mode
        self.slow = slow  # the job slowsink, whose channels are always full; else the words of a watched folder
        super().__init__(loop, number, endless=not slow)
        self.savepoints = self.folder / "savepoints"
        self.kept = []
        self.varies = True

    @property
    def exact(self):
        return self.mode != "at-least-once"

    def make_input(self):
        return rows_of_slow_sink() if self.slow else super().make_input()

    def job(self, finishing):
        if not self.slow:
            return super().job(finishing)
        return ["slowsink", "--count", str(ROWS), "--keys", str(KEYS), "--sink-rate", str(ROWS_PER_SECOND),
                "--output", str(self.output)]

    def publish_one(self):
        """Some of the waiting text: enough that tasks are busy, and channels full."""
        for _ in range(2):
            super().publish_one()

    def varied_settings(self):
        chance = self.chance
        fixed, concurrent = MODES[self.mode]
        interval = chance.choice((10, 20, 50))
        settings = [*super().varied_settings(), *fixed,
                    f"execution.checkpointing.interval={interval}ms",
                    "execution.checkpointing.tolerable-failed-checkpoints=1000000",
                    f"state.savepoints.dir={self.savepoints}",
                    *chance.choice(RESTARTS)]
        if concurrent and chance.random() < 0.7:
            settings.append(f"execution.checkpointing.max-concurrent-checkpoints={chance.randint(1, 3)}")
        elif chance.random() < 0.5:
            settings.append(f"execution.checkpointing.min-pause={chance.choice((1, 10, 30))}ms")
        if self.mode == "switching":
            settings.append(f"execution.checkpointing.aligned-checkpoint-timeout={chance.choice((1, 2, 5, 20))}ms")
        if chance.random() < 0.2:
            settings.append(f"execution.checkpointing.timeout={chance.choice((10, 20, 50))}ms")
        return settings

    # -- what is done to a life

    def ask(self, life, *words):
        """A command of another shell. Its output, or none if the job could not do it."""
        command = [str(self.loop.binary), *words]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=ASK_LIMIT_S,
                              check=False)
        self.loop.asked[words[0], done.returncode == 0] += 1
        has_answer = bool(done.stdout.strip()) or words[0] == "cancel"
        wrong = done.returncode < 0 or done.returncode in (70, 78) or (done.returncode == 0 and not has_answer)
        if wrong or (done.returncode == 64 and not self.may_be_unknown(life, done.stderr)):
            raise Failure(f"{' '.join(words)} ended with status {done.returncode}\n{done.stdout}{done.stderr}{life.talk()}")
        return done.stdout.strip() if done.returncode == 0 else None

    def may_be_unknown(self, life, error):
        """It had read everything, and was gone when it was asked; or it could not be found yet."""
        try:
            return "no running job" in error and (life.age() < 5 or life.process.wait(timeout=ASK_LIMIT_S) == 0)
        except subprocess.TimeoutExpired:
            return False

    def id_of(self, life):
        event = life.start_event()
        return event and event.get("job_id")

    things = ("publish", "publish", "fail", "savepoint", "checkpoint", "nothing")

    def do_something(self, life):
        """One thing that a job outlives."""
        what = self.chance.choice(self.things)
        job = self.id_of(life)
        if what == "publish":
            self.publish_one()
        elif what == "fail" and b'"event":"running"' in life.log.read_bytes():
            self.loop.asked["times no file could be opened", True] += 1
            life.cannot_open = True
            try:
                resource.prlimit(life.process.pid, resource.RLIMIT_NOFILE, (3, open_files_limit()))
                time.sleep(self.chance.uniform(0.01, 0.1))
                resource.prlimit(life.process.pid, resource.RLIMIT_NOFILE, (open_files_limit(), open_files_limit()))
            except ProcessLookupError:
                pass  # it has ended by itself
        elif what == "savepoint" and job:
            path = self.ask(life, "savepoint", job)
            if path:
                self.kept.append(path)
        elif what == "checkpoint" and job:
            self.ask(life, "checkpoint", job)

    def end(self, life):
        """One way to end it; 9 in 20 by kill -9, some of those while something else ends it."""
        job = self.id_of(life)
        how = self.chance.choice(("kill",) * 7 + ("term", "stop", "cancel") * 2 +
                                 ("term and kill", "stop and kill", "cancel and kill", "savepoint and kill")) if job else "kill"
        self.loop.asked[how, True] += 1
        first = how.split()[0]
        if first == "term":
            life.process.send_signal(signal.SIGTERM)
        if how.endswith("and kill"):
            command = None if first == "term" else subprocess.Popen(
                [str(self.loop.binary), first, job], env=self.environment(), stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            time.sleep(self.chance.uniform(0, 0.06))
            life.kill()
            if command:
                command.wait(timeout=ASK_LIMIT_S)
        elif first in ("stop", "cancel"):
            answer = self.ask(life, first, job)
            if first == "stop" and answer:
                self.kept.append(answer)
            if answer is None:
                life.kill()
        elif how == "kill":
            life.kill()
        self.wait_for_end(life)

    def wait_for_end(self, life):
        try:
            status = life.process.wait(timeout=ASK_LIMIT_S)
        except subprocess.TimeoutExpired:
            life.kill()
            raise Failure(f"a life did not end when it was asked to\n{life.talk()}") from None
        # For want of a file descriptor a checkpoint could be neither made durable nor taken back, or the word that all is done
        # could not be left. The next life goes on from the last checkpoint.
        reasons = (b"E-STORE-FATAL", b"/.finished.tmp-")
        in_doubt = life.cannot_open and status == 74 and any(reason in life.log.read_bytes() for reason in reasons)
        if status not in (0, 75, -9) and not in_doubt:
            raise Failure(f"a life ended with status {status}\n{life.talk()}")
        self.loop.total.killed += status == -9

    def live_and_die(self):
        before = complete_checkpoints(self.checkpoints)
        life = self.begin()
        for _ in range(self.chance.choice((0, 1, 1, 2, 4))):
            time.sleep(self.chance.expovariate(1 / 0.05))
            if life.process.poll() is None:
                self.do_something(life)
        deadline = time.monotonic() + (2 if self.chance.random() < 0.8 else 0)
        while time.monotonic() < deadline and not complete_checkpoints(self.checkpoints) - before:
            time.sleep(0.002)
        time.sleep(self.chance.expovariate(1 / 0.03))
        if life.process.poll() is None:
            self.end(life)
        else:
            self.wait_for_end(life)
        self.note(life, complete_checkpoints(self.checkpoints) - before)
        self.check_between_lives()
        return self.has_finished()

    # -- what must hold

    def check_between_lives(self):
        for path in self.kept:
            if not os.path.exists(f"{path}/_metadata"):
                raise Failure(f"the savepoint {path} is gone")
        if self.exact:
            super().check_between_lives()
            return
        names = {name for name in output_names(self.output) if not name.startswith(".")}
        if self.seen_names - names:
            raise Failure(f"finished parts are gone: {sorted(self.seen_names - names)[:3]}")
        self.seen_names = names

    def everything_is_out(self):
        if self.exact:
            return super().everything_is_out()
        time.sleep(0.2)
        return self.wanted_set.issubset(output_lines(self.output))

    def check_end(self):
        if self.exact:
            super().check_end()
            return
        lines = output_lines(self.output)
        if not self.wanted_set.issubset(lines):
            raise Failure(f"something is lost: {first_differences(set(lines), self.wanted)}")
        self.loop.total.printed_again += len(lines) - len(self.wanted)


class BackendsRound(ModeRound):
    """Each life has its state where it likes, in one subtask or in eight. Increments of RocksDB are for RocksDB alone: a life
    in memory that finds them is turned away, and the next one must find everything as it was. Over a savepoint, or from what
    was in memory, a job may move."""

    parallelisms = (1, 8)
    on_disk = False

    def varied_settings(self):
        self.on_disk = self.chance.random() < 0.5
        # Unset, it would stay what it was.
        return [*super().varied_settings(), *(ON_DISK if self.on_disk else ["state.backend.type=hashmap"])]

    def begin(self, finishing=False, armed=None, parallelism=None, settings=()):
        life = super().begin(finishing, armed, parallelism, settings)
        if self.on_disk or not self.has_increments_of_rocksdb():
            return life
        while life.process.poll() is None and b'"event":"running"' not in life.log.read_bytes():
            time.sleep(0.002)
        if life.process.poll() != 76:
            return life
        if b"E-JOB-MISMATCH" not in life.log.read_bytes():
            raise Failure(f"a life was turned away for another reason than its backend\n{life.talk()}")
        self.loop.asked["times turned away", True] += 1
        return super().begin(finishing, armed, parallelism, [*settings, *ON_DISK])

    def has_increments_of_rocksdb(self):
        return any(b'"sst"' in path.read_bytes() for path in self.checkpoints.glob("*/chk-*/_metadata"))

    def end(self, life):
        if self.chance.random() < 0.5:
            return super().end(life)
        job = self.id_of(life)
        answer = self.ask(life, "stop", job) if job else None
        if answer:
            self.kept.append(answer)
        else:
            life.kill()
        return self.wait_for_end(life)


class InMemoryRound(ModeRound):
    """One process whose tasks fail again and again, with checkpoints in its memory; it is not killed, for then all is gone.
    Every attempt counts as a life."""

    things = ("fail", "fail", "nothing")

    def __init__(self, loop, number):
        super().__init__(loop, number, "in-memory", slow=True)
        # With full channels a barrier that does not overtake takes a second or more: tasks must live long enough.
        self.overtakes = self.chance.random() < 0.7

    def command(self, finishing, parallelism, settings=()):
        in_files = ("state.savepoints.dir", "execution.checkpointing.timeout", "execution.checkpointing.data-inline-threshold", "state.checkpoints.dir")
        command = [str(self.loop.binary), "run", "-p", str(parallelism), "--json",
                   "-D", "execution.checkpointing.storage=jobmanager",
                   "-D", f"execution.checkpointing.unaligned.enabled={str(self.overtakes).lower()}"]
        for setting in settings:
            if not setting.startswith(in_files):
                command += ["-D", setting]
        return command + self.job(finishing)

    def live(self):
        life = self.begin()
        while life.process.poll() is None:
            if life.age() > FINISH_LIMIT_S:
                life.kill()
                raise Failure(f"not everything is out within {FINISH_LIMIT_S} s\n{life.talk()}")
            time.sleep(self.chance.expovariate(1 / (0.1 if self.overtakes else 2)))
            if life.process.poll() is None:
                self.do_something(life)
        if life.process.returncode != 0:
            raise Failure(f"a life ended with status {life.process.returncode}\n{life.talk()}")
        restarts = sum(b'"event":"restart"' in line for line in life.log.read_bytes().split(b"\n"))
        for name in ("lives", "resumed", "checkpointed"):
            setattr(self.loop.total, name, getattr(self.loop.total, name) + restarts)
        lines = output_lines(self.output)
        if lines != self.wanted:
            raise Failure(f"the output is wrong: {first_differences(lines, self.wanted)}")
