#!/usr/bin/env python3
"""Drops a task and waits for its answer, with the standard library alone.

    KOUBOU_HOME=/var/koubou python3 ask.py "What is a spool?"

It prints the answer. Exit code 1 means that the task failed (the reason is on
standard error), 124 that nobody answered within a minute.

A result appears whole, by a rename, in `completed` or in `failed`. So there is
nothing to be polled: inotify tells when a name comes into one of the two. The
watch is set before the first look, so that no result comes in between unseen.
"""

import ctypes
import json
import os
import select
import sys
import time
from pathlib import Path

from drop_task import drop_task

FOLDERS = ("completed", "failed")
IN_CREATE, IN_MOVED_TO = 0x100, 0x80


class Arrivals:
    """Waits until names come into folders (Linux, inotify)."""

    def __init__(self, *folders: Path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "inotify cannot be used")
        for folder in folders:
            if libc.inotify_add_watch(self.fd, os.fsencode(folder), IN_CREATE | IN_MOVED_TO) < 0:
                raise OSError(ctypes.get_errno(), "cannot watch", str(folder))

    def wait(self, seconds: float) -> None:
        """Waits until a name has come, or the time is over."""
        if select.select([self.fd], [], [], seconds)[0]:
            os.read(self.fd, 65536)

    def close(self) -> None:
        os.close(self.fd)


def wait_for(home: Path, task_id: str, seconds: float) -> dict:
    """Waits for the result of a task and says what it is."""
    places = [home / "tasks" / folder / f"{task_id}.json" for folder in FOLDERS]
    arrivals = Arrivals(*(place.parent for place in places))
    until = time.monotonic() + seconds
    try:
        while True:
            for place in places:
                try:
                    return json.loads(place.read_text(encoding="utf-8"))
                except FileNotFoundError:
                    pass
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no result of {task_id} after {seconds:g} s")
            arrivals.wait(left)
    finally:
        arrivals.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: ask.py TEXT")
    home = Path(os.environ.get("KOUBOU_HOME", "/var/koubou"))
    task_id = drop_task(home, worker="echo", description=sys.argv[1])
    try:
        result = wait_for(home, task_id, seconds=60)
    except TimeoutError as error:
        print(f"{error}; is `koubou start` running?", file=sys.stderr)
        sys.exit(124)
    if result["status"] == "failed":
        sys.exit(f"{task_id}: {result['error']['message']}")
    print(result["content"])
