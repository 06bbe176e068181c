"""Real kernels for the tests, gone with the test that asked for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from kernels.dialects import ToolPrograms
from kernels.local import LocalKernel, LocalKernels
from kernels.pool import KernelPool

MakePool = Callable[..., tuple[KernelPool, list[LocalKernel]]]


@pytest.fixture
def kernel() -> Iterator[LocalKernel]:
    """A started kernel of this project."""
    made = LocalKernels()()
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def make_pool() -> Iterator[MakePool]:
    """``make_pool(size=…, name=…, wait_seconds=…)`` starts a pool; the list grows with every kernel that it makes."""
    with ExitStack() as stack:

        def make(
            size: int = 2, name: str = "tool-program", wait_seconds: float = 30.0
        ) -> tuple[KernelPool, list[LocalKernel]]:
            new, made = LocalKernels(name), list[LocalKernel]()

            def launch() -> LocalKernel:
                made.append(new())
                return made[-1]

            pool = KernelPool(launch, ToolPrograms(), size=size, wait_seconds=wait_seconds)
            stack.callback(pool.close)
            pool.start()
            return pool, made

        yield make
