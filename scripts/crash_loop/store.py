"""What may lie in the folder of all jobs between two lives."""
import json
import re

from crash_loop.oracle import Failure

UNIQUE_NAME = re.compile(r"[0-9a-f]{32}")
DRAFT_NAME = re.compile(r"\.[a-z_.]+\.tmp-[0-9a-f]{32}")
SHARED_NAME = re.compile(r"[0-9a-f]{32}-(0|[1-9][0-9]*)")
SHARED_DRAFT_NAME = re.compile(r"\.tmp-[0-9a-f]{32}")
LOCK_NAME = re.compile(r"\.lock(-[1-9][0-9]*)?")  # with a number where locks do not end with their holder
CHECKPOINT_NAME = re.compile(r"chk-[1-9][0-9]*")


def files_named_by(metadata):
    document, _ = json.JSONDecoder().raw_decode(metadata.read_text())
    return {file["path"]: file["length"] for file in document["files"]}


class StoreCheck:
    """Looks at every name below the folder of all jobs; what belongs to nothing is an error."""

    def __init__(self, folder):
        self.complete = self.unfinished = self.drafts = self.finished_jobs = 0
        for job in sorted(folder.iterdir()) if folder.exists() else []:
            self.look_at_job(job)

    def look_at_job(self, job):
        unfinished_before = self.unfinished
        for entry in sorted(job.iterdir()):
            if CHECKPOINT_NAME.fullmatch(entry.name):
                self.look_at_checkpoint(entry)
            elif DRAFT_NAME.fullmatch(entry.name):
                self.drafts += 1
            elif entry.name == "finished":
                self.finished_jobs += 1
            elif entry.name == "shared":
                self.look_at_shared(entry)
            elif entry.name == "taskowned":
                if any(entry.iterdir()):
                    raise Failure(f"nothing is known to write into {entry}")
            elif entry.name != ".job" and not LOCK_NAME.fullmatch(entry.name):
                raise Failure(f"{entry} is of nobody")
        # One that was being written, one that was being removed, and one that a later life had claimed.
        if self.unfinished - unfinished_before > 3:
            raise Failure(f"{job} keeps unfinished checkpoints of more than one life")

    def look_at_shared(self, folder):
        """What no checkpoint names was being written, or removed, when the process died."""
        for path in folder.iterdir():
            if SHARED_DRAFT_NAME.fullmatch(path.name):
                self.drafts += 1
            elif not SHARED_NAME.fullmatch(path.name):
                raise Failure(f"{path} is of nobody")

    def look_at_checkpoint(self, folder):
        sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
        drafts = {name for name in sizes if DRAFT_NAME.fullmatch(name)}
        self.drafts += len(drafts)
        if "_metadata" not in sizes:
            self.unfinished += 1
            named = {name for name in sizes if UNIQUE_NAME.fullmatch(name)}
        else:
            self.complete += 1
            wanted = files_named_by(folder / "_metadata")
            shared = {name for name in wanted if name.startswith("../shared/")}
            sizes.update({name: (folder / name).stat().st_size for name in shared if (folder / name).exists()})
            wrong = [name for name, length in wanted.items() if sizes.get(name) != length]
            if wrong:
                raise Failure(f"{folder} is complete, and lacks its files {wrong[:3]}")
            named = set(wanted) | {"_metadata"}
        orphans = set(sizes) - named - drafts
        if orphans:
            raise Failure(f"{folder} holds files that nothing names: {sorted(orphans)[:3]}")
