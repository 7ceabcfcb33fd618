"""Runs a simulated Franka until it is told to stop: python -m sim.franka --help."""

from __future__ import annotations

import logging
import signal
import sys
import threading

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from agent.errors import RobotFault, VlarlError
from sim.franka.body import Body
from sim.franka.cell import Cell
from sim.franka.command import body_of, cell_of
from sim.franka.eyes import Eyes
from sim.franka.node import SimulatedFranka

log = logging.getLogger("sim.franka")


def main() -> None:
    """Read the command line, run, and end with a documented exit code."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("OpenGL").setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        cell = cell_of(remove_ros_args(sys.argv)[1:])
        run(cell, body_of(cell), stop)
    except VlarlError as error:
        sys.stderr.write(f"simulated Franka: {error}\n")
        sys.exit(error.exit_code)


def run(cell: Cell, body: Body, stop: threading.Event) -> None:
    """Live until told to stop. Raises RobotFault where arm or cameras died by themselves."""
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    executor = SingleThreadedExecutor()
    arm = SimulatedFranka(cell, body)
    noise = cell.shifts.get("noise", 0.0)
    eyes = Eyes(body, arm.loop, arm.show, cell.camera_hz, noise, tuple(cell.cameras))
    executor.add_node(arm.node)
    hearing = threading.Thread(target=_spin, args=(executor, stop), name="ros", daemon=True)
    try:
        arm.start(stop.set)
        eyes.start(stop.set)
        hearing.start()
        log.info("%s backend, namespace %r: ready", cell.backend, cell.namespace)
        stop.wait()
    finally:
        eyes.close()
        executor.shutdown(timeout_sec=1.0)
        hearing.join(1.0)
        arm.close()
        rclpy.try_shutdown()
    if (error := arm.loop.error or eyes.error) is not None:
        raise RobotFault(f"a simulated arm that lives wanted, found {error}") from error


def _spin(executor: SingleThreadedExecutor, stop: threading.Event) -> None:
    try:
        executor.spin()
    except ExternalShutdownException:
        pass
    finally:
        stop.set()


if __name__ == "__main__":
    main()
