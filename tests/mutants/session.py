"""One process that has collected the tests of a room, and forks for each mutant."""

from __future__ import annotations

import ast
import faulthandler
import importlib
import math
import os
import pickle
import resource
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.patch import NotPatchedError, patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.mutants.mutation import Mutant

KILLED, SURVIVED, NOT_PATCHED = 1, 0, 3
MEMORY: Final = 6 * 2**30
"""Bytes that a mutant's process may take: one that collects for ever shall not take the machine's."""
MOST_SECONDS: Final = {True: 20.0, False: 60.0}
"""Seconds of tests for one mutant, the fastest first, by whether they are certain. On a busy machine, tests on a real
clock take longer."""
LONGEST: Final = 20.0
"""Seconds that a test on a real clock may take, besides five times what it takes without a mutant."""
LONGEST_CPU: Final = 10
"""Seconds of the processor that any other test may take, besides six times what it takes without a mutant. It may be
the first one that needs a fixture for several tests, which another test has paid for without a mutant."""


@dataclass(slots=True)
class Baseline:
    """What the tests do without any mutant.

    :param seconds: of each test that passes.
    :param tests: which tests run a line, by file and line.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[str, dict[int, set[str]]] = field(default_factory=dict)

    def covering(self, mutant: Mutant, root: Path, files: Sequence[str], users: set[str]) -> list[str]:
        """List the tests that run a mutant's line, fastest first.

        Where it runs at import, they are those that run any line of its file, or use the module themselves.

        :param files: whose tests have to notice.
        :param users: the tests whose own file uses the module.
        """
        lines = self.tests.get(str(root / mutant.path), {})
        if isinstance(mutant.outer, ast.FunctionDef | ast.AsyncFunctionDef):
            span = range(mutant.outer.lineno, (mutant.outer.end_lineno or 0) + 1)
            found = lines.get(mutant.line, set()) & self.seconds.keys()
            found = found or {test for line in span for test in lines.get(line, ())}
        else:
            # The first test that needs the module has imported it.
            found = {test for tests in lines.values() for test in tests} | users
        chosen = {test for test in found & self.seconds.keys() if test.partition("::")[0] in files}
        return sorted(chosen, key=lambda test: (self.seconds[test], test))


@dataclass(slots=True)
class Result:
    """What became of one mutant.

    :param killer: test that has failed; empty where none has, ``timeout`` where they did not end.
    """

    mutant: Mutant
    killer: str
    tests: int
    is_patched: bool = True


class Session:
    """Plugin that runs mutants in place of pytest's own loop.

    :param mutants: of the room.
    :param trees: the syntax tree of each file.
    :param about: the test files that have to notice a change in each file.
    :param on_result: takes each result.
    """

    def __init__(
        self,
        root: Path,
        mutants: Sequence[Mutant],
        trees: dict[str, ast.Module],
        about: Mapping[str, Sequence[str]],
        on_result: Callable[[Result], None],
        *,
        jobs: int,
        is_certain: bool,
    ) -> None:
        self._root = root
        self._mutants = mutants
        self._trees = trees
        self._about = about
        self._on_result = on_result
        self._jobs = jobs
        self._is_certain = is_certain
        self._items: dict[str, pytest.Item] = {}
        self.error = ""

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests once to learn which run which line, then some of them for each mutant."""
        self._items = {item.nodeid: item for item in session.items}
        baseline: Baseline = _in_a_child(self._measure)
        if failed := len(self._items) - len(baseline.seconds):
            names = [name for name in self._items if name not in baseline.seconds]
            print(f"{failed} tests are skipped or fail without any mutant and are left out: {', '.join(names[:5])}")
        print(f"{len(baseline.seconds)} tests, {sum(baseline.seconds.values()):.0f} s", flush=True)
        if not baseline.seconds:
            self.error = "no test passes without any mutant"
            return True
        running: dict[int, _Child] = {}
        try:
            self._play(running, baseline)
        finally:
            # Whoever interrupts the run leaves no process behind.
            for pid in running:
                os.kill(pid, signal.SIGKILL)
        return True

    def _play(self, running: dict[int, _Child], baseline: Baseline) -> None:
        waiting = list(reversed(self._mutants))
        while waiting or running:
            while waiting and len(running) < self._jobs:
                child = self._begin(waiting.pop(), baseline)
                running[child.pid] = child
            for child in _ended(running):
                del running[child.pid]
                self._on_result(child.result())

    def _measure(self) -> Baseline:
        found = Baseline()
        files = sorted({str(self._root / mutant.path) for mutant in self._mutants})
        measured = coverage.Coverage(data_file=None, config_file=False, include=files)
        # A machine that does something else meanwhile makes no test of pure code longer.
        clock = time.process_time if self._is_certain else time.perf_counter
        measured.start()
        for item, following in _in_order(list(self._items.values())):
            measured.switch_context(item.nodeid)
            began = clock()
            if _passes(item, following):
                found.seconds[item.nodeid] = clock() - began
        measured.stop()
        data = measured.get_data()
        for file in files:
            found.tests[file] = {line: set(tests) for line, tests in data.contexts_by_lineno(file).items()}
        return found

    def _begin(self, mutant: Mutant, baseline: Baseline) -> _Child:
        chosen: list[str] = []
        seconds, most = 0.0, MOST_SECONDS[self._is_certain]
        for name in baseline.covering(mutant, self._root, self._about[mutant.path], self._users(mutant.path)):
            seconds += baseline.seconds[name]
            if chosen and seconds > most:
                break
            chosen.append(name)
        read_end, write_end = os.pipe()
        if pid := os.fork():
            os.close(write_end)
            return _Child(mutant, pid, read_end, len(chosen), time.monotonic() + 30 + 5 * min(seconds, most))
        os.close(read_end)
        with suppress(BaseException):
            self._run(mutant, {name: baseline.seconds[name] for name in chosen}, write_end)
        os._exit(KILLED)

    def _users(self, path: str) -> set[str]:
        """List the tests in whose file a name stands for a module, or for what it defines."""
        name = _module_name(path)
        return {
            test
            for test, item in self._items.items()
            if isinstance(item, pytest.Function) and name in _used_modules(item.module)
        }

    def _run(self, mutant: Mutant, chosen: dict[str, float], said: int) -> None:
        """Run tests in a child until one fails; never returns.

        :param chosen: tests, with the seconds that each takes without a mutant.
        """
        _quiet()
        module = importlib.import_module(_module_name(mutant.path))
        try:
            patch(mutant, self._trees[mutant.path], module)
        except NotPatchedError:
            os._exit(NOT_PATCHED)
        for item, following in _in_order([self._items[name] for name in chosen]):
            if self._is_certain:
                _limit_cpu(LONGEST_CPU + 6 * chosen[item.nodeid])
            else:
                # Ends the process also where a mutant loops without ever letting another thread run.
                faulthandler.dump_traceback_later(LONGEST + 5 * chosen[item.nodeid], exit=True)
            if _passes(item, following) or (not self._is_certain and _passes(item, following)):
                continue
            os.write(said, item.nodeid.encode())
            os._exit(KILLED)
        os._exit(SURVIVED)


