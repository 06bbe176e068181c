"""How one call is written in Python."""

from __future__ import annotations

import ast
from random import Random
from typing import cast

from tests.styles.cases import Call, Case, Json, Write, styles
from tests.styles.writing import (
    as_json,
    camel,
    each,
    fenced,
    given,
    indented,
    keywords,
    plain,
    python,
    quoted,
    single,
    written_calls,
)


def _positional(call: Call, rng: Random) -> str | None:
    values, left = call.ordered
    return None if left or not values else f"{call.function}({', '.join(map(python, values))})"


def _mixed(call: Call, rng: Random) -> str | None:
    values, left = call.ordered
    if len(call.arguments) < 2 or not values:
        return None
    if not left:
        names = list(call.stub.parameters)[: len(values)]
        left = {names[-1]: values.pop()}
    parts = [*map(python, values), *(f"{key}={python(value)}" for key, value in left.items())]
    return f"{call.function}({', '.join(parts)})"


def _shuffled(call: Call, rng: Random) -> str:
    pairs = list(call.keywords.items())
    rng.shuffle(pairs)
    return f"{call.function}({', '.join(f'{key}={python(value)}' for key, value in pairs)})"


def _half_spread(call: Call, rng: Random) -> str:
    (key, value), *rest = call.keywords.items()
    return f"{call.function}({key}={python(value)}, **{python(dict(rest))})"


def _args_star(call: Call, rng: Random) -> str | None:
    values, left = call.ordered
    return None if left or not values else f"args = {python(values)}\n{call.function}(*args)"


def _args_and_kwargs(call: Call, rng: Random) -> str | None:
    values, left = call.ordered
    if not values or not left:
        return None
    return f"args = {python(values)}\nkwargs = {python(left)}\n{call.function}(*args, **kwargs)"


def _one_a_line(call: Call, rng: Random) -> str:
    return f"{call.function}(\n{indented(keywords(call, separator=chr(10), equals='=')).replace(chr(10), ',' + chr(10))},\n)"


def _visual_indent(call: Call, rng: Random) -> str:
    return f"{call.function}({keywords(call, separator=',' + chr(10) + ' ' * (len(call.function) + 1))})"


def _hanging(call: Call, rng: Random) -> str:
    return f"{call.function}(\n    {keywords(call)}\n)"


def _backslash(call: Call, rng: Random) -> str:
    return f"result = \\\n    {call.function}({keywords(call, separator=', ' + chr(92) + chr(10) + '        ')})"


def _commented_arguments(call: Call, rng: Random) -> str:
    lines = [f"    {key}={python(value)},  # the {key.replace('_', ' ')}" for key, value in call.keywords.items()]
    return "\n".join([f"{call.function}(", *lines, ")"])


def _model_name(call: Call) -> str:
    return f"{camel(call.function)}{'Args' if len(call.function) % 2 else 'Input'}"


def _model(call: Call) -> str:
    return f"{_model_name(call)}({keywords(call)})"


def _model_assigned(call: Call, rng: Random) -> str:
    return f"params = {_model(call)}\nresult = {call.function}(params)"


def _model_defined(call: Call, rng: Random) -> str:
    fields = "\n".join(f"    {key}: {value.__class__.__name__}" for key, value in call.keywords.items())
    return f"class {_model_name(call)}(BaseModel):\n{fields}\n\n{call.function}({_model(call)})"


