"""The command line, ``python app.py``, and ``app:create_app()`` for any other WSGI server.

Exit codes: 0 stopped, 1 can't serve, 2 a wrong flag or variable, 130 Ctrl-C before serving.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

from emulator.errors import EmulatorError
from emulator.logs import configure_logging
from emulator.server import build_app, serve
from emulator.settings import Settings, SettingsError
from emulator.startup import StartError, bind, check_profiles, check_upstream

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> Flask:
    """The app with settings from the environment and ``.env``; raises SettingsError where they don't suffice."""
    settings = Settings.load()
    if settings.base_url is None:
        raise SettingsError("EMULATOR_BASE_URL is not set; only python app.py runs a model on this machine.")
    return build_app(settings)


def main(argv: Sequence[str]) -> int:
    """Serve until stopped, with the flags ``argv``; returns the exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        _run(Settings.load(argv))
    except SettingsError as error:
        return _fail(str(error), 2)
    except (StartError, EmulatorError) as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _run(settings: Settings) -> None:
    check_profiles(settings)
    try:
        configure_logging(settings)
    except OSError as error:
        raise StartError(f"--log-dir: no log can be written to {settings.log_dir} ({error.strerror}).") from None
    with bind(settings) as bound, ExitStack() as running:
        if settings.base_url is None:
            from emulator.upstream.local import LocalModel

            model = running.enter_context(LocalModel.start(settings))
            settings = replace(
                settings,
                base_url=model.base_url,
                api_key=model.api_key,
                model=settings.model or model.name,
                local_model=model.name,
            )
        elif settings.check:
            check_upstream(settings)
        serve(settings, bound)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM while starting: leave by the ordinary way, so that a model on this machine ends too."""
    sys.exit(143)


def _fail(sentence: str, code: int) -> int:
    print(f"app.py: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
