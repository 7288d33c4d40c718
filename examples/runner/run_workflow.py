#!/usr/bin/env python3
"""Runs a workflow as GitHub Actions writes it: each job is a task, `needs` is `depends_on`.

    cp agent.yaml $KOUBOU_HOME/config/ && koubou start &
    python3 run_workflow.py workflow.json

It reads `jobs`, and of each `needs`, `env`, `timeout-minutes`, `strategy.matrix`
and `steps` with `run`; `uses` belongs to GitHub and is refused. A `.yml` needs
PyYAML; JSON needs nothing. Jobs run at once as far as `needs` and the worker's
`concurrency` let them. What each printed is shown when all have ended; the exit
code is 0 if every job was completed. It may be killed: the jobs go on.
"""

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path


def read(path: Path) -> dict:
    text = path.read_text(encoding="utf-8")
    if path.suffix not in (".yml", ".yaml"):
        return json.loads(text)
    try:
        import yaml
    except ImportError:
        sys.exit(f"{path} is YAML, and PyYAML is not installed: `apt install python3-yaml`, or write JSON")
    return yaml.safe_load(text)


def as_list(value) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]


def combinations(job: dict) -> list:
    """The combinations of a matrix; one that is empty where there is none."""
    matrix = job.get("strategy", {}).get("matrix", {})
    return [dict(zip(matrix, values)) for values in itertools.product(*matrix.values())]


def script(workflow: dict, name: str, job: dict, chosen: dict) -> str:
    """All steps of a job as one shell script; the first that fails ends it."""
    lines = []
    for key, value in {**workflow.get("env", {}), **job.get("env", {})}.items():
        lines.append(f"export {key}={shlex.quote(str(value))}")
    for number, step in enumerate(job.get("steps", []), 1):
        if "run" not in step:
            sys.exit(f"job `{name}`: step {number} has no `run`; `uses` is for GitHub alone")
        run = step["run"]
        for key, value in chosen.items():
            run = run.replace("${{ matrix.%s }}" % key, str(value))
        lines.append(f"echo {shlex.quote('--- ' + step.get('name', f'step {number}'))}")
        lines.append(run)
    return "\n".join(lines) + "\n"


def tasks(workflow: dict, run: str) -> list:
    """A task for each job and each combination of its matrix."""
    jobs = workflow["jobs"]

    def ids(name: str) -> list:
        many = combinations(jobs[name])
        return [f"{run}-{name}"] if many == [{}] else [f"{run}-{name}-{n}" for n in range(1, len(many) + 1)]

    all_tasks = []
    for name, job in jobs.items():
        unknown = [other for other in as_list(job.get("needs")) if other not in jobs]
        if unknown:
            sys.exit(f"job `{name}` needs `{unknown[0]}`, and there is no such job")
        for task_id, chosen in zip(ids(name), combinations(job)):
            all_tasks.append({
                "task_id": task_id,
                "group": run,
                "worker": "runner",
                "description": script(workflow, name, job, chosen),
                "depends_on": [other for need in as_list(job.get("needs")) for other in ids(need)],
                "timeout_s": job.get("timeout-minutes", 60) * 60,
            })
    return all_tasks


def koubou(*args: str, **how) -> subprocess.CompletedProcess:
    return subprocess.run(["koubou", *args], text=True, **how)


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit("usage: run_workflow.py WORKFLOW")
    workflow = read(Path(sys.argv[1]))
    # The name of the group, and the beginning of each id: no other run has it.
    name = re.sub(r"[^A-Za-z0-9_]+", "_", workflow.get("name", "run"))
    run = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    dropped = tasks(workflow, run)
    # All or none: nothing is dropped where one of them is wrong.
    koubou("--quiet", "submit", "-", input=json.dumps(dropped), check=True, stdout=subprocess.DEVNULL)
    code = koubou("wait", *(task["task_id"] for task in dropped)).returncode
    for task in dropped:
        shown = koubou("show", "--json", task["task_id"], check=True, capture_output=True).stdout
        result = json.loads(shown)
        error = result.get("error") or {}
        skipped = error.get("kind") == "dependency_failed"
        print(f"=== {task['task_id']}: {'skipped' if skipped else result['status']}")
        print(result.get("content") or "", end="")
        if error and not skipped:
            print((result.get("stderr") or error["message"]).rstrip("\n"))
    return code


if __name__ == "__main__":
    sys.exit(main())
