"""One real run on the point robot, and what an export of it is made with."""

import functools

import pytest

from agent.export.chosen import Choice, choose
from agent.export.folder import Job, export
from agent.export.formats import Wishes, make_format
from agent.export.source import open_source
from agent.store.reader import ZarrReader
from tests.whole_run import Run, told


@pytest.fixture(scope="session")
def point_run(point_checkpoint, tmp_path_factory):
    """A finished deployment of sixteen episodes, with an adapter that was kept."""
    folder = tmp_path_factory.mktemp("export") / "run"
    with Run(told(point_checkpoint, episodes=16, held_out=4), folder) as run:
        run.deploy()
    return folder


def send(run, name, out, choice=Choice(), wishes=Wishes(), *, skip_damaged=False, **more):  # noqa: B008
    """Export episodes of a run; gives what became of it."""
    source, reader = open_source(run), ZarrReader(run)
    job = Job(source.run, reader, choose(reader, choice), out, skip_damaged)
    return export(job, make_format(name, source, wishes), **more)


@pytest.fixture(scope="session")
def sent(point_run, tmp_path_factory):
    """The whole point run in a format, exported once and only looked at."""

    @functools.cache
    def once(name):
        out = tmp_path_factory.mktemp("sent") / name
        send(point_run, name, out)
        return out

    return once


@pytest.fixture(scope="session")
def episodes(point_run):
    """Every episode of the point run, as the store gives it."""
    reader = ZarrReader(point_run)
    return [reader.read(name) for name in reader.ids()]
