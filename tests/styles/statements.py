"""In which statements the calls of an answer stand."""

from __future__ import annotations

from random import Random

from tests.styles.cases import Call, Case, Write, styles
from tests.styles.writing import (
    camel,
    code_of,
    each,
    fence,
    fenced,
    fill,
    indented,
    keywords,
    plain,
    python,
    several,
    single,
)


def _name(call: Call, number: int) -> str:
    return ("result" if number == 0 else f"result{number + 1}") if len(call.function) % 2 else f"r{number + 1}"


def _assigned(template: str) -> Write:
    """A statement for each call: ``NAME`` is a variable of its own, ``CALL`` the call, ``FUNCTION`` its function."""

    def written(case: Case, rng: Random) -> str | None:
        lines = [
            fill(template, {"NAME": _name(call, number), "FUNCTION": call.function, "CALL": plain(call)})
            for number, call in enumerate(case.calls)
        ]
        return fence("\n".join(lines)) if lines else None

    return written


def _whole(template: str) -> Write:
    """All calls in one template: ``CALLS`` with commas between, ``LINES`` a line each, ``INDENTED`` those indented."""

    def written(case: Case, rng: Random) -> str | None:
        if not case.calls:
            return None
        calls = [plain(call) for call in case.calls]
        words = {
            "CALLS": ", ".join(calls),
            "LINES": "\n".join(calls),
            "INDENTED": indented("\n".join(calls)),
            "ITEMS": indented(",\n".join(calls) + ","),
            "FIRST": case.calls[0].function,
        }
        return fence(fill(template, words))

    return written


def _imports(template: str) -> Write:
    """``NAMES`` are the functions that are called."""

    def written(case: Case, rng: Random) -> str | None:
        names = list(dict.fromkeys(call.function for call in case.calls))
        return fence(f"{template.replace('NAMES', ', '.join(names))}\n\n{code_of(case)}") if names else None

    return written


def _module_imported(case: Case, rng: Random) -> str | None:
    return "import tools\n\n" + "\n".join(f"tools.{plain(call)}" for call in case.calls) if case.calls else None


def _unpacked_results(case: Case, rng: Random) -> str:
    names = ", ".join(f"result{number + 1}" for number in range(len(case.calls)))
    return f"{names} = {', '.join(map(plain, case.calls))}"


def _dict_of_results(case: Case, rng: Random) -> str | None:
    if not case.calls:
        return None
    items = [f'    "{call.function}_{number}": {plain(call)},' for number, call in enumerate(case.calls, 1)]
    return "\n".join(["results = {", *items, "}"])


def _appended(case: Case, rng: Random) -> str | None:
    lines = [f"results.append({plain(call)})" for call in case.calls]
    return "\n".join(["results = []", *lines, "print(results)"]) if lines else None


def _printed_at_last(template: str) -> Write:
    """Calls first; ``RESULTS`` are what they returned."""

    def written(case: Case, rng: Random) -> str | None:
        if not case.calls:
            return None
        names = [_name(call, number) for number, call in enumerate(case.calls)]
        lines = [f"{name} = {plain(call)}" for name, call in zip(names, case.calls, strict=True)]
        last = fill(template, {"RESULTS": ", ".join(names), "RESULT": names[-1]})
        return fence("\n".join([*lines, last]))

    return written


def _used(template: str) -> Write:
    """The only call's result is looked into where it is made; ``SINGLE`` is the call in single quotes."""

    def written(case: Case, rng: Random) -> str | None:
        if case.only is None:
            return None
        inner = f"{case.only.function}({keywords(case.only, single)})"
        if "SINGLE" in template and set('"\\') & set(inner):
            return None
        return fence(fill(template, {"CALL": plain(case.only), "SINGLE": inner}))

    return written


def _stubs(case: Case, body: str, decorator: str = "") -> str:
    stubs = {call.function: f"{decorator}{call.stub.head}\n    {body}" for call in case.calls}
    return "\n\n".join(stubs.values())


