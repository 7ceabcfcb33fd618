"""Episodes sealed for a test, and where their arrays lie."""

from benchmarks.seeded_episodes import ADAPTER, seeded


def seal(store, seed=1, decisions=12, **extra):
    content = seeded(seed, decisions)
    recording = store.begin(content.task, ADAPTER, 1.0, extra=extra)
    for step in content.steps:
        recording.append(step)
    recording.finish(content.last, content.ending)
    recording.seal(content.signal)
    return recording.id


def data(run, name="000001"):
    return run / "episodes" / name / "data.zarr"
