"""A whole run on the point robot: real policy, store, ledger and learner in one folder."""

from dataclasses import replace

from agent.cli.build import make_aligner, make_cards, make_parts
from agent.deployment import deploy
from agent.episode import Verdict
from agent.registry import make_robot
from agent.session import Acted, Session, Updated
from agent.settings import Settings
from agent.store.run import create_run
from benchmarks.point_session import ROBOT


def told(checkpoint, learn=None, gate=None, align=0, **run):
    """Settings of a short run that learns every eight episodes and keeps every candidate."""
    return Settings.model_validate(
        {
            "run": {"episodes": 24, "minutes": 5.0, "held_out": 10, "seed": 3, **run},
            "robot": {"name": ROBOT},
            "policy": {"checkpoint": str(checkpoint)},
            "align": {"episodes": align},
            "learn": {
                "every_episodes": 8,
                "warmup_episodes": 4,
                "learning_rate": 3e-3,
                "rank": 4,
                "kl_stop": 1.0,
                **(learn or {}),
            },
            "gate": {"max_kl": 50.0, "max_forgetting": 50.0, **(gate or {})},
        }
    )


class Run:
    """One run folder, opened anew for each `with`."""

    def __init__(self, settings, folder, stop=lambda: False):
        self.settings, self.folder, self.events, self.stop = settings, folder, [], stop
        if not (folder / "run.json").exists():
            create_run(folder, settings.model_dump(mode="json"), {})

    def __enter__(self):
        self.robot = make_robot(self.settings.robot)
        parts = make_parts(self.settings, self.folder, self.robot)
        self.parts = replace(parts, aligner=make_aligner(self.settings, parts.policy))
        self.session = Session(
            self.settings,
            self.parts,
            make_cards(self.settings, self.robot),
            self.events.append,
            self.stop,
        )
        try:
            self.session.open()
        except BaseException:
            self.parts.store.close()
            raise
        return self

    def __exit__(self, *_):
        self.parts.store.close()

    def act(self):
        """Act and learn to the last episode."""
        self.session.run(float("inf"))
        return self

    def deploy(self):
        """Score, act and learn, score again."""
        cards = make_cards(self.settings, self.robot)
        return deploy(self.settings, self.folder, self.parts, cards, self.events.append, self.stop)

    @property
    def episodes(self):
        """What was acted, in order."""
        return [event.scored for event in self.events if isinstance(event, Acted)]

    @property
    def reports(self):
        """What became of each update, in order."""
        return [event.report for event in self.events if isinstance(event, Updated)]

    @property
    def won(self):
        """Whether each episode succeeded."""
        return [scored.signal.verdict is Verdict.SUCCESS for scored in self.episodes]


def weights(folder):
    """Every tensor file of a run's adapters, by its place."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted((folder / "adapters").rglob("*.safetensors"))
    }
