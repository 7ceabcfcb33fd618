"""A policy that needs no model: it moves to the right, fast or slowly."""

import numpy as np

from agent.episode import Action, Decision


class Creeper:
    """Asks for the same move whatever it sees, `actions` at a time, and notes what it was shown."""

    adapter = "base"

    def __init__(self, speed, actions=1):
        self.speed, self.actions, self.shown = speed, actions, []

    def seed(self, seed):
        pass

    def act(self, views, temperature):
        self.shown += [(view.time_s, float(view.proprio[0]), temperature) for view in views]
        move = Action(np.array([self.speed, 0, 0, 0, 0, 0], np.float32), 1.0)
        tokens, log_probs = np.zeros(0, np.int16), np.zeros(0, np.float32)
        answer = Decision((move,) * self.actions, tokens, log_probs, self.adapter, temperature)
        return (answer,) * len(views)
