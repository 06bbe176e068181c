"""Ways to write the values of a call, each with the calls that it means; see forms.py."""

from __future__ import annotations

from tests.code.forms import PARIS, Calls, P

_EVENT = "create-event"
VALUES: dict[str, tuple[str, Calls]] = {
    "nested dict": (
        "create_event(title='T', details={'notify': True, 'tags': ['a', 'b']})",
        [(_EVENT, {"title": "T", "details": {"notify": True, "tags": ["a", "b"]}})],
    ),
    "nested JSON": (
        'create_event(title="T", details={"notify": true, "tags": ["a"]})',
        [(_EVENT, {"title": "T", "details": {"notify": True, "tags": ["a"]}})],
    ),
    "nested model": (
        "create_event(title='T', details=CreateEventDetails(notify=True, tags=['a']))",
        [(_EVENT, {"title": "T", "details": {"notify": True, "tags": ["a"]}})],
    ),
    "nested model first": (
        "details = Details(notify=False)\ncreate_event(title='T', details=details)",
        [(_EVENT, {"title": "T", "details": {"notify": False}})],
    ),
    "nested model in a model": (
        "create_event(CreateEventArgs(title='T', details=Details(notify=False)))",
        [(_EVENT, {"title": "T", "details": {"notify": False}})],
    ),
    "namespace": (
        "from types import SimpleNamespace\ncreate_event(title='T', details=SimpleNamespace(notify=False))",
        [(_EVENT, {"title": "T", "details": {"notify": False}})],
    ),
    "json.dumps": (
        "import json\ncreate_event(title='T', payload=json.dumps({'a': [1, True]}))",
        [(_EVENT, {"title": "T", "payload": '{"a": [1, true]}'})],
    ),
    "json.dumps with options": (
        "import json\ncreate_event(title='T', payload=json.dumps({'b': 1, 'a': 2}, sort_keys=True))",
        [(_EVENT, {"title": "T", "payload": '{"a": 2, "b": 1}'})],
    ),
    "json.loads of an object": (
        "import json\ncreate_event(title='T', details=json.loads('{\"notify\": true}'))",
        [(_EVENT, {"title": "T", "details": {"notify": True}})],
    ),
    "date": (
        "from datetime import date\ncreate_event(title='T', start=date(2024, 1, 5))",
        [(_EVENT, {"title": "T", "start": "2024-01-05"})],
    ),
    "datetime": (
        "from datetime import datetime\ncreate_event(title='T', start=datetime(2024, 1, 5, 9, 30))",
        [(_EVENT, {"title": "T", "start": "2024-01-05T09:30:00"})],
    ),
    "datetime.datetime": (
        "import datetime\ncreate_event(title='T', start=datetime.datetime(2024, 1, 5, 9, 30))",
        [(_EVENT, {"title": "T", "start": "2024-01-05T09:30:00"})],
    ),
    "isoformat": (
        "from datetime import datetime\ncreate_event(title='T', start=datetime(2024, 1, 5, 9, 30).isoformat())",
        [(_EVENT, {"title": "T", "start": "2024-01-05T09:30:00"})],
    ),
    "datetime.date isoformat": (
        "import datetime\ncreate_event(title='T', start=datetime.date(2024, 1, 5).isoformat())",
        [(_EVENT, {"title": "T", "start": "2024-01-05"})],
    ),
    "strftime": (
        "from datetime import date\ncreate_event(title='T', start=date(2024, 1, 5).strftime('%Y-%m-%d'))",
        [(_EVENT, {"title": "T", "start": "2024-01-05"})],
    ),
    "date named": (
        "from datetime import date\nday = date(2024, 1, 5)\ncreate_event(title='T', start=day)",
        [(_EVENT, {"title": "T", "start": "2024-01-05"})],
    ),
    "date as str": (
        "from datetime import date\ncreate_event(title='T', start=str(date(2024, 1, 5)))",
        [(_EVENT, {"title": "T", "start": "2024-01-05"})],
    ),
    "time": (
        "from datetime import time\ncreate_event(title='T', start=time(9, 30))",
        [(_EVENT, {"title": "T", "start": "09:30:00"})],
    ),
    "Path": (
        "from pathlib import Path\ncreate_event(title=Path('/tmp/a.txt'))",
        [(_EVENT, {"title": "/tmp/a.txt"})],
    ),
    "Decimal": (
        "from decimal import Decimal\ntransfer(from_='a', to='b', amount=Decimal('1.5'))",
        [("transfer", {"from": "a", "to": "b", "amount": 1.5})],
    ),
    "UUID": (
        "from uuid import UUID\ncreate_event(title=UUID('12345678-1234-5678-1234-567812345678'))",
        [(_EVENT, {"title": "12345678-1234-5678-1234-567812345678"})],
    ),
    "quotes in quotes": (
        "create_event(title='She said \"it\\'s fine\"')",
        [(_EVENT, {"title": 'She said "it\'s fine"'})],
    ),
    "backslashes": ("create_event(title='C:\\\\temp\\\\new')", [(_EVENT, {"title": "C:\\temp\\new"})]),
    "raw backslashes": ("create_event(title=r'C:\\temp\\new')", [(_EVENT, {"title": "C:\\temp\\new"})]),
    "invalid escape": ("create_event(title='\\d+\\.\\w')", [(_EVENT, {"title": "\\d+\\.\\w"})]),
    "newlines": ('create_event(title="""a\nb\n  c""")', [(_EVENT, {"title": "a\nb\n  c"})]),
    "a call in a string": (
        "create_event(title='get_weather(location=\"Oslo\")')",
        [
            (_EVENT, {"title": 'get_weather(location="Oslo")'}),
        ],
    ),
    "a fence in a string": ("create_event(title='```python')", [(_EVENT, {"title": "```python"})]),
    "a prompt in a string": ('create_event(title=""">>> x\n1. y\n- z""")', [(_EVENT, {"title": ">>> x\n1. y\n- z"})]),
    "smart quotes in a string": ('create_event(title="a “b” c’s")', [(_EVENT, {"title": "a “b” c’s"})]),
    "unicode": ("create_event(title='日本語 🙂 é')", [(_EVENT, {"title": "日本語 🙂 é"})]),
    "keyword parameter": (
        'transfer(from="a", to="b", amount=1.5)',
        [("transfer", {"from": "a", "to": "b", "amount": 1.5})],
    ),
    "keyword parameter renamed": ('transfer(from_="a", to="b")', [("transfer", {"from": "a", "to": "b"})]),
    "keyword parameter, two calls": (
        'transfer(from="a", to="b")\ntransfer(from="c", to="d")',
        [("transfer", {"from": "a", "to": "b"}), ("transfer", {"from": "c", "to": "d"})],
    ),
    "keyword parameter over lines": (
        'transfer(\n    from="a",\n    to="b from=c",\n)',
        [("transfer", {"from": "a", "to": "b from=c"})],
    ),
    "keyword parameter in braces": ('transfer(**{"from": "a", "to": "b"})', [("transfer", {"from": "a", "to": "b"})]),
    "dotted client name": ("math.factorial(number=5)", [("math.factorial", {"number": 5})]),
    "dotted Python name": ("math_factorial(5)", [("math.factorial", {"number": 5})]),
    "dotted, assigned": ("import math\nx = math.factorial(5)\nprint(x)", [("math.factorial", {"number": 5})]),
    "without arguments": ("list_users()", [("list_users", {})]),
    "without arguments, empty dict": ("list_users(**{})", [("list_users", {})]),
    "without arguments, {}": ("list_users({})", [("list_users", {})]),
    "expression": ("math_factorial(number=2 + 3)", [("math.factorial", {"number": 5})]),
    "int()": ("math_factorial(number=int('5'))", [("math.factorial", {"number": 5})]),
    "string for a number": ("math_factorial(number='5')", [("math.factorial", {"number": 5})]),
    "underscored number": ("math_factorial(number=1_000)", [("math.factorial", {"number": 1000})]),
    "hexadecimal": ("math_factorial(number=0xff)", [("math.factorial", {"number": 255})]),
    "exponent": ("transfer(from_='a', to='b', amount=1e3)", [("transfer", {"from": "a", "to": "b", "amount": 1000.0})]),
    "negative": ("transfer(from_='a', to='b', amount=-5)", [("transfer", {"from": "a", "to": "b", "amount": -5})]),
    "len": ("math_factorial(number=len('abcde'))", [("math.factorial", {"number": 5})]),
    "max": ("math_factorial(number=max([1, 5]))", [("math.factorial", {"number": 5})]),
    "range": (
        "for n in range(1, 3):\n    math_factorial(n)",
        [("math.factorial", {"number": 1}), ("math.factorial", {"number": 2})],
    ),
    "list of a name": (
        "tags = ['a', 'b']\ncreate_event(title='T', details={'tags': tags})",
        [(_EVENT, {"title": "T", "details": {"tags": ["a", "b"]}})],
    ),
    "unknown beside real": ("list_users()\nfrobnicate(x=1)", [("list_users", {})]),
    "different tools": (
        f"list_users()\n{P}\ncreate_event(title='T')",
        [("list_users", {}), *PARIS, (_EVENT, {"title": "T"})],
    ),
    "nested call": (
        "create_event(title=list_users())",
        [("list_users", {})],
    ),
}