def _stub_before(body: str, decorator: str = "") -> Write:
    def written(case: Case, rng: Random) -> str | None:
        return fence(f"{_stubs(case, body, decorator)}\n\n{code_of(case)}") if case.calls else None

    return written


def _explained(case: Case, rng: Random) -> str | None:
    lines: list[str] = []
    for number, call in enumerate(case.calls, 1):
        lines += [f"# Step {number}: {call.function.replace('_', ' ')}", plain(call), ""]
    return "\n".join(lines).rstrip() or None


def _end_comments(case: Case, rng: Random) -> str | None:
    lines = [f"{plain(call)}  # {call.function.replace('_', ' ')} (as asked)" for call in case.calls]
    return "\n".join(lines) or None


def _same_shape(case: Case) -> tuple[str, list[str]] | None:
    """The function and keywords of calls that differ in nothing but their values."""
    shapes = {(call.function, tuple(call.keywords)) for call in case.calls}
    if len(case.calls) < 2 or len(shapes) != 1:
        return None
    [(function, names)] = shapes
    return (function, list(names)) if names else None


def _varying(case: Case) -> tuple[str, list[str], list[str]] | None:
    """The function, the keywords whose values differ, and those that all calls share with their text."""
    shape = _same_shape(case)
    if shape is None:
        return None
    function, names = shape
    first = case.calls[0].keywords
    shared = [name for name in names if all(call.keywords[name] == first[name] for call in case.calls)]
    varying = [name for name in names if name not in shared]
    return (function, varying, [f"{name}={python(first[name])}" for name in shared]) if varying else None


def _loop(case: Case, rng: Random) -> str | None:
    """A loop over the values of one argument."""
    found = _varying(case)
    if found is None or len(found[1]) != 1:
        return None
    function, [name], shared = found
    values = python([call.keywords[name] for call in case.calls])
    return f"for item in {values}:\n    {function}({', '.join([f'{name}=item', *shared])})"


def _loop_over_tuples(case: Case, rng: Random) -> str | None:
    found = _varying(case)
    if found is None or len(found[1]) < 2:
        return None
    function, names, shared = found
    rows = ["    (" + ", ".join(python(call.keywords[name]) for name in names) + ")," for call in case.calls]
    inner = ", ".join([*(f"{name}={name}" for name in names), *shared])
    return "\n".join(["for " + ", ".join(names) + " in [", *rows, "]:", f"    {function}({inner})"])


def _loop_zipped(case: Case, rng: Random) -> str | None:
    found = _varying(case)
    if found is None or len(found[1]) < 2:
        return None
    function, names, shared = found
    lists = [f"{name}_values = {python([call.keywords[name] for call in case.calls])}" for name in names]
    inner = ", ".join([*(f"{name}={name}" for name in names), *shared])
    zipped = ", ".join(f"{name}_values" for name in names)
    return "\n".join([*lines_of(lists), f"for {', '.join(names)} in zip({zipped}):", f"    {function}({inner})"])


def lines_of(items: list[str]) -> list[str]:
    return [*items, ""]


def _loop_over_dicts(case: Case, rng: Random) -> str | None:
    shape = _same_shape(case)
    if shape is None:
        return None
    rows = [f"    {python(dict(call.keywords))}," for call in case.calls]
    return "\n".join(["requests = [", *rows, "]", "for request in requests:", f"    {shape[0]}(**request)"])


def _comprehension(case: Case, rng: Random) -> str | None:
    found = _varying(case)
    if found is None or len(found[1]) != 1:
        return None
    function, [name], shared = found
    values = python([call.keywords[name] for call in case.calls])
    return f"results = [{function}({', '.join([f'{name}=x', *shared])}) for x in {values}]"


def _dict_comprehension(case: Case, rng: Random) -> str | None:
    found = _varying(case)
    if found is None or len(found[1]) != 1 or any(isinstance(c.keywords[found[1][0]], list | dict) for c in case.calls):
        return None
    function, [name], shared = found
    values = python([call.keywords[name] for call in case.calls])
    return (
        f"{name}_list = {values}\nresults = {{x: {function}({', '.join([f'{name}=x', *shared])}) for x in {name}_list}}"
    )


