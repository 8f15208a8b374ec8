"""A pytest that has loaded all tests, and runs those it is asked for in a fork of itself.

A plugin: `python -m pytest -p tests.mutants.forks …`. Imports and collection are paid
once; a mutant is then a fork, in which one function gets other code. Requests come as
lines of JSON on one pipe, and answers go out on another.
"""

import contextlib
import functools
import gc
import importlib
import inspect
import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final, TextIO

import coverage
import pytest

REQUESTS: Final = "MUTANTS_REQUESTS"
ANSWERS: Final = "MUTANTS_ANSWERS"
"""Name the environment variables with the numbers of the two pipes."""

MODULES: Final = "MUTANTS_MODULES"
"""Names the one with modules to load, which the tests load as late as they are wanted."""

PACKAGES: Final = ("anchoring", "credentials", "did", "primitives", "tests")
"""Whose results are not to be remembered from one process to the next."""

_PIPES: Final[list[TextIO]] = []
"""Open to the end: a fork that closed one would be told so as a fault of its last test."""

Functions = Mapping[tuple[str, str], list[FunctionType]]
"""Those in memory, by file and name."""


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Run what is asked for, each request in a process of its own."""
    requests = os.fdopen(int(os.environ[REQUESTS]))
    answers = os.fdopen(int(os.environ[ANSWERS]), "w")
    _PIPES.extend((requests, answers))
    items = {item.nodeid: item for item in session.items}
    for name in os.environ.get(MODULES, "").split():
        importlib.import_module(name)
    functions, caches = _in_memory(str(session.config.rootpath))
    gc.collect()
    gc.freeze()  # a fork that collects garbage would copy all of it
    tell(answers, ready=sorted(items), failed=session.testsfailed)
    for line in requests:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            tell(answers, process=os.getpid())
            for cache in caches:
                cache.cache_clear()
            chosen = [items[name] for name in request["tests"] if name in items]
            with _prepared(request, functions) as enter:
                tell(answers, possible=enter is not None)
                if enter is not None:
                    _run(session, chosen, answers, enter, at_most=request["failures"])
            return True  # pytest takes down what the tests have set up
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # what a test has started ends with it
        tell(answers, over=status)
    return True


def tell(answers: TextIO, **members: Any) -> None:
    """Write one answer."""
    answers.write(json.dumps(members) + "\n")
    answers.flush()


@contextlib.contextmanager
def _prepared(
    request: Mapping[str, Any], functions: Functions
) -> Iterator[Callable[[str], object] | None]:
    """Do what a request wants done around its tests.

    It has `change` (file, function, source), or `append` (file, text), or `watch` (a file
    for what is found, and `files`, those to watch), or none, for the tests as they are.

    Yields:
        What to call with the name of each test as it begins; None if the change cannot
        be made.
    """
    if "watch" in request:
        watch = coverage.Coverage(
            data_file=None, config_file=False, include=request["files"]
        )
        watch.start()
        yield watch.switch_context
        watch.stop()
        data = watch.get_data()
        found = {file: data.contexts_by_lineno(file) for file in data.measured_files()}
        Path(request["watch"]).write_text(json.dumps(found))
    elif "append" in request:
        append(*request["append"])
        yield lambda _: None
    elif "change" in request and not transplant(functions, *request["change"]):
        yield None
    else:
        yield lambda _: None


def _run(
    session: pytest.Session,
    chosen: list[pytest.Item],
    answers: TextIO,
    enter: Callable[[str], object],
    *,
    at_most: int,
) -> None:
    failures = 0
    for item, following in zip(chosen, [*chosen[1:], None], strict=True):
        tell(answers, begun=item.nodeid)
        enter(item.nodeid)
        before = time.perf_counter()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        tell(answers, ended=item.nodeid, seconds=time.perf_counter() - before)
        if session.testsfailed:
            session.testsfailed = 0
            failures += 1
            tell(answers, failed=item.nodeid)
            if failures >= at_most:
                return


def _in_memory(root: str) -> tuple[Functions, list[Any]]:
    """Return the functions of the tree, and what remembers results of theirs."""
    functions: dict[tuple[str, str], list[FunctionType]] = defaultdict(list)
    caches: list[Any] = []
    for found in gc.get_objects():
        if type(found) is FunctionType:
            code = found.__code__
            if code.co_filename.startswith(root):
                functions[code.co_filename, plain(code)].append(found)
        elif isinstance(found, functools._lru_cache_wrapper):
            wrapped = inspect.unwrap(found)
            if getattr(wrapped, "__module__", "").startswith(PACKAGES):
                caches.append(found)
    return functions, caches


def plain(code: CodeType) -> str:
    """Return the name of a function as the table has it."""
    return code.co_qualname.replace(".<locals>", "")


def transplant(functions: Functions, file: str, name: str, source: str) -> bool:
    """Give a function in memory the code that `source` has for it.

    Returns:
        Whether that was possible. It is not for what a module does while it is loaded.
    """
    known = _codes(compile(source, file, "exec", dont_inherit=True))
    parts = name.split(".")
    prefixes = [".".join(parts[: i + 1]) for i in range(len(parts))]
    outermost = next((prefix for prefix in prefixes if prefix in known), "")
    live = functions.get((file, outermost), [])
    if len(known.get(outermost, [])) != 1 or not live:
        return False
    (code,) = known[outermost]
    if any(each.__code__.co_freevars != code.co_freevars for each in live):
        return False
    for each in live:
        each.__code__ = code
    return True


def append(file: str, text: str) -> None:
    """Run `text` as the last lines of a module that is loaded.

    A dictionary that they put in another's place is what others have imported already.
    """
    (module,) = (m for m in [*sys.modules.values()] if vars(m).get("__file__") == file)
    names = vars(module)
    before = {name: value for name, value in names.items() if isinstance(value, dict)}
    exec(compile(text, file, "exec"), names)
    for name, value in before.items():
        if names[name] is not value:
            value.update(names[name])
            names[name] = value


def _codes(module: CodeType) -> dict[str, list[CodeType]]:
    """Return the functions of a module by their names, and not its classes."""
    found: dict[str, list[CodeType]] = defaultdict(list)
    pending = [module]
    while pending:
        for each in pending.pop().co_consts:
            if isinstance(each, CodeType):
                pending.append(each)
                if each.co_flags & inspect.CO_OPTIMIZED:
                    found[plain(each)].append(each)
    return found
