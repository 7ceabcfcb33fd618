"""Every error this project raises on purpose, and the exit code each one ends a command with.

    VlarlError                  1
      UsageError                2   wrong settings, names or flags
      DataError                 3   a file, checkpoint, adapter or episode that cannot be used
      RobotFault                4   a robot or its bridge
      RewardUnavailable         5   a judge that does not answer
      StorageError              6   a full or broken disk
      SafetyStop                7   a limit was met and the robot was stopped
        NoMove                  7   the policy answered with what is no move
      Interrupted             130   a person or the system asked to stop

A message says what was wanted, what was found and what to do.
"""

from __future__ import annotations

from typing import ClassVar


class VlarlError(Exception):
    """Anything this project refuses on purpose."""

    exit_code: ClassVar[int] = 1


class UsageError(VlarlError):
    """The command was given something it cannot work with."""

    exit_code: ClassVar[int] = 2


class DataError(VlarlError):
    """A file, checkpoint, adapter or episode cannot be used."""

    exit_code: ClassVar[int] = 3


class RobotFault(VlarlError):
    """The robot, its simulator or its bridge failed."""

    exit_code: ClassVar[int] = 4


class RewardUnavailable(VlarlError):
    """The judge did not answer."""

    exit_code: ClassVar[int] = 5


class StorageError(VlarlError):
    """The disk is full, read-only or broken."""

    exit_code: ClassVar[int] = 6


class SafetyStop(VlarlError):
    """A limit was met and the robot was brought to rest."""

    exit_code: ClassVar[int] = 7


class NoMove(SafetyStop):
    """The policy answered with what is no move; the robot was brought to rest."""


class Interrupted(VlarlError):
    """A person or the system asked the agent to stop."""

    exit_code: ClassVar[int] = 130
