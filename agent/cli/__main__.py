"""The command line as `python -m agent.cli`, for launch files and service managers."""

from agent.cli import main

main()
