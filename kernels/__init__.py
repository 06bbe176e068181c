"""The Jupyter kernel for tool programs, and the pool of kernels that the server runs programs in.

Rule: whoever starts a kernel or talks to one does so through here, and nobody else imports jupyter_client.  A kernel's
own process imports this package too, so nothing that only the server needs is loaded before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.settings import Settings
    from kernels.interface import Dialect, Kernel
    from kernels.pool import KernelPool

__all__ = ["dialect_of", "make_pool"]


def make_pool(settings: Settings) -> KernelPool:
    """The kernels of one server process, not started yet: its share of all that the settings ask for, rounded up."""
    from kernels.pool import KernelPool

    processes = 1 if settings.debug else settings.workers
    return KernelPool(
        _launch(settings),
        dialect_of(settings.kernel),
        size=-(-settings.kernels // processes),
        wait_seconds=settings.kernel_wait,
    )


def _launch(settings: Settings) -> Callable[[], Kernel]:
    if settings.kernel_gateway is None:
        from kernels.local import LocalKernels

        return LocalKernels(settings.kernel)
    from kernels.gateway import GatewayKernels

    return GatewayKernels(settings.kernel_gateway, settings.kernel_gateway_token, settings.kernel)


def dialect_of(kernel: str) -> Dialect:
    """How programs are put to kernels of the kernelspec ``kernel``."""
    from kernels.dialects import OWN_KERNEL, ToolPrograms

    if kernel == OWN_KERNEL:
        return ToolPrograms()
    from kernels.cpython import CPythonPrograms

    return CPythonPrograms()
