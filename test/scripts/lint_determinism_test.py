#!/usr/bin/env python3
"""lint-determinism: what it must find and what it must let pass, on a small tree of its own."""
import pathlib
import subprocess
import sys
import tempfile

LINT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lint-determinism"

REFUSED = {
    "a clock": "auto now = std::chrono::steady_clock::now();",
    "the time of day": "auto now = std::time(nullptr);",
    "a thread": "std::thread worker;",
    "sleeping": "std::this_thread::sleep_for(1s);",
    "chance": "std::random_device device;",
    "the C generator": "int n = rand();",
    "a file by its system call": "int fd = ::open(path, flags);",
    "a stream": "std::ifstream in(path);",
    "stdio": "FILE* f = fopen(path, mode);",
    "hash order in a loop": "std::unordered_map<int, std::vector<int>> rows_;\nvoid f() { for (auto& row : rows_) use(row); }",
    "hash order by iterator": "std::unordered_set<int> seen;\nauto first = seen.begin();",
    "an exception without a reason": "std::thread worker;  // lint-determinism: allow:",
}
ALLOWED = {
    "a method called open": "void open(int context);\nvoid f() { reader_->open(3); return open(true); }",
    "a type with a static open": "auto files = CheckpointDirectory::open(store);",
    "names in comments": "// std::thread and fopen( and\n/* std::ifstream */ int x;",
    "names in texts": 'const char* text = "std::thread";',
    "looking up by hash": "std::unordered_map<int, int> rows_;\nauto at = rows_.find(3);",
    "walking an ordered map": "std::map<int, int> rows_;\nvoid f() { for (auto& row : rows_) use(row); }",
    "an exception with its reason": "std::thread worker;  // lint-determinism: allow: stands for one",
}


def lint_accepts(code, room="runtime"):
    with tempfile.TemporaryDirectory() as root:
        folder = pathlib.Path(root) / "engine" / room
        folder.mkdir(parents=True)
        (folder / "sample.cc").write_text(code + "\n", encoding="utf-8")
        return subprocess.run([sys.executable, LINT, root], capture_output=True, check=False).returncode == 0


def main():
    wrong = [f"not refused: {what}" for what, code in REFUSED.items() if lint_accepts(code)]
    wrong += [f"refused: {what}" for what, code in ALLOWED.items() if not lint_accepts(code)]
    clock = REFUSED["a clock"]
    if not lint_accepts(clock, "platform"):
        wrong.append("refused: a clock in platform")
    if lint_accepts(REFUSED["a stream"], "connectors/file"):
        wrong.append("not refused: a stream in a connector")
    print("\n".join(wrong) if wrong else f"{len(REFUSED) + len(ALLOWED) + 2} samples judged rightly")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
