#!/usr/bin/env python3
"""scripts/kafka: what it says and with which status it ends when it can't do what it is told. No broker is started."""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "kafka"

# By what is wrong: the arguments, the status, and what stderr must hold. FOLDER stands for an empty one.
REFUSED = {
    "no command": ([], 64, "which command"),
    "an unknown command": (["restart", "FOLDER"], 64, "restart"),
    "no folder": (["start"], 64, "folder"),
    "a port that is none": (["start", "FOLDER", "--port", "65536"], 64, "65536"),
    "a setting without a value": (["start", "FOLDER", "log.retention.ms"], 64, "log.retention.ms: not understood"),
    "an unknown option": (["start", "FOLDER", "--prot", "0"], 64, "--prot"),
    "a setting that follows from the port": (["start", "FOLDER", "listeners=x"], 64, "--port"),
    "a setting where none belongs": (["stop", "FOLDER", "a=b"], 64, "a=b: not understood"),
    "no topic": (["topic", "FOLDER"], 64, "topic"),
    "no partitions": (["topic", "FOLDER", "lines", "--partitions", "0"], 64, "no number from 1"),
    "an offset that is none": (["delete-records", "FOLDER", "lines", "0", "-1"], 64, "-1"),
    "stop without a broker": (["stop", "FOLDER"], 66, "no broker was ever started"),
    "kill without a broker": (["kill", "FOLDER"], 66, "no broker was ever started"),
    "a topic without a broker": (["topic", "FOLDER", "lines"], 66, "no broker was ever started"),
}


def call(arguments, path=None):
    environment = dict(os.environ, **({"PATH": path} if path is not None else {}))
    done = subprocess.run([sys.executable, SCRIPT, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, env=environment, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def judge(what, arguments, status, said, path=None):
    got, out, talk = call(arguments, path)
    if got == status and said in talk and not out and talk.startswith("error: "):
        return []
    return [f"{what}: ended with {got}, not {status}, or did not say `{said}`\n{out}{talk}"]


def main():
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for what, (arguments, status, said) in REFUSED.items():
            wrong += judge(what, [folder if argument == "FOLDER" else argument for argument in arguments], status, said)
        if os.listdir(folder):
            wrong.append(f"files are left: {os.listdir(folder)}")

        empty = pathlib.Path(folder) / "no-programs"
        empty.mkdir()
        wrong += judge("no java", ["install"], 69, "  try: apt-get install default-jre-headless maven", str(empty))

        # A broker that is gone, as after kill -9: its address is there, and nobody answers.
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))  # and does not listen
            gone = pathlib.Path(folder) / "gone"
            gone.mkdir()
            (gone / "address").write_text(f"localhost:{held.getsockname()[1]}\n", encoding="utf-8")
            wrong += judge("a broker that is gone", ["topic", str(gone), "lines"], 69, "does not answer")
            for command in ("stop", "kill"):
                got, _, talk = call([command, str(gone)])
                if got != 0 or "no broker runs" not in talk:
                    wrong.append(f"{command} of a broker that is gone: ended with {got}\n{talk}")

    got, out, _ = call(["--help"])
    if got != 0 or "scripts/kafka start FOLDER" not in out:
        wrong.append(f"--help ended with {got}\n{out}")
    print("\n".join(wrong) if wrong else f"{len(REFUSED) + 5} calls answered rightly")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
