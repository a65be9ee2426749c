"""The marks at which a binary of `build.sh crash` dies, and how often each was hit."""
import collections
import pathlib
import re

from crash_loop.oracle import Failure

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# What a life must be like to pass a mark, and the latest pass at which it dies there. `any`: it reads; `restore`: it
# starts from a checkpoint; `finish`: its input ends; `stop`: it is asked to stop; `restart`: an attempt fails; `abort`:
# checkpoints time out; `fewer`: it commits at its start what several subtasks had prepared; `overtake`: barriers overtake
# records; `overtaken`: it starts from a checkpoint with such records; `sharing`: its checkpoints share files; `ssts`: the
# same, with state in RocksDB; `claim`: it claims the checkpoint that it starts from.
MARKS = {
    "cp.trigger.before": ("any", 12),
    "cp.barrier.first": ("any", 12),
    "cp.barrier.some-channels": ("any", 20),
    "cp.align.timeout-switch": ("overtake", 3),
    "cp.inflight.mid": ("overtake", 6),
    "cp.snapshot.sync.mid": ("any", 30),
    "cp.snapshot.async.mid": ("any", 20),
    "cp.file.created": ("any", 20),
    "cp.file.half": ("any", 20),
    "cp.file.before-fsync": ("any", 20),
    "cp.file.after-fsync": ("any", 20),
    "cp.shared.before-rename": ("sharing", 20),
    "cp.sst.upload.mid": ("ssts", 12),
    "cp.dir.before-fsync": ("any", 12),
    "cp.meta.tmp.half": ("any", 12),
    "cp.meta.before-rename": ("any", 12),
    "cp.meta.after-rename": ("any", 12),
    "cp.meta.after-dirsync": ("any", 12),
    "cp.complete.before-notify": ("any", 12),
    "cp.notify.some": ("any", 20),
    "sink.precommit.before": ("any", 3),
    "sink.precommit.after": ("any", 3),
    "sink.commit.before": ("any", 3),
    "sink.commit.between-two": ("fewer", 1),
    "sink.commit.after-before-ack": ("any", 3),
    "gc.before-unmeta": ("any", 6),
    "gc.after-unmeta": ("any", 6),
    "gc.exclusive.mid": ("any", 12),
    "gc.shared.mid": ("sharing", 12),
    "abort.cleanup.mid": ("abort", 3),
    "rs.lock.taken": ("restore", 1),
    "rs.verify.mid": ("restore", 3),
    "rs.state.mid": ("restore", 2),
    "rs.inflight.mid": ("overtaken", 2),
    "rs.recommit.mid": ("restore", 2),
    "rs.linger.mid": ("restore", 2),
    "rs.first-record": ("restore", 2),
    "rs.claim.first.before": ("claim", 1),
    "rs.claim.first.after": ("claim", 1),
    "stop.commit.mid": ("stop", 2),
    "drain.final.mid": ("finish", 2),
    "restart.delay": ("restart", 1),
}
# Marks of the design that nothing passes yet. One that appears in the source must move up.
NOT_BUILT = {
    "rs.noclaim.first-full.before": "a first checkpoint passes the marks of any",
    "rs.noclaim.first-full.after": "a first checkpoint passes the marks of any",
    "sp.mid": "a savepoint passes the marks of a checkpoint",
    "sp.after-complete": "a savepoint passes the marks of a checkpoint",
    "cancel.mid": "a cancel passes those of an end",
}
FILE_SINK_MARKS = {name for name in MARKS if name.startswith("sink.")} | {"rs.linger.mid"}
ARMED_LIMIT_S = 5


def marks_in_source():
    names = set()
    for path in sorted((ROOT / "engine").rglob("*.[ch]*")):
        text = path.read_text(errors="replace")
        for use in re.findall(r"SR_CRASH\(([^;]*)\);|remove_names\(([^;]*)\)\);", text):
            names.update(re.findall(r'"([a-z]+(?:\.[a-z-]+)+)"', "".join(use)))
    return names


class Marks:
    """Which marks are wanted, and how often each was tried and hit."""

    def __init__(self, wanted):
        if marks_in_source() != set(MARKS):
            odd = sorted(marks_in_source() ^ set(MARKS))
            raise Failure(f"this script and the engine do not have the same marks: {', '.join(odd)}")
        self.tries = collections.Counter({name: 0 for name in wanted})
        self.hits = collections.Counter({name: 0 for name in wanted})

    def missing(self):
        return [name for name, hits in self.hits.items() if hits == 0]

    def choose(self, chance, allowed):
        allowed = [name for name in self.tries if name in allowed]
        least = min((self.hits[name] * 2 + self.tries[name] for name in allowed), default=0)
        fewest = [name for name in allowed if self.hits[name] * 2 + self.tries[name] == least]
        return chance.choice(fewest) if fewest else None

    def table(self):
        lines = [f"  {name:30} hit {self.hits[name]:4} of {self.tries[name]:4} lives armed for it" for name in self.tries]
        return "\n".join(lines + [f"  {name:30} not built: {why}" for name, why in NOT_BUILT.items()])
