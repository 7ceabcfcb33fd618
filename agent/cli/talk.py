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


# By the logger: the first of kernels that it does without, the second at every product in 8 bits.
UNASKED = {
    "bitsandbytes.backends.cpu.ops": "Failed to load CPU gemm_4bit_forward",
    "bitsandbytes.autograd._functions": "MatMul8bitLt: inputs will be cast",
}


def silence_unasked() -> None:
    """Drop two lines of bitsandbytes, which peft imports wherever it is installed; no others."""
    for name in UNASKED:
        logging.getLogger(name).addFilter(_asked_for)


def _asked_for(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(UNASKED[record.name])
