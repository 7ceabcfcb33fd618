"""What is said on stderr, and what is not."""

import logging

import pytest

from agent.cli.talk import silence_unasked


@pytest.mark.parametrize(
    ("name", "line", "heard"),
    [
        ("backends.cpu.ops", "Failed to load CPU gemm_4bit_forward from kernels: %s", False),
        ("backends.cpu.ops", "The native library was not found", True),
        ("autograd._functions", "MatMul8bitLt: inputs will be cast from %s to float16", False),
        ("autograd._functions", "Some matrices hidden dimension is not a multiple of 4", True),
    ],
)
def test_two_lines_of_bitsandbytes_are_dropped_and_no_others(caplog, name, line, heard):
    silence_unasked()
    logging.getLogger(f"bitsandbytes.{name}").warning(line, *(["x"] if "%s" in line else []))
    assert bool(caplog.records) is heard