def _enumerated(case: Case, rng: Random) -> str | None:
    found = _varying(case)
    if found is None or len(found[1]) != 1:
        return None
    function, [name], shared = found
    values = python([call.keywords[name] for call in case.calls])
    return (
        f"results = []\nfor i, value in enumerate({values}):\n"
        f"    results.append({function}({', '.join([f'{name}=value', *shared])}))"
    )


def _class_of_tools(case: Case, rng: Random) -> str | None:
    """A model's habit from training on agents: the call as an object's method of its own name."""
    return "\n".join(f"self.{plain(call)}" for call in case.calls) or None


def _tried(case: Case, rng: Random) -> str | None:
    if not case.calls:
        return None
    return f'try:\n{indented(code_of(case))}\nexcept Exception as e:\n    print(f"Error: {{e}}")'


def _typed_models_first(case: Case, rng: Random) -> str | None:
    if not case.calls:
        return None
    classes = [f"class {camel(call.function)}Result(BaseModel):\n    ok: bool\n" for call in case.calls[:1]]
    return "from pydantic import BaseModel\n\n" + "\n".join(classes) + "\n" + code_of(case)


def _awaited_in_main(case: Case, rng: Random) -> str | None:
    if not case.calls:
        return None
    body = indented("\n".join(f"await {plain(call)}" for call in case.calls))
    return f"import asyncio\n\nasync def main():\n{body}\n\nasyncio.run(main())"


def _main_with_results(case: Case, rng: Random) -> str | None:
    if not case.calls:
        return None
    lines = [f"result_{number} = {plain(call)}" for number, call in enumerate(case.calls, 1)]
    names = ", ".join(f"result_{number}" for number in range(1, len(lines) + 1))
    return f"def main():\n{indented(chr(10).join([*lines, f'return {names}']))}\n\nprint(main())"


def _gathered(case: Case, rng: Random) -> str | None:
    return f"results = await asyncio.gather(\n{indented(','.join(chr(10) + plain(c) for c in case.calls)[1:])}\n)"


