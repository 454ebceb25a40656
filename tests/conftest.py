"""For every test: nothing may be left behind. And where all must run, a skipped test is a failed one."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.kernels import Lane
from tests.support.leftovers import MARK, everything
from tests.support.wait import wait_until

_SECONDS_TO_GO = 10.0  # as much as a busy machine needs; where all is gone at once nobody waits
_LANE = pytest.StashKey[Lane]()


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """No namespace, link, mount, process, descriptor or thread that was not there before."""
    if request.node.get_closest_marker("pure"):
        yield
        return
    before = everything()
    yield
    try:
        wait_until(lambda: everything() <= before, _SECONDS_TO_GO)
    except AssertionError:
        pytest.fail("left behind:\n" + "\n".join(sorted(everything() - before)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-goldens", action="store_true", help="write the expected texts of tests/plan/wrong anew")


@pytest.fixture(scope="session", autouse=True)
def history_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever runs the tests keeps their shell's history as it is, and the tests are not offered lines of it."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


def pytest_configure(config: pytest.Config) -> None:
    # nohup and a shell's background jobs ignore these, and so would all labs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in signal.SIGHUP, signal.SIGQUIT:
        signal.signal(number, signal.SIG_DFL)
    os.environ[MARK] = f"{os.getpid()}-{os.urandom(4).hex()}"
    config.stash[_LANE] = Lane()
    if config.getoption("--write-goldens") and (os.environ.get("CI") or os.environ.get("PYNETEMU_REQUIRE_ALL")):
        raise pytest.UsageError("--write-goldens takes whatever is told for right: never in CI")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Leaves out what is for the other kind of user, benchmarks that nobody asked for, and what is for another kernel.

    `./dev test` as root runs it all; what is `pure` is the same for both kinds of user, and is run once.
    """
    for item in items:
        if item.path.parent.name in ("draw", "plan", "topology"):
            item.add_marker("pure")
    unwanted = {"ordinary_user" if os.getuid() == 0 else "root"}
    if "benchmark" not in config.option.markexpr:
        unwanted.add("benchmark")
    if os.environ.get("PYNETEMU_PURE_IS_DONE"):
        unwanted.add("pure")
    if not os.environ.get("PYNETEMU_LONG"):
        unwanted.add("long")
    left_out = [item for item in items if any(item.get_closest_marker(marker) for marker in unwanted)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    yield
    config.stash[_LANE].leave_out(config, items)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    session.config.stash[_LANE].finish(session, exitstatus, reporter)
    if os.environ.get("PYNETEMU_PURE_IS_DONE") and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK
    if not os.environ.get("PYNETEMU_REQUIRE_ALL"):
        return
    skipped = len(reporter.stats.get("skipped", []))
    if skipped and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        reporter.write_line(f"\n{skipped} tests were skipped, and here all must run", red=True)
        session.exitstatus = pytest.ExitCode.INTERRUPTED  # another status than that of failed tests, which CI may try once more
