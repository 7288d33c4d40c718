#!/usr/bin/env python3
"""Drops a task from Python, with the standard library alone.

    KOUBOU_HOME=/var/koubou python3 drop_task.py "What is a spool?"

The task is written to a file beside the others and renamed into `pending`, so
that koubou never sees half of it. It prints the id.
"""

import json
import os
import sys
import uuid
from pathlib import Path


def drop_task(home: Path, **fields) -> str:
    """Drops a task with these fields and says its id."""
    task_id = fields.setdefault("task_id", f"py-{uuid.uuid4()}")
    # `tmp` lies on the same file system as `pending`, and so a rename is one step.
    aside = home / "tmp" / f"{task_id}.json.part"
    with open(aside, "x", encoding="utf-8") as file:
        json.dump(fields, file, ensure_ascii=False, indent=2)
        file.flush()
        os.fsync(file.fileno())
    os.rename(aside, home / "tasks" / "pending" / f"{task_id}.json")
    return task_id


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: drop_task.py TEXT")
    home = Path(os.environ.get("KOUBOU_HOME", "/var/koubou"))
    print(drop_task(home, worker="echo", description=sys.argv[1]))
