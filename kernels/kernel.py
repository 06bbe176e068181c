"""``python -m kernels.kernel -f CONNECTION_FILE``: a Jupyter kernel whose cells are tool programs.

Rule: every request is a fresh session of the interpreter, so nothing of one is ever seen by the next.  The server
puts its programs through ``user_expressions`` (``kernels/dialects.py``) and nothing is published then; to any other
front end the kernel shows what the cell printed and the calls that it made.
"""

from __future__ import annotations

import ast
import platform
import secrets
from datetime import UTC, datetime
from typing import Any, cast

from ipykernel._version import kernel_protocol_version
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

from emulator import __version__
from emulator.runs import Outcome, ProgramRun, RunError
from kernels.cells import call_text, completeness, tool_call, tools_of
from kernels.dialects import EXPRESSION, report_of, run_of
from kernels.interface import Content
from kernels.program import Programs

_HISTORY = 1024
"""Signatures of messages that are remembered against replay; Jupyter's 65,536 are 10 MB that come slowly."""


class ToolProgramKernel(Kernel):
    """Runs a cell as a tool program.

    An interrupt takes effect when the interpreter comes back to Python: at a call of a tool, or at its time limit.
    """

    implementation = "tool-program"
    implementation_version = __version__
    banner = "Tool programs: functions that nobody defines are tools, whose calls are shown and not made."
    language_info = {  # noqa: RUF012 - as the base class declares it
        "name": "python",
        "version": platform.python_version(),
        "mimetype": "text/x-python",
        "file_extension": ".py",
        "pygments_lexer": "python3",
        "codemirror_mode": {"name": "python", "version": 3},
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # The wait is for output on its way to the client, which would be half of what a program takes.
        self._execute_sleep = 0.0
        cast(Any, self.session).digest_history_size = _HISTORY
        self._programs = Programs()

    @property
    def kernel_info(self) -> Content:
        """The base class's, without the debugger that it would load to see whether there is one."""
        return {
            "protocol_version": kernel_protocol_version,
            "implementation": self.implementation,
            "implementation_version": self.implementation_version,
            "language_info": self.language_info,
            "banner": self.banner,
            "help_links": [],
            "supported_features": [],
        }

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: dict[str, str] | None = None,
        allow_stdin: bool = False,
        *,
        cell_meta: object = None,
        cell_id: object = None,
    ) -> Content:
        """The content of the execute_reply."""
        asked = (user_expressions or {}).get(EXPRESSION)
        try:
            return self._cell(code, silent=silent) if asked is None else self._program(run_of(code, asked))
        except KeyboardInterrupt:
            return self._failed("KeyboardInterrupt", "interrupted", silent=silent)
        except Exception as error:  # noqa: BLE001 - an exception without a reply would leave the client waiting
            return self._failed(type(error).__name__, str(error), silent=silent)

    async def do_is_complete(self, code: str) -> Content:
        status = completeness(code)
        return {"status": status, "indent": "    "} if status == "incomplete" else {"status": status}

    async def do_shutdown(self, restart: bool) -> Content:
        self._programs.close()
        return {"status": "ok", "restart": restart}

    def _program(self, run: ProgramRun) -> Content:
        try:
            expressions = report_of(self._programs.run(run))
        except (ValueError, RecursionError) as error:
            reason = f"what the program passes to its tools can't be written as JSON: {error}"
            expressions = report_of(Outcome("error", error=RunError("ValueError", reason)))
        return self._done(expressions)

    def _cell(self, code: str, *, silent: bool) -> Content:
        from emulator.code.schedule import Scheduler

        tree = ast.parse(code)
        tools = tools_of(tree)
        run = ProgramRun(
            source=Scheduler(tools).add(tree.body).source,
            tools=tools,
            clock=datetime.now(UTC).isoformat(),
            seed=secrets.token_hex(8),
        )
        outcome = self._programs.run(run)
        if not silent:
            self._show(outcome)
        if outcome.error is not None:
            return self._failed(outcome.error.type, outcome.error.message, silent=silent)
        return self._done({})

    def _show(self, outcome: Outcome) -> None:
        if outcome.output and outcome.end != "paused":
            self._publish("stream", {"name": "stdout", "text": outcome.output})
        if outcome.calls:
            data = {
                "text/plain": "\n".join(call_text(call) for call in outcome.calls),
                "application/json": [tool_call(call, index) for index, call in enumerate(outcome.calls)],
            }
            self._publish("display_data", {"data": data, "metadata": {}, "transient": {}})
        if outcome.value is not None and outcome.end == "done":
            data = {"text/plain": outcome.value}
            self._publish("execute_result", {"data": data, "metadata": {}, "execution_count": self.execution_count})

    def _publish(self, message: str, content: Content) -> None:
        self.send_response(self.iopub_socket, message, content)

    def _done(self, expressions: Content) -> Content:
        return {
            "status": "ok",
            "execution_count": self.execution_count,
            "payload": [],
            "user_expressions": expressions,
        }

    def _failed(self, kind: str, message: str, *, silent: bool) -> Content:
        error = {"ename": kind, "evalue": message, "traceback": [f"{kind}: {message}"]}
        if not silent:
            self._publish("error", error)
        return {"status": "error", "execution_count": self.execution_count, **error}


class KernelApp(IPKernelApp):
    """IPython's start without what is IPython's: no profile, nobody's configuration, no threads for subshells."""

    def load_config_file(self, *args: Any, **kwargs: Any) -> None:
        pass

    def init_profile_dir(self) -> None:
        self.profile_dir = None

    def init_path(self) -> None:
        pass

    def init_pdb(self) -> None:
        pass

    def init_control(self, context: Any) -> None:
        super().init_control(context)
        self.shell_channel_thread = None


if __name__ == "__main__":
    KernelApp.launch_instance(kernel_class=ToolProgramKernel, outstream_class=None)