STYLES = styles(
    "python",
    {
        "assigned": _assigned("NAME = CALL"),
        "assigned_awaited": _assigned("NAME = await CALL"),
        "assigned_annotated": _assigned("NAME: dict = CALL"),
        "assigned_annotated_generic": _assigned("NAME: dict[str, Any] = CALL"),
        "assigned_underscore": _assigned("_ = CALL"),
        "assigned_twice": _assigned("NAME = response = CALL"),
        "assigned_in_parens": _assigned("NAME = (\n    CALL\n)"),
        "walrus": _assigned("(NAME := CALL)"),
        "walrus_printed": _assigned("print(NAME := CALL)"),
        "awaited": _assigned("await CALL"),
        "printed": _assigned("print(CALL)"),
        "printed_awaited": _assigned("print(await CALL)"),
        "printed_labelled": _assigned('print("Result:", CALL)'),
        "printed_f_string": _assigned('print(f"Result of FUNCTION:", CALL)'),
        "printed_all": _whole("print(CALLS)"),
        "printed_after": _printed_at_last("print(RESULTS)"),
        "printed_after_json": _printed_at_last("print(json.dumps(RESULT, indent=2))"),
        "printed_after_f_string": _printed_at_last('print(f"The answer is {RESULT}")'),
        "checked_after": _printed_at_last("if RESULT:\n    print(RESULTS)"),
        "returned_variable": _printed_at_last("return RESULTS"),
        "last_expression": _printed_at_last("RESULT"),
        "final_answer": _printed_at_last("final_answer = RESULT\nprint(final_answer)"),
        "printed_pretty": _whole("from pprint import pprint\n\npprint([CALLS])"),
        "used_as_json": _used("print(json.dumps(CALL, indent=2))"),
        "used_in_f_string": _used('print(f"The answer is {SINGLE}")'),
        "used_by_key": _used('print(CALL["result"])'),
        "used_by_attribute": _used("print(CALL.result)"),
        "used_in_str": _used('answer = "Result: " + str(CALL)'),
        "used_in_condition": _used('if CALL:\n    print("Done")'),
        "used_in_loop": _used("for item in CALL:\n    print(item)"),
        "run_alone": _used("asyncio.run(CALL)"),
        "returned": _whole("return CALLS"),
        "returned_list": _whole("return [CALLS]"),
        "list": _whole("[CALLS]"),
        "list_lines": _whole("[\nITEMS\n]"),
        "list_assigned": _whole("calls = [\nITEMS\n]"),
        "list_printed": _whole("print([CALLS])"),
        "tuple": several(_whole("CALLS")),
        "tuple_in_parens": several(_whole("(CALLS)")),
        "unpacked_results": fenced(several(_unpacked_results)),
        "dict_of_results": fenced(_dict_of_results),
        "appended": fenced(_appended),
        "semicolons": several(each(lambda call, rng: plain(call), "; ")),
        "semicolon_at_ends": each(lambda call, rng: plain(call) + ";"),
        "blank_lines": several(each(lambda call, rng: plain(call), "\n\n\n")),
        "comments_before": fenced(_explained),
        "comments_at_ends": fenced(_end_comments),
        "docstring_first": _whole('"""Calls FIRST with what the user gave."""\nLINES'),
        "docstring_between": _whole("'''\nThe user's request is done in these calls.\n'''\n\nLINES\n# done"),
        "shebang": _whole("#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n\nLINES"),
        "print_after": _whole('LINES\nprint("Done!")'),
        "imports": _whole("import json\nfrom typing import Any, Dict, List, Optional\n\nLINES"),
        "imports_asyncio": _whole("import asyncio\nimport datetime as dt\n\nLINES"),
        "import_from_tools": _imports("from tools import NAMES"),
        "import_from_functions": _imports("from functions import NAMES"),
        "import_star": _imports("from tools import *"),
        "import_module": fenced(_module_imported),
        "import_future": _whole("from __future__ import annotations\n\nLINES"),
        "pydantic_class_first": fenced(_typed_models_first),
        "stub_repeated": _stub_before("..."),
        "stub_pass": _stub_before("pass"),
        "stub_with_docstring": _stub_before('"""Does what it says."""\n    ...'),
        "stub_raises": _stub_before("raise NotImplementedError"),
        "stub_decorated": _stub_before("...", "@tool\n"),
        "stub_redefined": _stub_before('return {"status": "ok"}'),
        "stub_redefined_prints": _stub_before('print("called")\n    return None'),
        "main": _whole("def main():\nINDENTED\n\nmain()"),
        "main_guarded": _whole('def main():\nINDENTED\n\nif __name__ == "__main__":\n    main()'),
        "main_typed": _whole(
            'def main() -> None:\n    """Entry point."""\nINDENTED\n\n\nif __name__ == "__main__":\n    main()'
        ),
        "main_returns": fenced(_main_with_results),
        "main_async": fenced(_awaited_in_main),
        "main_async_guarded": _whole(
            'async def main():\nINDENTED\n\nif __name__ == "__main__":\n    asyncio.run(main())'
        ),
        "main_awaited": _whole("async def main():\nINDENTED\n\nawait main()"),
        "guard_alone": _whole('if __name__ == "__main__":\nINDENTED'),
        "run_function": _whole("def run():\n    return [CALLS]\n\nresults = run()"),
        "gathered": fenced(several(_gathered)),
        "if_true": _whole("if True:\nINDENTED"),
        "tried": fenced(_tried),
        "self_lines": fenced(_class_of_tools),
        "loop": fenced(_loop),
        "loop_tuples": fenced(_loop_over_tuples),
        "loop_zipped": fenced(_loop_zipped),
        "loop_dicts": fenced(_loop_over_dicts),
        "loop_enumerated": fenced(_enumerated),
        "comprehension": fenced(_comprehension),
        "dict_comprehension": fenced(_dict_comprehension),
    },
)
