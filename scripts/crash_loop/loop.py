"""Rounds of lives, with what they have in common: the text, and what came of them."""
import argparse
import collections
import pathlib
import random
import shutil
import subprocess
import time

from crash_loop.marks import MARKS, Marks
from crash_loop.modes import BackendsRound, InMemoryRound, ModeRound
from crash_loop.oracle import Failure, Text, expected_lines, first_differences, make_blocks, output_lines
from crash_loop.round import FINISH_LIMIT_S, Round


class Loop:
    def __init__(self, options, folder):
        self.seed = options.seed
        self.binary = pathlib.Path(options.binary).resolve()
        self.folder = folder
        self.size = options.size << 20
        self.total = argparse.Namespace(lives=0, killed=0, killed_in_restore=0, killed_at_mark=0, checkpointed=0, resumed=0,
                                        rounds=0, unfinished=0, drafts=0, printed_again=0)
        self.asked = collections.Counter()  # what was done to the lives of a mode, and whether it could be
        self.marks = Marks(options.marks or list(MARKS)) if options.crash_points else None
        chance = random.Random(f"{options.seed} text")
        self.blocks = make_blocks(chance)
        self.bounded_files = [folder / f"bounded-{i}.txt" for i in range(3)]
        self.bounded_counts = collections.Counter()
        for path, share in zip(self.bounded_files, (0.6, 0.3, 0.1)):
            self.bounded_counts += Text(path, self.blocks, chance, int(self.size * share)).counts
        self.startup_s = self.measure_startup()
        self.undisturbed_s = self.run_undisturbed()

    def measure_startup(self):
        taken = []
        for _ in range(5):
            begin = time.monotonic()
            subprocess.run([str(self.binary), "--version"], check=True, stdout=subprocess.DEVNULL)
            taken.append(time.monotonic() - begin)
        return sorted(taken)[2]

    def run_undisturbed(self):
        output = self.folder / "undisturbed"
        begin = time.monotonic()
        inputs = [word for path in self.bounded_files for word in ("--input", str(path))]
        done = subprocess.run([str(self.binary), "run", "-q", "wordcount", "--output", str(output), *inputs],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=FINISH_LIMIT_S, check=False)
        taken = time.monotonic() - begin
        if done.returncode != 0:
            raise Failure(f"a run without kills ended with status {done.returncode}\n{done.stderr.decode()}")
        lines, wanted = output_lines(output), expected_lines(self.bounded_counts, updates=False)
        if lines != wanted:
            raise Failure(f"a run without kills is wrong: {first_differences(lines, wanted)}")
        return taken

    def run_round(self, lives):
        """About so many lives: killed ones, then those that finish."""
        before = self.total.lives
        number = self.total.rounds
        if self.marks:  # watched files, printed lines, a bounded input; each with one id and with many
            current = Round(self, number, endless=number % 3 != 2, printed=number % 3 == 1, one_id=number % 2 == 1)
        else:
            current = Round(self, number, endless=number % 2 == 1)
        self.total.rounds += 1
        finished = False
        while not finished and self.total.lives - before < lives - 1:
            mark = self.choose_mark(current)
            finished = current.live_to_mark(mark) if mark else current.live_and_die()
        if not finished:
            current.finish()
        current.check_end()
        shutil.rmtree(current.folder)

    def run_mode(self, mode, lives):
        """About so many lives in this mode; prints what came of them."""
        begin, before, rounds = time.monotonic(), vars(self.total).copy(), 0
        self.asked.clear()
        while self.total.lives - before["lives"] < lives:
            left = lives - (self.total.lives - before["lives"])
            self.run_mode_round(mode, rounds, min(left, 12))
            rounds += 1
        of_mode = {name: count - before[name] for name, count in vars(self.total).items()}
        asked = ", ".join(f"{count} {what}{'' if done else ' in vain'}" for (what, done), count in sorted(self.asked.items()))
        print(f"{mode}: {of_mode['lives']} lives in {rounds} rounds and {time.monotonic() - begin:.0f} s, {of_mode['killed']} "
              f"killed, {of_mode['resumed']} went on from a snapshot, {of_mode['printed_again']} lines again; {asked}", flush=True)
        if of_mode["lives"] > 20 and of_mode["resumed"] * 2 <= of_mode["lives"]:
            raise Failure(f"most lives did not go on from a snapshot: mode {mode} has shown nothing")

    def run_mode_round(self, mode, number, lives):
        before = self.total.lives
        self.total.rounds += 1
        if mode == "in-memory":
            current = InMemoryRound(self, number)
            current.live()
        else:
            # At least once a running total may be wrong in any way, a count only too high.
            kind = BackendsRound if mode == "backends" else ModeRound
            current = kind(self, number, mode, slow=mode != "at-least-once" and number % 3 != 2)
            finished = False
            while not finished and self.total.lives - before < lives - 2:
                finished = current.live_and_die()
            if not finished:
                current.finish()
            current.check_end()
        shutil.rmtree(current.folder)

    def choose_mark(self, current):
        """The mark at which the next life dies; none if it is killed at any time."""
        if not self.marks or current.chance.random() < (0.2 if self.marks.missing() else 0.5):
            return None
        return current.choose_mark()

    def judge(self):
        if self.marks and self.marks.missing():
            raise Failure(f"never hit: {', '.join(self.marks.missing())}")
        # The first life of a round has nothing to go on from. Of few lives chance decides: a quarter has to.
        could = self.total.lives - self.total.rounds
        share = 2 if self.total.lives > 20 else 4
        if self.total.resumed * share <= could:
            raise Failure(f"only {self.total.resumed} of {could} lives went on from a checkpoint: this loop has shown nothing")
