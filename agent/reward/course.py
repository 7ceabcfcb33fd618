"""A whole training: a model read or built, taught, and written to a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from agent.durable import publish_folder, remove_folder, storage_errors
from agent.errors import UsageError
from agent.reward.asking import Asker, Model
from agent.reward.lessons import Lessons
from agent.reward.tiny import TinySizes, borrow_tower, build_tiny
from agent.reward.training import Progress, Trainer, TrainSettings
from agent.reward.vlm_folder import load_vlm, save_vlm


@dataclass(frozen=True, slots=True)
class Course:
    """What to teach, and where what comes of it goes.

    model: folder to start from; None: a fresh small one, of which every weight must learn.
    policy: checkpoint that lends a fresh one its vision tower. half: keep the weights in float16.
    """

    out: Path
    model: Path | None = None
    policy: Path | None = None
    half: bool = False
    training: TrainSettings = field(default_factory=TrainSettings)


def teach(
    lessons: Lessons,
    held_out: Lessons | None,
    course: Course,
    on_progress: Callable[[Progress], None] = lambda _: None,
    stop_wanted: Callable[[], bool] = lambda: False,
) -> None:
    """Hold a course. Beside its folder, OUT.training has all that is needed to go on after a stop.

    It is taken up where it is found, and removed at the end. Raises UsageError where the folder
    exists already, DataError for a model or labels that are unfit or a training that diverges,
    Interrupted where a stop was wanted, StorageError.
    """
    out = course.out
    if course.model is not None and course.policy is not None:
        raise UsageError("--model or --tower wanted, found both; a model has its own eyes")
    if out.exists():
        raise UsageError(f"a new folder wanted for the judge, found one at {out}; choose another")
    model, processor = _beginner(course, lessons)
    trainer = Trainer(Asker(model, processor), lessons, held_out, course.training)
    state = out.with_name(f"{out.name}.training")
    with storage_errors(out.parent, "making"):
        out.parent.mkdir(parents=True, exist_ok=True)
    if state.is_file():
        trainer.resume(state)
    trainer.run(on_progress, lambda: trainer.save(state), stop_wanted=stop_wanted)
    beside = out.with_name(f"{out.name}.new")
    remove_folder(beside)
    with trainer.averaged():
        save_vlm(trainer.merged(), processor, beside, torch.float16 if course.half else None)
    publish_folder(beside, out)
    state.unlink(missing_ok=True)


def _beginner(course: Course, lessons: Lessons) -> tuple[Model, Model]:
    if course.model is not None:
        return load_vlm(course.model)
    if not course.training.full:
        raise UsageError("a fresh model has nothing for LoRA to adapt; give --full or --model")
    side = next(iter(lessons.images.values())).shape[1]
    model, processor = build_tiny(TinySizes(image_px=side, seed=course.training.seed))
    if course.policy is not None:
        borrow_tower(model, course.policy)
    return model, processor
