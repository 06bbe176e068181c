"""How one value of a call is written: the call means the same."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from random import Random
from typing import cast

from tests.styles.cases import Call, Json, Write, styles
from tests.styles.writing import as_json, camel, each, python, quoted, single

Written = Callable[[Call, str, Json], str | None]
"""An argument's keyword and value → the value's text, None where it can't be written so."""


def _all(write: Written, before: Callable[[Call, str, Json], str] | None = None) -> Write:
    """Every argument that can be is written so.  ``before`` is what has to stand before the call for it."""

    def written(call: Call, rng: Random) -> str | None:
        parts, lines = list[str](), list[str]()
        for key, value in call.keywords.items():
            text = write(call, key, value)
            parts.append(f"{key}={python(value) if text is None else text}")
            if text is not None:
                lines.append(before(call, key, value) if before else "")
        if not lines:
            return None
        return "\n".join([*(line for line in dict.fromkeys(lines) if line), f"{call.function}({', '.join(parts)})"])

    return each(written)


def _strings(write: Callable[[str], str | None]) -> Write:
    return _all(lambda call, key, value: write(value) if isinstance(value, str) else None)


def _kind(kind: type | tuple[type, ...], write: Callable[[Json], str | None]) -> Write:
    def written(call: Call, key: str, value: Json) -> str | None:
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        return write(value) if fits else None

    return _all(written)


def _triple(quote: str) -> Callable[[str], str | None]:
    def write(text: str) -> str | None:
        return None if "\\" in text or quote * 3 in text or text.endswith(quote) else f"{quote * 3}{text}{quote * 3}"

    return write


def _raw(quote: str) -> Callable[[str], str | None]:
    def write(text: str) -> str | None:
        return None if quote in text or text.endswith("\\") or "\n" in text else f"r{quote}{text}{quote}"

    return write


def _unicode_escapes(text: str) -> str | None:
    if not text:
        return None
    first = text[0]
    return f'"\\u{ord(first):04x}' + quoted(text[1:])[1:] if ord(first) < 65536 else None


def _hex_escapes(text: str) -> str | None:
    if not text or any(ord(char) > 255 for char in text):
        return None
    return (
        '"' + "".join(f"\\x{ord(char):02x}" if not char.isalnum() or ord(char) > 127 else char for char in text) + '"'
    )


def _quotes_inside(text: str) -> str | None:
    if '"' in text and "'" not in text:
        return single(text)
    return quoted(text) if "'" in text or '"' in text else None


def _escaped_slashes(text: str) -> str | None:
    return quoted(text) if "\\" in text or "\n" in text or "\t" in text else None


