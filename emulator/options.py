"""Flags, environment and ``.env`` as one source of values for a dataclass, and its documentation.

Knows nothing of what the fields mean: type, range and text come from the field.  All three sources go
through the same conversion, so that a value means the same wherever it is written.  Nothing here prints
a value that a field calls secret.
"""

from __future__ import annotations

import argparse
import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

from dotenv import dotenv_values

from emulator import __version__

ENV_PREFIX = "EMULATOR_"
_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class SettingsError(ValueError):
    """A flag or variable can't be used; the message is one sentence that names it and is safe to print."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What is known of a field beside its type and default.

    ``low`` and ``high`` are the smallest and largest number it may have.  ``check`` returns the value in
    its normal form or raises ValueError with what is wrong.  ``shown`` stands for a default that differs
    from machine to machine.  ``aliases`` are variables of other programs that mean the same; each counts only
    where neither the field's own variable nor an alias before it is set, in the environment or in ``.env``.
    """

    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    secret: bool = False
    check: Callable[[str], str] | None = None
    shown: str | None = None
    aliases: tuple[str, ...] = ()


def setting(default: Any, help: str, **spec: Any) -> Any:
    """A field with its documentation; the keywords are those of ``Spec``."""
    described = Spec(help, **spec)
    return field(default=default, repr=not described.secret, metadata={"spec": described})


@dataclass(frozen=True, slots=True)
class Raw:
    """A value as it was written, and the flag or variable it came from."""

    value: str | bool
    origin: str


@dataclass(frozen=True, slots=True)
class Option:
    """A field of the dataclass in all its names."""

    name: str
    kind: Any
    default: Any
    spec: Spec

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return ENV_PREFIX + self.name.upper()

    @property
    def variables(self) -> tuple[str, ...]:
        """All names in the environment; whichever comes first counts."""
        return (self.variable, *self.spec.aliases)

    @property
    def meaning(self) -> str:
        choices = ", ".join(f"`{choice}`" for choice in self.spec.choices)
        return f"{self.spec.help}: {choices}" if choices else self.spec.help

    @property
    def default_text(self) -> str:
        if self.spec.shown is not None:
            return self.spec.shown
        if self.default is None:
            return "none"
        if isinstance(self.default, bool):
            return "on" if self.default else "off"
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)


def options_of(cls: type[Any]) -> list[Option]:
    kinds = get_type_hints(cls)
    return [Option(item.name, kinds[item.name], item.default, item.metadata["spec"]) for item in fields(cls)]


def read_options(
    cls: type[Any], argv: Sequence[str], environ: Mapping[str, str], dotenv_path: Path | None
) -> tuple[dict[str, Any], dict[str, Raw]]:
    """The values given for fields of ``cls``, converted, and the same as they were written.

    Raises SettingsError; ``--help`` and ``--version`` print and raise SystemExit as argparse does.
    """
    options = options_of(cls)
    places: list[tuple[Mapping[str, str | None], str]] = [(environ, "")]
    if dotenv_path:
        places.append((_read_dotenv(options, dotenv_path), f" in {dotenv_path}"))
    raws = _from_variables(options, places) | _from_flags(options, argv)
    return {option.name: _convert(option, raws[option.name]) for option in options if option.name in raws}, raws


def options_table(cls: type[Any]) -> str:
    """A Markdown table of all fields of ``cls``."""
    lines = ["| Flag | Variable | Default | Meaning |", "| --- | --- | --- | --- |"]
    for option in options_of(cls):
        variables = ", ".join(f"`{variable}`" for variable in option.variables)
        lines.append(f"| `{option.flag}` | {variables} | {option.default_text} | {option.meaning} |")
    return "\n".join(lines)


def _from_variables(
    options: Sequence[Option], places: Sequence[tuple[Mapping[str, str | None], str]]
) -> dict[str, Raw]:
    """What the first of an option's names has that is set anywhere, from the first place that sets it.

    An empty variable counts as not set: that is what a container's or a CI's configuration passes for nothing.
    """
    found: dict[str, Raw] = {}
    for option in options:
        named = ((variable, place) for variable in option.variables for place in places)
        for variable, (values, where) in named:
            if text := (values.get(variable) or "").strip():
                found[option.name] = Raw(text, variable + where)
                break
    return found


def _read_dotenv(options: Sequence[Option], path: Path) -> dict[str, str | None]:
    """A variable of ours that is misspelt here is an error: unlike the environment, the file is ours alone."""
    try:
        # Without interpolation, so that a key may contain a dollar sign.
        read = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} can't be read: {error}.") from None
    known = [option.variable for option in options]
    for variable in read:
        if variable.startswith(ENV_PREFIX) and variable not in known:
            raise SettingsError(f"{variable} in {path}: there is no such setting; {_advice(variable, known)}")
    return read


def _advice(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else "see --help."


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(message.removeprefix("argument ") + ".")


def _parser(options: Sequence[Option]) -> _Parser:
    parser = _Parser(
        prog="python app.py",
        description="OpenAI tool calling for models that can't call tools.",
        epilog=f"Every flag can also be set in the environment or in .env: --base-url is {ENV_PREFIX}BASE_URL there.",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--version", action="version", version=__version__)
    for option in options:
        text = f"{option.meaning} [{option.default_text}]".replace("`", "").replace("%", "%%")
        if option.kind is bool:
            action = argparse.BooleanOptionalAction
            parser.add_argument(option.flag, dest=option.name, action=action, help=text)
        else:
            metavar = option.name.rpartition("_")[2].upper()
            parser.add_argument(option.flag, dest=option.name, metavar=metavar, help=text)
    return parser


def _from_flags(options: Sequence[Option], argv: Sequence[str]) -> dict[str, Raw]:
    known, unknown = _parser(options).parse_known_args(list(argv))
    if unknown:
        word = unknown[0].partition("=")[0]
        if not word.startswith("--"):
            # Not echoed: it may be a key that lost its flag.
            raise SettingsError("There is an argument that belongs to no flag; see --help.")
        raise SettingsError(f"{word}: there is no such flag; {_advice(word, [option.flag for option in options])}")
    flags = {option.name: option.flag for option in options}
    return {
        name: Raw(value.strip() if isinstance(value, str) else value, flags[name])
        for name, value in vars(known).items()
    }


def _convert(option: Option, raw: Raw) -> Any:
    """The value by the field's annotation; raises SettingsError naming where it came from."""
    spec = option.spec
    try:
        value: Any = raw.value if isinstance(raw.value, bool) else _parse(option.kind, raw.value)
        if spec.check is not None:
            value = spec.check(value)
        if spec.choices and value not in spec.choices:
            raise ValueError(f"must be one of {', '.join(spec.choices)}")
        if spec.low is not None and value < spec.low:
            raise ValueError(f"must be at least {spec.low:g}")
        if spec.high is not None and value > spec.high:
            raise ValueError(f"must be at most {spec.high:g}")
    except ValueError as error:
        raise SettingsError(f"{raw.origin}: {_quoted(spec, raw.value)} {error}.") from None
    return value


def _quoted(spec: Spec, value: str | bool) -> str:
    if spec.secret:
        return "the key"
    # What has an @ may be a URL with a password.
    return "the value" if "@" in str(value) else repr(value)


def _parse(kind: Any, text: str) -> Any:
    if not text:
        raise ValueError("is empty")
    if kind is bool:
        if text.lower() not in _SWITCH:
            raise ValueError("must be true or false")
        return _SWITCH[text.lower()]
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise ValueError("must be a whole number") from None
    if kind is float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError("must be a number")
        return number
    return Path(text).expanduser() if kind in (Path, Path | None) else text
