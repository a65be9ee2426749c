#!/usr/bin/env python3
"""kafka_loop.py BINARY: kafka-totals writes to a topic over many lives, each ended by kill -9, and each update is there once.

Orders are written to a topic of a real broker while the job is started, killed and started again from its latest
checkpoint, at other parallelisms. At the end a reader of committed records has to find, for each key, the totals after
its first, second, … order, in this order, each once. With --marks a build with crash points is killed at one of them in
every life; with --broker-kills the broker is killed as well in some. Prints the seed, and one line a life.
"""
import argparse
import collections
import pathlib
import random
import re
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import kafka_test  # noqa: E402

MARKS = ["cp.complete.before-notify", "sink.precommit.after", "sink.commit.before", "sink.commit.between-two",
         "sink.commit.after-before-ack"]
PARTITIONS = 4
ROW = re.compile(rb'\{"key":"([^"]*)","orders":(\d+),"amount":(-?\d+)\}')


def order(number, keys, size):
    """The orders of one key are of one partition, where its n-th has amount n."""
    key, count = number % keys, number // keys + 1
    text = b'{"key":"k%d","amount":%d,"note":"' % (key, count)
    return text + b"x" * max(0, size - len(text) - 2) + b'"}'


class Feeder:
    """Writes orders, partition by partition, evenly over the lives to come."""

    def __init__(self, world, topic, options):
        per_turn = max(1, options.records // (PARTITIONS * max(1, round(options.lives * options.life_s * 8))))
        self.writers = []
        for partition in range(PARTITIONS):
            # Keys of partition p are those whose number is p modulo the number of partitions.
            lines = [order(number, options.keys, options.size) for number in range(options.records)
                     if number % options.keys % PARTITIONS == partition]
            talk = world.folder / f"writer-{partition}"
            writer = kafka_test.Writer(world.broker, topic, lines, per_turn, talk, "-p", str(partition))
            world.writers.append(writer)
            self.writers.append(writer)

    def start(self):
        for writer in self.writers:
            writer.start()

    def finish(self):
        for writer in self.writers:
            writer.finish()


def job(world, options, *flags, watch=True):
    command = [world.binary, "run", "-D", "state.checkpoints.dir=ckpt", "-D",
               f"execution.checkpointing.interval={options.interval}", "-D", "restart-strategy.type=fixed-delay",
               "-D", "restart-strategy.fixed-delay.attempts=1000", "-D", "restart-strategy.fixed-delay.delay=100ms",
               *flags, "kafka-totals", *world.input("orders"), "--output", f"kafka://{world.broker.address}/totals",
               *(["--watch"] if watch else [])]
    return command


def live(world, options, life):
    """One life; what became of it."""
    command = job(world, options, "-p", world.chance.randint(1, 4),
                     *(["-s", "latest", "--or-fresh"] if life else []))
    mark = ""
    if options.marks:
        mark = f"{world.chance.choice(options.marks)}:{world.chance.randint(1, 4)}"
        world.environment["STREAMRUN_CRASH"] = mark
    running = kafka_test.Job(world, command)
    world.environment.pop("STREAMRUN_CRASH", None)
    if life in world.broker_lives:
        time.sleep(world.chance.uniform(0.2, options.life_s))
        world.broker.kill()
        time.sleep(world.chance.uniform(0, 1))
        world.broker.start()
        mark += " broker killed"
    if options.marks:
        deadline = time.monotonic() + 60
        while running.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    else:
        time.sleep(world.chance.uniform(0.1, 2) * options.life_s)
    if running.process.poll() not in (None, -9):
        raise kafka_test.Failure(f"the job ended by itself\n{running.story()}")
    at_mark = running.process.poll() == -9
    running.kill()
    checkpoints = len(list(world.folder.glob("ckpt/*/chk-*/_metadata")))
    return f"{mark} {'killed at the mark' if at_mark else 'killed'}, {checkpoints} checkpoints are there"


def check(world, options):
    """Reads what is committed, and compares."""
    text = world.broker.kcat("-C", "-t", "totals", "-o", "beginning", "-e", "-X", "isolation.level=read_committed",
                             "-f", "%s\n", timeout_s=600)
    seen, wrong = collections.Counter(), []
    for line in text.splitlines():
        row = ROW.fullmatch(line)
        if row is None:
            raise kafka_test.Failure(f"a row that is none: {line!r}")
        key, orders, amount = row[1], int(row[2]), int(row[3])
        seen[key] += 1
        if orders != seen[key] or amount != orders * (orders + 1) // 2:
            wrong.append(f"{key.decode()}: row {seen[key]} says {orders} orders of {amount}")
    total = sum(seen.values())
    if wrong or total != options.records or len(seen) != options.keys:
        raise kafka_test.Failure(f"{total} rows of {len(seen)} keys instead of {options.records} of {options.keys}; "
                                 f"{len(wrong)} are wrong\n  " + "\n  ".join(wrong[:10]))
    return total


def leftovers(world):
    """Files that no job needs any more."""
    return [str(path.relative_to(world.folder)) for path in world.folder.glob("ckpt/*/taskowned/*")]


def loop(world, options):
    for name in ("orders", "totals"):
        world.broker.topic(name, PARTITIONS)
    lives = list(range(1, options.lives))
    world.broker_lives = set(world.chance.sample(lives, min(options.broker_kills, len(lives))))
    feeder = Feeder(world, "orders", options)
    feeder.start()
    at_mark = 0
    for life in range(options.lives):
        told = live(world, options, life)
        at_mark += "at the mark" in told
        print(f"  life {life}: {told}", flush=True)
    feeder.finish()
    command = job(world, options, "-p", 2, "-s", "latest", "--or-fresh", watch=False)
    begin = time.monotonic()
    kafka_test.run(command, timeout_s=600, environment=world.environment, folder=world.folder)
    rows = check(world, options)
    print(f"  {rows} rows, each once and in order; the last run took {time.monotonic() - begin:.1f} s; "
          f"{at_mark} lives ended at a mark", flush=True)
    if options.marks and at_mark < options.lives // 2:
        raise kafka_test.Failure(f"only {at_mark} of {options.lives} lives ended at a mark")
    if left := leftovers(world):
        raise kafka_test.Failure(f"{len(left)} files are left: {left[:5]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--records", type=int, default=200000)
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--size", type=int, default=100, help="bytes of an order")
    parser.add_argument("--lives", type=int, default=6)
    parser.add_argument("--life-s", type=float, default=1.0)
    parser.add_argument("--interval", default="100ms")
    parser.add_argument("--broker-kills", type=int, default=1)
    parser.add_argument("--marks", nargs="*", help="crash points; all of the sink's if none is named")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    options = parser.parse_args()
    if options.marks is not None and not options.marks:
        options.marks = MARKS
    print(f"kafka_loop: seed {options.seed}")
    kafka_test.skip_without_programs()
    with tempfile.TemporaryDirectory() as scratch:
        broker = kafka_test.Broker(pathlib.Path(scratch) / "broker")
        world = kafka_test.World(pathlib.Path(options.binary).resolve(), broker, pathlib.Path(scratch), [],
                                 random.Random(options.seed))
        try:
            broker.start()
            loop(world, options)
        except kafka_test.Failure as failure:
            print(f"FAILED with seed {options.seed}: {failure}", file=sys.stderr)
            return 1
        finally:
            world.end()
            broker.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
