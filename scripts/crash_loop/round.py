"""One job in one folder: lives until it has finished."""
import collections
import math
import os
import pathlib
import random
import resource
import signal
import subprocess
import time

from crash_loop.life import Life, open_files_limit
from crash_loop.marks import ARMED_LIMIT_S, FILE_SINK_MARKS, MARKS
from crash_loop.oracle import (Failure, Text, complete_checkpoints, expected_lines, first_differences, output_lines,
                               output_names, visible_bytes)
from crash_loop.store import StoreCheck, files_named_by

PARALLELISMS = (1, 2, 4)
FINISH_LIMIT_S = 300
KILL_AFTER_S = (0.005, 5.0)
RETAINED = 3
OVERTAKING = ["execution.checkpointing.unaligned.enabled=true"]
SHARING = ["execution.checkpointing.incremental=true", "execution.checkpointing.data-inline-threshold=0"]
CLAIMING = ["execution.state-recovery.claim-mode=CLAIM", "state.checkpoints.num-retained=1"]
# So little memory that most rows are on the disk.
ON_DISK = ["state.backend.type=rocksdb", "taskmanager.memory.managed.size=4mb"]


class Round:
    """One job in one folder: lives until it has finished."""

    mode = ""
    parallelisms = PARALLELISMS

    def __init__(self, loop, number, endless, printed=False, one_id=False):
        self.loop = loop
        self.endless = endless
        self.printed = printed
        self.chance = random.Random(f"{loop.seed} round {number} {self.mode}")
        self.folder = loop.folder / f"round-{self.mode}{number}"
        self.input = self.folder / "input"
        self.output = self.folder / "output"
        self.checkpoints = self.folder / "checkpoints"
        self.input.mkdir(parents=True)
        self.varies = bool(loop.marks)
        # For good: no other backend goes on from its increments.
        self.backend = ON_DISK if self.varies and not self.mode and self.chance.random() < 0.3 else []
        self.job_id = f"{self.chance.getrandbits(128):032x}" if one_id else None
        self.more_parts_than_subtasks = False
        self.waiting = []
        self.wanted = self.make_input()
        self.wanted_set = set(self.wanted)
        self.seen_names = set()

    def make_input(self):
        """The lines that the job must write for it, sorted."""
        counts = collections.Counter()
        if self.endless:
            for i in range(6):
                path = self.folder / f"later-{i}.txt"
                counts += Text(path, self.loop.blocks, self.chance, self.loop.size // 200).counts
                self.waiting.append(path)
            self.publish_one()
        else:
            for text in self.loop.bounded_files:
                os.link(text, self.input / text.name)
            counts = self.loop.bounded_counts
        return expected_lines(counts, updates=self.endless)

    def publish_one(self):
        if self.waiting:
            path = self.waiting.pop(0)
            os.rename(path, self.input / path.name.removeprefix("later-"))

    def command(self, finishing, parallelism, settings=()):
        settings = [*self.backend, *settings]
        if self.job_id:
            settings = [f"$internal.pipeline.job-id={self.job_id}", *settings]
        command = [str(self.loop.binary), "run", "-s", "latest", "--or-fresh", "-p", str(parallelism), "--json",
                   "-D", f"state.checkpoints.dir={self.checkpoints}",
                   "-D", "execution.checkpointing.interval=20ms",
                   *[word for setting in settings for word in ("-D", setting)]]
        return command + self.job(finishing)

    def job(self, finishing):
        job = ["wordcount", "--input", str(self.input)]
        if not self.printed:
            job += ["--output", str(self.output)]
        if self.endless:
            job.append("--updates")
            if not finishing:
                job.append("--watch")
        return job

    def begin(self, finishing=False, armed=None, parallelism=None, settings=()):
        self.loop.total.lives += 1
        name = f"life-{self.loop.total.lives}"
        output = self.folder / f"{name}.out" if self.printed else os.devnull
        if self.varies:
            settings = [*self.varied_settings(), *settings]
        command = self.command(finishing, parallelism or self.chance.choice(self.parallelisms), settings)
        return Life(command, self.folder / f"{name}.log", self.environment(), output, armed)

    def environment(self):
        """Where running jobs are listed is this round's alone."""
        return os.environ | {"XDG_STATE_HOME": str(self.folder / "state")}

    def varied_settings(self):
        """State in files, mostly, and few checkpoints kept: what there is to remove is removed early."""
        settings = [*OVERTAKING] if self.mode == "" and self.chance.random() < 0.3 else []
        if self.mode == "" and self.chance.random() < 0.3:
            settings.append("execution.checkpointing.incremental=true")
        return [*settings,
                f"execution.checkpointing.data-inline-threshold={self.chance.choice(('0', '0', '20kb'))}",
                f"state.checkpoints.num-retained={self.chance.choice((1, 1, 2, RETAINED))}",
                f"execution.checkpointing.interval={self.chance.choice((10, 20, 50))}ms"]

    def live_and_die(self):
        """A life that is killed. True if it finished before."""
        total = self.loop.total
        before = complete_checkpoints(self.checkpoints)
        in_restore = bool(before) and total.lives % 5 == 3
        kill_at, patient = self.plan_kill(in_restore)
        publish_at = self.chance.uniform(0, kill_at)
        life = self.begin()
        checkpointed = 0.0
        margin = self.chance.uniform(0, 0.05)
        ended = False
        while not ended:
            ended = life.process.poll() is not None
            if not checkpointed and complete_checkpoints(self.checkpoints) - before:
                checkpointed = life.age()
            if self.endless and not in_restore and life.age() >= publish_at:
                self.publish_one()
                publish_at = math.inf
            if life.age() >= kill_at and (not patient or (checkpointed and life.age() >= checkpointed + margin)):
                break
            if life.age() > FINISH_LIMIT_S:
                life.kill()
                raise Failure(f"no checkpoint within {FINISH_LIMIT_S} s\n{life.talk()}")
            time.sleep(0.001)
        finished = life.kill() if not ended else True
        if finished and life.process.returncode != 0:
            raise Failure(f"a life ended by itself with status {life.process.returncode}\n{life.talk()}")
        if finished and self.endless:
            raise Failure(f"a life over a watched folder ended by itself\n{life.talk()}")
        self.note(life, checkpointed or bool(complete_checkpoints(self.checkpoints) - before))
        if not finished:
            total.killed += 1
            total.killed_in_restore += in_restore
        self.check_between_lives()
        return finished

    # -- lives that die at a mark

    def choose_mark(self):
        restorable = bool(complete_checkpoints(self.checkpoints))
        allowed = set()
        for name, (need, _) in MARKS.items():
            fits = not (self.printed and name in FILE_SINK_MARKS)
            fits = fits and (restorable or need not in ("restore", "fewer", "claim"))
            fits = fits and (self.backend or need != "ssts")
            fits = fits and not (self.job_id and need == "claim")  # what it starts from is its own already
            fits = fits and (not self.endless or need != "fewer" or self.waiting)
            fits = fits and not (self.endless and need in ("overtake", "overtaken"))  # channels are seldom full there
            fits = fits and not (self.endless and need == "finish")  # none that watches could go on from it
            if fits:
                allowed.add(name)
        return self.loop.marks.choose(self.chance, allowed)

    def prepare_more_parts_than_subtasks(self):
        """A life that dies with a complete checkpoint that lists parts of several subtasks, none of them committed."""
        self.publish_one()
        life = self.begin(finishing=not self.endless, armed="sink.commit.before:1", parallelism=4)
        return self.wait_for_mark(life, "fewer")

    def prepare_records_in_flight(self):
        """A life that dies with a checkpoint just complete, which holds records that its barriers have overtaken."""
        life = self.begin(armed="cp.complete.before-notify:2", settings=OVERTAKING, parallelism=self.chance.choice((2, 4)))
        return self.wait_for_mark(life, "overtake")

    def live_to_mark(self, name):
        """A life armed for a mark. True if the job finished."""
        need, latest = MARKS[name]
        if need == "fewer" and not self.prepare_more_parts_than_subtasks():
            return self.has_finished()
        if need == "overtaken" and not self.prepare_records_in_flight():
            return self.has_finished()
        if need == "any" and self.chance.random() < 0.2:
            armed = f"{name}:1/{self.chance.randint(2, 2 + latest)}:{self.chance.getrandbits(31)}"
        else:
            armed = f"{name}:{round(math.exp(self.chance.uniform(0, math.log(latest))))}"
        settings = {"overtake": OVERTAKING, "sharing": SHARING, "ssts": SHARING, "claim": CLAIMING}.get(need, [])
        if need == "abort":
            settings = ["execution.checkpointing.timeout=10ms", "execution.checkpointing.interval=10ms",
                        "execution.checkpointing.tolerable-failed-checkpoints=1000000"]
        if self.endless and self.chance.random() < 0.7:
            self.publish_one()
        self.loop.marks.tries[name] += 1
        life = self.begin(finishing=need == "finish", armed=armed, settings=settings,
                          parallelism={"fewer": 1, "overtake": self.chance.choice((2, 4))}.get(need))
        self.loop.marks.hits[name] += self.wait_for_mark(life, need)
        return self.has_finished()

    def wait_for_mark(self, life, need):
        """Until the life dies at its mark; it is killed if that takes too long. Whether it died there."""
        total = self.loop.total
        before = complete_checkpoints(self.checkpoints)
        disturbed = False
        limit = ARMED_LIMIT_S + 2 * self.loop.undisturbed_s
        while life.process.poll() is None and life.age() < limit:
            ready = disturbed or life.age() > 1 or bool(complete_checkpoints(self.checkpoints) - before)
            if need == "abort":  # its clock goes on while it stands still
                life.process.send_signal(signal.SIGSTOP)
                time.sleep(0.02)
                life.process.send_signal(signal.SIGCONT)
                time.sleep(self.chance.uniform(0, 0.02))
            elif need == "stop" and ready and not disturbed:
                life.process.send_signal(signal.SIGTERM)
                disturbed = True
            elif need == "restart" and ready and not disturbed:  # it can open no file any more
                resource.prlimit(life.process.pid, resource.RLIMIT_NOFILE, (3, open_files_limit()))
                disturbed = True
            time.sleep(0.001)
        by_itself = life.process.poll() is not None
        life.kill()
        died = by_itself and life.process.returncode == -9
        if life.process.returncode not in (0, -9):
            raise Failure(f"a life ended by itself with status {life.process.returncode}\n{life.talk()}")
        total.killed += life.process.returncode == -9
        total.killed_at_mark += died
        self.note(life, complete_checkpoints(self.checkpoints) - before)
        self.check_between_lives()
        return died

    def has_finished(self):
        """By itself; a run that was stopped with a savepoint says so in the same file."""
        return any(b'"savepoint"' not in path.read_bytes() for path in self.checkpoints.glob("*/finished"))

    def plan_kill(self, in_restore):
        """After how long, and whether a checkpoint is waited for: most lives should get past one."""
        startup = self.loop.startup_s
        if in_restore:
            return self.chance.uniform(0.3, 3) * startup + self.chance.uniform(0, 0.005), False
        low, high = KILL_AFTER_S
        if not self.endless:
            high = min(high, max(0.05, self.loop.undisturbed_s / 4))
        return math.exp(self.chance.uniform(math.log(low), math.log(high))), self.chance.random() < 0.8

    def note(self, life, checkpointed):
        event = life.start_event()
        self.loop.total.resumed += bool(event and event.get("restored_from"))
        self.loop.total.checkpointed += bool(checkpointed)

    def check_between_lives(self):
        if self.loop.marks:
            store = StoreCheck(self.checkpoints)
            self.loop.total.unfinished += store.unfinished
            self.loop.total.drafts += store.drafts
        if self.printed:
            lines = self.printed_lines()
            if not self.wanted_set.issuperset(lines):
                raise Failure(f"what was printed is wrong: {sorted(set(lines) - self.wanted_set)[:5]}")
            return
        names = {name for name in output_names(self.output) if not name.startswith(".")}
        if self.seen_names - names:
            raise Failure(f"finished parts are gone: {sorted(self.seen_names - names)[:3]}")
        self.seen_names = names
        lines = output_lines(self.output)
        if len(set(lines)) != len(lines) or not self.wanted_set.issuperset(lines):
            raise Failure(f"partial output is wrong: {first_differences(lines, self.wanted)}")
        listed = subprocess.run([str(self.loop.binary), "list-checkpoints", "--dir", str(self.checkpoints), "-o", "path"],
                                capture_output=True, text=True, check=False)
        if listed.returncode != 0 and complete_checkpoints(self.checkpoints):
            raise Failure(f"list-checkpoints ended with status {listed.returncode}\n{listed.stderr}")
        for path in listed.stdout.split("\n"):
            if path and not (pathlib.Path(path) / "_metadata").is_file():
                raise Failure(f"list-checkpoints names {path}, which has no _metadata")

    def printed_lines(self):
        """Of all lives; a kill may cut the last line of each, which the next one prints again."""
        lines = []
        for path in self.folder.glob("life-*.out"):
            lines += path.read_bytes().split(b"\n")[:-1]
        return sorted(lines)

    def everything_is_out(self):
        if self.printed:
            return set(self.printed_lines()) == self.wanted_set
        return visible_bytes(self.output) >= sum(len(line) + 1 for line in self.wanted)

    def read_everything(self):
        """A life over the watched folder that is killed only when all its files are counted and visible."""
        while self.waiting:
            self.publish_one()
        before = complete_checkpoints(self.checkpoints)
        life = self.begin()
        while not self.everything_is_out() and life.process.poll() is None:
            if life.age() > FINISH_LIMIT_S:
                life.kill()
                lines = self.printed_lines() if self.printed else output_lines(self.output)
                got = first_differences(lines, self.wanted)
                raise Failure(f"not everything is counted within {FINISH_LIMIT_S} s: {got}\n{life.talk()}")
            time.sleep(0.02)
        if life.kill():
            raise Failure(f"a life over a watched folder ended by itself\n{life.talk()}")
        self.loop.total.killed += 1
        self.note(life, complete_checkpoints(self.checkpoints) - before)
        self.check_between_lives()

    def finish(self):
        """The last life: nobody kills it, and its input has an end."""
        if self.endless:
            self.read_everything()
        before = complete_checkpoints(self.checkpoints)
        life = self.begin(finishing=True)
        try:
            status = life.process.wait(timeout=FINISH_LIMIT_S)
        except subprocess.TimeoutExpired:
            life.kill()
            raise Failure(f"the last life did not finish within {FINISH_LIMIT_S} s\n{life.talk()}") from None
        if status != 0:
            raise Failure(f"the last life ended with status {status}\n{life.talk()}")
        # A finished job removes its checkpoints: that it had some shows in what it said.
        self.note(life, b'"checkpoint"' in life.log.read_bytes() or complete_checkpoints(self.checkpoints) - before)

    def check_store_at_end(self):
        """The job that finished has taken away what it and its dead attempts left; earlier jobs keep what they had. Had it
        been killed while it cleaned up, nobody would go on with that: there is nothing left to do."""
        if not self.has_finished():
            raise Failure("the job ended and left no word that it had finished")
        if not any(b'"state":"FINISHED"' in log.read_bytes() for log in self.folder.glob("life-*.log")):
            return
        finished = next(self.checkpoints.glob("*/finished")).parent
        kept = [path for path in finished.glob("chk-*") if not self.job_id or not (path / "_metadata").exists()]
        kept += [path for path in finished.rglob(".*tmp-*")]
        needed = {name for path in finished.glob("chk-*/_metadata") for name in files_named_by(path)}
        kept += [path for path in (finished / "shared").iterdir() if f"../shared/{path.name}" not in needed]
        if kept:
            raise Failure(f"a finished job left {sorted(map(str, kept))[:3]}")

    def check_end(self):
        if self.loop.marks:
            StoreCheck(self.checkpoints)
            self.check_store_at_end()
        if self.printed:
            lines = self.printed_lines()
            if set(lines) != self.wanted_set:
                raise Failure(f"not everything was printed: {first_differences(set(lines), self.wanted)}")
            self.loop.total.printed_again += len(lines) - len(self.wanted)
            return
        lines = output_lines(self.output)
        if lines != self.wanted:
            raise Failure(f"the output is wrong: {first_differences(lines, self.wanted)}")
        hidden = sorted(name for name in output_names(self.output) if name.startswith("."))
        if hidden:
            raise Failure(f"names of unfinished parts are left: {hidden[:3]}")
