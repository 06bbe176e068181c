"""One tree of errors: what went wrong, whose fault it is, and how OpenAI would say it.

Foreign errors are translated once, in the adapter that meets them; one handler renders these as a
response body or, once a stream has begun, as the stream's last event.
"""

from __future__ import annotations

from collections.abc import Mapping


class EmulatorError(Exception):
    """The root. ``status`` is the HTTP status; ``type``, ``code`` and ``param`` are OpenAI's words."""

    status = 500
    type = "server_error"
    code: str | None = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        # What it quotes may hold lone surrogates, which no answer can carry.
        whole = (f"{message} {hint}" if hint else message).encode("utf-8", "backslashreplace").decode()
        super().__init__(whole)
        self.message = whole
        self.param = param
        self.headers: dict[str, str] = dict(headers or {})
        if code is not None:
            self.code = code

    def body(self) -> dict[str, object]:
        """OpenAI's error body."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class InvalidRequest(EmulatorError):
    """The client's request can't be served as it is; ``param`` is the path of the part that is wrong."""

    status = 400
    type = "invalid_request_error"
    code = None


class RequestTooLarge(InvalidRequest):
    status = 413
    code = "request_too_large"


class NotFound(InvalidRequest):
    status = 404
    code = "not_found"


class OriginRefused(InvalidRequest):
    """A browser asks for a page of an origin that may not ask this server."""

    status = 403
    code = "origin_not_allowed"


class MethodNotAllowed(InvalidRequest):
    status = 405
    code = "method_not_allowed"


class UnknownEncoding(InvalidRequest):
    """The body came in a Content-Encoding that isn't read here."""

    status = 415
    code = "unsupported_content_encoding"


class UpstreamError(EmulatorError):
    """The model server failed, not the emulator and not the client."""

    status = 502
    type = "upstream_error"
    code = "upstream_error"


class UpstreamUnreachable(UpstreamError):
    """No connection: refused, no such host, TLS failure."""

    code = "upstream_unreachable"


class UpstreamTimeout(UpstreamError):
    """Connect, first token, silence or total time ran out; the message says which."""

    status = 504
    code = "upstream_timeout"


class UpstreamBroken(UpstreamError):
    """The answer isn't what the protocol promises: not JSON, cut in the middle, or empty."""

    code = "upstream_invalid_response"


class UpstreamRefused(UpstreamError):
    """The model server answered with an error status, which is passed on with its own words."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        type: str,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, param=param, headers=headers)
        self.status, self.type, self.code = status, type, code


class ModelFault(EmulatorError):
    """The model's answer can't be turned into what the client asked for, also after repairs."""

    status = 502
    type = "model_error"
    code = "invalid_tool_call"


class ToolCallRequired(ModelFault):
    """``tool_choice`` demands a call and the model made none."""

    code = "tool_call_required"


class EmptyAnswer(ModelFault):
    """The model ended without text, thought or call."""

    code = "empty_answer"


class FormatMissed(ModelFault):
    """The model's words aren't what ``response_format`` asks for, also after repairs."""

    code = "invalid_response_format"


class StrategyUnfit(EmulatorError):
    """A strategy can't be used with this upstream or this request; the message says why."""

    status = 400
    type = "invalid_request_error"
    code = "strategy_unavailable"


class ClientGone(EmulatorError):
    """The client left; nobody reads what is said now (nginx's 499)."""

    status = 499
    type = "client_closed_request"
    code = "client_closed_request"


class ResponseCancelled(ClientGone):
    """The client has no use any more for the response that was made for it in the background."""

    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("The response was cancelled.")


class KernelUnavailable(EmulatorError):
    """No kernel was free in time, or none can be started: nothing is wrong with the program."""

    status = 503
    code = "kernel_unavailable"
