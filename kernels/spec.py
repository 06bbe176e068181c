"""The kernelspec of this project's kernel, ``tool-program``.

Rule: the server never needs it installed; installing is for other Jupyter front ends on the same machine.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

from kernels.dialects import OWN_KERNEL

NAME = OWN_KERNEL
_PROJECT = Path(__file__).resolve().parents[1]
_SPEC: dict[str, Any] = {
    "argv": [sys.executable, "-P", "-m", "kernels.kernel", "-f", "{connection_file}"],
    "display_name": "Tool program",
    "language": "python",
    "interrupt_mode": "signal",
    "env": {"PYTHONPATH": str(_PROJECT)},
    "metadata": {},
}


class Specs(KernelSpecManager):
    """All kernelspecs of this machine, and this project's own, whether or not one is installed under its name."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Raises jupyter_client.kernelspec.NoSuchKernel."""
        if kernel_name == OWN_KERNEL:
            return KernelSpec(**_SPEC)
        return super().get_kernel_spec(kernel_name)


def install(*, user: bool = False, prefix: str | None = None) -> str:
    """Installs the kernelspec for all users, for this one, or under ``prefix``; returns its folder.

    What it starts is this very interpreter and this copy of the project.  Raises OSError where it can't be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "kernel.json").write_text(json.dumps(_SPEC, indent=1) + "\n", "utf-8")
        # The folder's rights become those of the kernelspec, and a temporary folder is its owner's alone.
        Path(folder).chmod(0o755)
        return KernelSpecManager().install_kernel_spec(folder, OWN_KERNEL, user=user, prefix=prefix)