def _classes_of(call: Call) -> dict[str, ast.expr]:
    """The annotation of each parameter."""
    function = ast.parse(call.stub.head + " ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    arguments = [*function.args.args, *function.args.kwonlyargs]
    return {argument.arg: argument.annotation for argument in arguments if argument.annotation is not None}


def _fields_of(call: Call, name: str) -> dict[str, ast.expr]:
    """The annotation of each field of one of the stub's classes."""
    definition = ast.parse(call.stub.classes[name]).body[0]
    fields = [node for node in ast.walk(definition) if isinstance(node, ast.AnnAssign)]
    return {node.target.id: node.annotation for node in fields if isinstance(node.target, ast.Name)}


def _instance(call: Call, value: Json, annotation: ast.expr | None) -> str:
    """The value with objects of the stub's classes where its annotation has them."""
    names = [node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)] if annotation else []
    model = next((name for name in names if name in call.stub.models), None)
    if model is None or annotation is None:
        return python(value)
    if isinstance(value, list):
        return "[" + ", ".join(_instance(call, item, annotation) for item in cast(list[Json], value)) + "]"
    fields, wires = _fields_of(call, model), call.stub.models[model].fields
    known = {wire: field for field, wire in wires.items()}
    if not isinstance(value, dict) or not set(cast(dict[str, Json], value)) <= known.keys():
        return python(value)
    parts = [
        f"{known[key]}={_instance(call, item, fields.get(known[key]))}"
        for key, item in cast(dict[str, Json], value).items()
    ]
    return f"{model}({', '.join(parts)})"


def _objects(call: Call) -> dict[str, str] | None:
    """Each argument, those of a class of the stub as its object; None if no argument is one."""
    classes = _classes_of(call)
    found = {key: _instance(call, value, classes.get(key)) for key, value in call.keywords.items()}
    return found if any(text != python(call.keywords[key]) for key, text in found.items()) else None


def _stub_objects(call: Call, rng: Random) -> str | None:
    found = _objects(call)
    return f"{call.function}({', '.join(f'{key}={text}' for key, text in found.items())})" if found else None


def _stub_objects_assigned(call: Call, rng: Random) -> str | None:
    found = _objects(call)
    if found is None:
        return None
    lines = [f"{key} = {text}" for key, text in found.items()]
    return "\n".join([*lines, f"{call.function}({', '.join(f'{key}={key}' for key in found)})"])


def _owner(owner: str) -> Write:
    return each(lambda call, rng: f"{owner}.{plain(call)}")


def _params_first(case: Case, rng: Random) -> str | None:
    lines: list[str] = []
    for number, call in enumerate(case.calls):
        name = rng.choice(["params", "args", "kwargs", "arguments"]) + (str(number + 1) if number else "")
        lines.append(f"{name} = {python(dict(call.keywords))}\n{call.function}(**{name})")
    return "\n".join(lines) or None


def _variables(case: Case, rng: Random) -> str | None:
    """Each argument by a variable of its own; values of several calls take turns in them."""
    if not any(call.arguments for call in case.calls):
        return None
    lines: list[str] = []
    for call in case.calls:
        lines += [f"{key} = {python(value)}" for key, value in call.keywords.items()]
        lines.append(f"{call.function}({', '.join(f'{key}={key}' for key in call.keywords)})")
    return "\n".join(lines)


def _constants(call: Call, rng: Random) -> str:
    lines = [f"{key.upper()} = {single(value)}" for key, value in call.keywords.items()]
    return "\n".join([*lines, "", f"{call.function}({', '.join(f'{key}={key.upper()}' for key in call.keywords)})"])


def _unpacked(call: Call, rng: Random) -> str:
    keys = ", ".join(call.keywords)
    values = ", ".join(map(python, call.keywords.values()))
    return f"{keys} = {values}\n{call.function}({', '.join(f'{key}={key}' for key in call.keywords)})"


def _annotated_variables(call: Call, rng: Random) -> str:
    lines = [f"{key}: {type(value).__name__} = {python(value)}" for key, value in call.keywords.items()]
    return "\n".join([*lines, f"{call.function}({', '.join(f'{key}={key}' for key in call.keywords)})"])


def _from_params(call: Call, rng: Random) -> str:
    parts = ", ".join(f"{key}=params[{quoted(key)}]" for key in call.keywords)
    return f"params = {python(dict(call.keywords))}\nresult = {call.function}({parts})"


def _by_position_variables(call: Call, rng: Random) -> str | None:
    values, left = call.ordered
    if left or not values:
        return None
    names = list(call.keywords) if list(call.keywords) == list(call.stub.parameters)[: len(values)] else []
    lines = [f"{name} = {python(value)}" for name, value in zip(names, values, strict=False)]
    return "\n".join([*lines, f"{call.function}({', '.join(names)})"]) if names else None