def _halves(text: str) -> tuple[str, str] | None:
    middle = text.find(" ", len(text) // 3) + 1
    return (text[:middle], text[middle:]) if middle > 0 and text[middle:] else None


def _halved(template: str) -> Callable[[str], str | None]:
    """``A`` and ``B`` are the literals of a text's halves."""

    def write(text: str) -> str | None:
        halves = _halves(text)
        if halves is None:
            return None
        return template.replace("A", "\0").replace("B", quoted(halves[1])).replace("\0", quoted(halves[0]))

    return write


def _f_string(text: str) -> str:
    return "f" + quoted(text.replace("{", "{{").replace("}", "}}"))


def _f_string_of_constant(text: str) -> str | None:
    word = re.match(r"\w+", text)
    return None if word is None or "{" in text or "}" in text else f"f\"{{'{word[0]}'}}{quoted(text[word.end() :])[1:]}"


def _f_string_of_variable(call: Call, rng: Random) -> str | None:
    parts, lines = list[str](), list[str]()
    for key, value in call.keywords.items():
        halves = _halves(value) if isinstance(value, str) and not set("{}") & set(value) else None
        if halves:
            lines.append(f"{key}_part = {quoted(halves[0].rstrip())}")
            gap = halves[0][len(halves[0].rstrip()) :]
            parts.append(f'{key}=f"{{{key}_part}}{gap}{quoted(halves[1])[1:]}')
        else:
            parts.append(f"{key}={python(value)}")
    return "\n".join([*lines, f"{call.function}({', '.join(parts)})"]) if lines else None


def _joined_words(text: str) -> str | None:
    words = text.split(" ")
    return f'" ".join({python(words)})' if len(words) > 1 else None


def _stripped(text: str) -> str | None:
    return f'"""\n{text}\n""".strip()' if text == text.strip() and not set('\\"') & set(text) else None


def _as_float(value: Json) -> str | None:
    return f"{value}.0" if isinstance(value, int) else None


def _as_int(value: Json) -> str | None:
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else None


def _underscored(value: Json) -> str | None:
    return f"{value:_}" if isinstance(value, int) and abs(value) >= 1000 else None


def _scientific(value: Json) -> str | None:
    text = f"{value:e}".replace("e+0", "e").replace("e+", "e")
    mantissa, exponent = text.split("e")
    text = f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"
    return text if abs(value) >= 100 and float(text) == value else None


def _factor(value: Json) -> str | None:
    if not isinstance(value, int) or abs(value) < 4:
        return None
    factor = next((n for n in (1000, 100, 60, 24, 10, 7, 5, 3, 2) if value % n == 0 and abs(value) > n), None)
    return f"{value // factor} * {factor}" if factor else f"{value - 1} + 1"


def _divided(value: Json) -> str | None:
    if not isinstance(value, float) or not 0 < value < 1:
        return None
    percent = round(value * 100, 6)
    text = f"{percent:g} / 100"
    return text if float(f"{percent:g}") / 100 == value else None


def _power(value: Json) -> str | None:
    exponent = len(str(value)) - 1
    return f"10 ** {exponent}" if isinstance(value, int) and exponent > 1 and value == 10**exponent else None


def _string_of_number(value: Json) -> str | None:
    return quoted(str(value))


def _tuple(value: Json) -> str | None:
    return "(" + ", ".join(map(python, value)) + ("," if len(value) == 1 else "") + ")"


def _range(value: Json) -> str | None:
    if len(value) < 3 or not all(type(item) is int for item in value):
        return None
    begin, end = value[0], value[-1]
    return f"list(range({begin}, {end + 1}))" if value == list(range(begin, end + 1)) else None


def _list_sum(value: Json) -> str | None:
    return f"{python(value[:1])} + {python(value[1:])}" if len(value) > 1 else None


def _list_lines(value: Json) -> str | None:
    return "[\n" + "".join(f"        {python(item)},\n" for item in value) + "    ]" if value else None


def _split_words(value: Json) -> str | None:
    words = cast(list[Json], value)
    if len(words) < 2 or not all(isinstance(item, str) and item and not re.search(r"\s", item) for item in words):
        return None
    return f"{quoted(' '.join(words))}.split()"


def _dict_call(value: Json) -> str | None:
    fits = value and all(key.isidentifier() for key in value)
    return f"dict({', '.join(f'{key}={python(item)}' for key, item in value.items())})" if fits else None


def _enum_name(value: str) -> str:
    return re.sub(r"\W", "_", value).strip("_").upper()


def _enum_member(call: Call, key: str, value: Json) -> str | None:
    """A member of an enum that the model takes the stub's Literal for."""
    options = call.schema_of(key).get("enum")
    if not isinstance(value, str) or not options or not all(isinstance(option, str) for option in options):
        return None
    names = [_enum_name(option) for option in options]
    mine = _enum_name(value)
    return f"{camel(key)}.{mine}" if mine.isidentifier() and names.count(mine) == 1 else None


def _enum_value(call: Call, key: str, value: Json) -> str | None:
    member = _enum_member(call, key, value)
    return member and f"{member}.value"


def _enum_class(call: Call, key: str, value: Json) -> str:
    members = {_enum_name(option): option for option in call.schema_of(key)["enum"]}
    lines = [f"    {name} = {quoted(option)}" for name, option in members.items() if name.isidentifier()]
    return "\n".join([f"class {camel(key)}(str, Enum):", *lines, ""])


def _date(template: str) -> Write:
    """``Y``, ``M`` and ``D`` of a date; the whole text is the date."""

    def written(call: Call, key: str, value: Json) -> str | None:
        try:
            day = dt.date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
        except ValueError:
            return None
        return None if day is None else template.format(Y=day.year, M=day.month, D=day.day)

    return _all(written, lambda call, key, value: "import datetime" if "datetime." in template else _DATE_IMPORT)


_DATE_IMPORT = "from datetime import date, datetime"


def _datetime(call: Call, key: str, value: Json) -> str | None:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value):
        return None
    moment = dt.datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=None)  # noqa: DTZ007
    parts = ", ".join(str(part) for part in moment.timetuple()[:6])
    return f'datetime({parts}).strftime("%Y-%m-%d %H:%M:%S")'


