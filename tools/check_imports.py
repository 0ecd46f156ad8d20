"""Keep start-up cheap: what may be imported for `import metaglean`, `--help` and `plugins`, and the
CPU time that the two commands take. Run it where at least one plugin is installed.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys

from repo import ROOT, load

HEAVY = (
    "pydantic",
    "pydantic_core",
    "requests",
    "urllib3",
    "rich",
    "yaml",
    "metaglean_domo",
    "opentelemetry",
)
PROBE = """
import sys
try:
    {code}
finally:
    sys.stdout.flush()
    sys.stderr.write("\\nMODULES " + " ".join(sorted(sys.modules)))
"""
COMMAND = "sys.argv[0] = 'metaglean'; import metaglean.cli; sys.exit(metaglean.cli.main())"
CASES = {
    "import metaglean": ("import metaglean", []),
    "metaglean --help": (COMMAND, ["--help"]),
    "metaglean plugins": (COMMAND, ["plugins"]),
    "metaglean catalog --help": (COMMAND, ["catalog", "--help"]),
    "metaglean plugins --json": (COMMAND, ["plugins", "--json"]),  # what a shell asks to complete
}
RUNS = 7


def modules(code: str, arguments: list[str]) -> set[str]:
    """The modules that stand imported after `code` has run in a fresh interpreter.

    Raises RuntimeError where it didn't end well.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(code=code), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    output, _, names = done.stderr.rpartition("MODULES ")
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode}: {output.strip() or done.stdout.strip()}")
    return set(names.split())


def cpu_seconds(code: str, arguments: list[str]) -> float:
    """The least CPU time of several runs, user and system."""
    times = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-c", f"import sys; {code}", *arguments],
            stdout=subprocess.DEVNULL,
            check=True,
            # A user's second start finds byte code; a run that may not write it never would.
            env={key: os.environ[key] for key in os.environ if key != "PYTHONDONTWRITEBYTECODE"},
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main() -> int:
    allowed = load(ROOT / "tools" / "budgets.toml")["cpu_seconds"]
    # What the interpreter itself imports (a .pth file of an editable install, say) is not ours.
    own = modules("pass", [])
    failed = False
    for name, (code, arguments) in CASES.items():
        heavy = sorted(
            {module.partition(".")[0] for module in modules(code, arguments) - own} & set(HEAVY)
        )
        seconds = cpu_seconds(code, arguments)
        limit = allowed.get(name)
        late = limit is not None and seconds > limit
        failed = failed or bool(heavy) or late
        verdict = f"imports {', '.join(heavy)}" if heavy else "imports nothing heavy"
        bound = f" (allowed {limit:.2f})" if limit is not None else ""
        print(f"{name}: {verdict}; {seconds:.3f} CPU-s{bound}{' TOO SLOW' if late else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