@dataclass(slots=True)
class _Child:
    mutant: Mutant
    pid: int
    said: int
    tests: int
    until: float
    code: int | None = None
    is_late: bool = False

    def poll(self) -> bool:
        """Whether it has ended; one that is late is ended."""
        if time.monotonic() > self.until:
            self.is_late = True
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def result(self) -> Result:
        killer = os.read(self.said, 4096).decode() if self.code == KILLED else ""
        os.close(self.said)
        if self.is_late:
            killer = "timeout"
        elif self.code not in {SURVIVED, NOT_PATCHED} and not killer:
            killer = f"exit {self.code}"
        return Result(self.mutant, killer, self.tests, is_patched=self.code != NOT_PATCHED)


def _module_name(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


@cache
def _used_modules(tests: ModuleType) -> set[str]:
    values = vars(tests).values()
    return {value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "") for value in values}


def _ended(running: dict[int, _Child]) -> list[_Child]:
    while True:
        if ended := [child for child in running.values() if child.poll()]:
            return ended
        time.sleep(0.005)


def _in_order(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Give each test with the next one, which says what of its fixtures stays."""
    yield from zip(items, [*items[1:], None], strict=True)


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=following)
    return all(report.passed or (report.skipped and hasattr(report, "wasxfail")) for report in reports)


def _quiet() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _limit_cpu(seconds: float) -> None:
    """End this process after so many further seconds of the processor: a mutant may loop for ever."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime + seconds), hard))


def _in_a_child(work: Callable[[], Any]) -> Any:
    """Do something in a fork, so that no thread or server of a test is left in this process."""
    read_end, write_end = os.pipe()
    if not (pid := os.fork()):
        os.close(read_end)
        _quiet()
        with os.fdopen(write_end, "wb") as pipe:
            pickle.dump(work(), pipe)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        value = pickle.load(pipe)  # noqa: S301 - what this program's own child has written
    os.waitpid(pid, 0)
    return value