def _none_for_optional(call: Call, rng: Random) -> str | None:
    """What isn't needed is given as the default that the stub shows."""
    required = call.schema.get("required", ())
    left = [name for name, wire in call.stub.parameters.items() if wire not in call.arguments and wire not in required]
    shown = [name for name in left if isinstance(call.schema_of(name).get("type"), str)]
    if not shown:
        return None
    parts = [f"{key}={python(value)}" for key, value in call.keywords.items()]
    return f"{call.function}({', '.join([*parts, *(f'{name}=None' for name in shown[:2])])})"


def _statement_per_client_name(case: Case, rng: Random) -> str | None:
    found = written_calls(case, rng, lambda call, _: f"{call.name}({keywords(call, single)})")
    return "\n".join(found) if found else None


STYLES = styles(
    "python",
    {
        "keywords": each(lambda call, rng: plain(call)),
        "single_quotes": each(lambda call, rng: f"{call.function}({keywords(call, single)})"),
        "client_names": fenced(_statement_per_client_name),
        "positional": each(_positional),
        "mixed": each(_mixed),
        "shuffled": each(given(_shuffled, 2)),
        "spread_dict": each(given(lambda call, rng: f"{call.function}(**{python(dict(call.keywords))})")),
        "spread_json": each(given(lambda call, rng: f"{call.function}(**{as_json(dict(call.keywords))})")),
        "spread_dict_call": each(given(lambda call, rng: f"{call.function}(**dict({keywords(call)}))")),
        "half_spread": each(given(_half_spread, 2)),
        "params_first": fenced(_params_first),
        "params_dict_call": each(
            given(lambda call, rng: f"params = dict({keywords(call)})\nresult = {call.function}(**params)")
        ),
        "params_indexed": each(given(_from_params)),
        "args_star": each(_args_star),
        "args_and_kwargs": each(_args_and_kwargs),
        "json_values": each(lambda call, rng: f"{call.function}({keywords(call, as_json)})"),
        "args_model": each(given(lambda call, rng: f"{call.function}({_model(call)})")),
        "args_model_by_name": each(given(lambda call, rng: f"{call.function}(args={_model(call)})")),
        "args_model_assigned": each(given(_model_assigned)),
        "args_model_defined": each(given(_model_defined)),
        "args_model_dumped": each(given(lambda call, rng: f"{call.function}(**{_model(call)}.model_dump())")),
        "stub_objects": each(_stub_objects),
        "stub_objects_assigned": each(_stub_objects_assigned),
        "one_dict": each(given(lambda call, rng: f"{call.function}({python(dict(call.keywords))})")),
        "one_json_dict": each(given(lambda call, rng: f"{call.function}({as_json(dict(call.keywords))})")),
        "one_dict_by_name": each(given(lambda call, rng: f"{call.function}(args={python(dict(call.keywords))})")),
        "owner_tools": _owner("tools"),
        "owner_functions": _owner("functions"),
        "owner_self": _owner("self"),
        "owner_api": _owner("api"),
        "owner_default_api": each(lambda call, rng: f"print(default_api.{plain(call)})"),
        "owner_client": _owner("client"),
        "one_a_line": each(given(_one_a_line)),
        "visual_indent": each(given(_visual_indent, 2)),
        "hanging": each(given(_hanging)),
        "backslash": each(given(_backslash)),
        "argument_comments": each(given(_commented_arguments)),
        "trailing_comma": each(given(lambda call, rng: f"{call.function}({keywords(call)},)")),
        "space_before_parens": each(lambda call, rng: f"{call.function} ({keywords(call)})"),
        "space_everywhere": each(given(lambda call, rng: f"{call.function}( {keywords(call, equals=' = ')} )")),
        "no_spaces": each(given(lambda call, rng: f"{call.function}({keywords(call, separator=',')})")),
        "variables": fenced(_variables),
        "variables_upper": each(given(_constants)),
        "variables_unpacked": each(given(_unpacked, 2)),
        "variables_annotated": each(given(_annotated_variables)),
        "variables_positional": each(_by_position_variables),
        "none_for_optional": each(_none_for_optional),
    },
)
