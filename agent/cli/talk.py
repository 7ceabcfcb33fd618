"""Where the program's talk goes: to stderr as it is now."""

from __future__ import annotations

import logging
import sys


class Talk(logging.Handler):
    """Writes each record to whatever stderr is at that moment.

    A live picture on the terminal puts a stderr of its own there, which writes above the picture;
    what passes that by is painted over, and a person waits for a prompt that nobody saw.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record. Never raises."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # logging may not end what it tells of
            self.handleError(record)


def asked_for(record: logging.LogRecord) -> bool:
    """False for the one line that bitsandbytes says of kernels it does without."""
    return not str(record.msg).startswith("Failed to load CPU gemm_4bit_forward")
