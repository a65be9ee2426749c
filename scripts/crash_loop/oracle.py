"""The text that lives read, what they must write for it, and what they have written."""
import collections
import os
import re

WORD = re.compile(rb"[A-Za-z0-9]+")
BLOCK_BYTES = 64 << 10


class Failure(Exception):
    """Something that must never happen."""


def make_vocabulary(chance):
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = set()
    while len(words) < 20000:
        length = min(30, 1 + int(chance.expovariate(1 / 6)))
        word = "".join(chance.choices(letters + "0123456789", k=length))
        words.add(word.upper() if chance.random() < 0.1 else word.capitalize() if chance.random() < 0.2 else word)
    return sorted(words)


def make_blocks(chance, count=24):
    """Pieces of text, each of whole lines, with separators of all kinds; frequencies fall as in language."""
    vocabulary = make_vocabulary(chance)
    weights = [1 / (rank + 3) for rank in range(len(vocabulary))]
    gaps = [" ", " ", " ", " ", ", ", ". ", "-", "_", "\t", " é ", "  ", "\r\n", "\n", "\n\n", "'"]
    blocks = []
    for _ in range(count):
        words = chance.choices(vocabulary, weights, k=BLOCK_BYTES // 6)
        text = "".join(word + chance.choice(gaps) for word in words) + "\n"
        blocks.append(text.encode())
    return blocks


class Text:
    """A file of blocks with the counts of its words."""

    def __init__(self, path, blocks, chance, size):
        self.counts = collections.Counter()
        used = collections.Counter()
        with open(path, "wb") as out:
            while out.tell() < size:
                block = chance.randrange(len(blocks))
                out.write(blocks[block])
                used[block] += 1
            out.write(b"the last line ends with the file")
        for block, times in used.items():
            for word, count in count_words(blocks[block]).items():
                self.counts[word] += count * times
        self.counts.update(count_words(b"the last line ends with the file"))


def count_words(text):
    return collections.Counter(word.lower() for word in WORD.findall(text))


def expected_lines(counts, updates):
    if updates:
        return sorted(b"%s\t%d" % (word, n) for word, count in counts.items() for n in range(1, count + 1))
    return sorted(b"%s\t%d" % item for item in counts.items())


def output_names(folder):
    return set(os.listdir(folder)) if folder.exists() else set()


def output_lines(folder):
    lines = []
    for name in output_names(folder):
        if name.startswith("."):
            continue
        content = (folder / name).read_bytes()
        if content and not content.endswith(b"\n"):
            raise Failure(f"{folder / name} ends in the middle of a line")
        lines += content.split(b"\n")[:-1]
    return sorted(lines)


def visible_bytes(folder):
    """Of finished parts, which never change; a name may become visible while this looks."""
    return sum((folder / name).stat().st_size for name in output_names(folder) if not name.startswith("."))


def complete_checkpoints(folder):
    return {path.parent for path in folder.glob("*/chk-*/_metadata")}


def first_differences(got, wanted):
    missing = collections.Counter(wanted) - collections.Counter(got)
    extra = collections.Counter(got) - collections.Counter(wanted)
    show = lambda lines: ", ".join(repr(line.decode()) for line in list(lines)[:5]) or "none"
    return f"{sum(missing.values())} lines missing ({show(missing)}), {sum(extra.values())} too many ({show(extra)})"