def _json_text(call: Call, key: str, value: Json) -> str | None:
    """A text that is JSON, made from the value it says."""
    try:
        data = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return f"json.dumps({python(data)})" if isinstance(data, dict | list) and json.dumps(data) == value else None


STYLES = styles(
    "values",
    {
        "triple_double": _strings(_triple('"')),
        "triple_single": _strings(_triple("'")),
        "triple_stripped": _strings(_stripped),
        "raw": _strings(_raw('"')),
        "raw_single": _strings(_raw("'")),
        "raw_backslashes": _strings(lambda text: _raw('"')(text) if "\\" in text else None),
        "unicode_escapes": _strings(_unicode_escapes),
        "unicode_ascii": _strings(lambda text: None if text.isascii() else ascii(text)),
        "unicode_plain": _strings(lambda text: None if text.isascii() else quoted(text)),
        "hex_escapes": _strings(_hex_escapes),
        "quotes_inside": _strings(_quotes_inside),
        "backslashes": _strings(_escaped_slashes),
        "implicit_concatenation": _strings(_halved("A B")),
        "implicit_over_lines": _strings(_halved("(\n        A\n        B\n    )")),
        "plus": _strings(_halved("A + B")),
        "percent": _strings(_halved('"%s%s" % (A, B)')),
        "formatted": _strings(_halved('"{}{}".format(A, B)')),
        "joined": _strings(_halved('"".join([A, B])')),
        "joined_words": _strings(_joined_words),
        "f_string": _strings(_f_string),
        "f_string_constant": _strings(_f_string_of_constant),
        "f_string_variable": each(_f_string_of_variable),
        "str_call": _strings(lambda text: f"str({quoted(text)})"),
        "float_for_int": _kind(int, _as_float),
        "int_for_float": _kind(float, _as_int),
        "underscores": _kind(int, _underscored),
        "scientific": _kind((int, float), _scientific),
        "hexadecimal": _kind(int, lambda value: hex(value) if value > 9 else None),
        "arithmetic": _kind(int, _factor),
        "power": _kind(int, _power),
        "divided": _kind(float, _divided),
        "plus_sign": _kind((int, float), lambda value: f"+{value}" if value > 0 else None),
        "negative": _kind((int, float), lambda value: f"-{-value}" if value < 0 else None),
        "number_in_parens": _kind((int, float), lambda value: f"({value})"),
        "number_as_text": _kind((int, float), _string_of_number),
        "number_called": _kind(int, lambda value: f'int("{value}")'),
        "float_called": _kind(float, lambda value: f'float("{value}")'),
        "true_json": _kind(bool, lambda value: str(value).lower()),
        "true_text": _kind(bool, lambda value: quoted(str(value))),
        "true_json_text": _kind(bool, lambda value: quoted(str(value).lower())),
        "not_false": _kind(bool, lambda value: f"not {not value}"),
        "tuple_for_list": _kind(list, _tuple),
        "list_call": _kind(list, lambda value: f"list({_tuple(value)})"),
        "list_starred": _kind(list, lambda value: f"[*{python(value)}]"),
        "list_over_lines": _kind(list, _list_lines),
        "list_range": _kind(list, _range),
        "list_added": _kind(list, _list_sum),
        "list_split": _kind(list, _split_words),
        "list_as_json_text": _kind(list, lambda value: single(as_json(value))),
        "list_loaded": _kind(list, lambda value: f"json.loads({single(as_json(value))})"),
        "dict_call": _kind(dict, _dict_call),
        "dict_loaded": _kind(dict, lambda value: f"json.loads({single(as_json(value))})"),
        "dict_as_json_text": _kind(dict, lambda value: single(as_json(value))),
        "dict_json": _kind(dict, as_json),
        "json_dumped": _all(_json_text, lambda call, key, value: "import json"),
        "enum_member": _all(_enum_member),
        "enum_member_value": _all(_enum_value),
        "enum_defined": _all(_enum_member, _enum_class),
        "enum_defined_value": _all(_enum_value, _enum_class),
        "date": _date("date({Y}, {M}, {D})"),
        "date_module": _date("datetime.date({Y}, {M}, {D})"),
        "date_isoformat": _date("date({Y}, {M}, {D}).isoformat()"),
        "date_formatted": _date('datetime({Y}, {M}, {D}).strftime("%Y-%m-%d")'),
        "date_as_text": _date("str(date({Y}, {M}, {D}))"),
        "datetime_formatted": _all(_datetime, lambda call, key, value: _DATE_IMPORT),
    },
)
