"""The settings say which kernels there are and where, and every server process gets its share of them."""

from __future__ import annotations

import pytest

from emulator.settings import Settings
from kernels import make_pool
from kernels.cpython import CPythonPrograms
from kernels.dialects import ToolPrograms
from tests.kernels.samples import asked, asking, until


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        (Settings(kernels=3, workers=2), 2),
        (Settings(kernels=1, workers=4), 1),
        (Settings(kernels=3, workers=4, debug=True), 3),
    ],
)
def test_a_process_has_its_share_of_the_kernels(settings: Settings, size: int) -> None:
    pool = make_pool(settings)
    try:
        assert pool.run(asking("Paris")) == asked("Paris")
        until(lambda: pool.ready == size)
    finally:
        pool.close()


def test_another_kernelspec_is_spoken_to_as_python() -> None:
    assert isinstance(make_pool(Settings()).dialect, ToolPrograms)
    assert isinstance(make_pool(Settings(kernel="python3")).dialect, CPythonPrograms)


def test_a_gateway_s_kernels_speak_the_same_dialect() -> None:
    pool = make_pool(Settings(kernel_gateway="http://127.0.0.1:9", kernel_gateway_token="token"))
    assert isinstance(pool.dialect, ToolPrograms)
