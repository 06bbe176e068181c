"""The tools of the forms, and ways in which models write calls in Python; every text means the same call or calls.

Each text of ``ONE_CODE`` means the one call ``PARIS``, each of ``TWO_CODE`` the calls ``PARIS`` and ``ROME``.
"""

from __future__ import annotations

from typing import Any

Calls = list[tuple[str, dict[str, Any]]]

TOOLS: dict[str, Any] = {
    "get_weather": {
        "type": "object",
        "properties": {
            "location": {"type": "string"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            "days": {"type": "integer"},
        },
        "required": ["location"],
    },
    "create-event": {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "start": {"type": "string"},
            "details": {
                "type": "object",
                "properties": {"notify": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "string"}}},
            },
            "payload": {"type": "string"},
        },
        "required": ["title"],
    },
    "transfer": {
        "type": "object",
        "properties": {"from": {"type": "string"}, "to": {"type": "string"}, "amount": {"type": "number"}},
        "required": ["from", "to"],
    },
    "math.factorial": {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
    "list_users": {"type": "object", "properties": {}},
}
"""Tools by the client's names; in Python: get_weather, create_event, transfer, math_factorial, list_users."""

PARIS: Calls = [("get_weather", {"location": "Paris", "unit": "celsius"})]
ROME: Calls = [("get_weather", {"location": "Rome", "unit": "fahrenheit"})]


def fenced(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}\n```"


P = 'get_weather(location="Paris", unit="celsius")'
R = 'get_weather(location="Rome", unit="fahrenheit")'
STUB = (
    "def get_weather(location: str, unit: Literal['celsius', 'fahrenheit'] | None = None,"
    " days: int | None = None) -> Any:\n"
)

ONE_CODE = {
    "client object": 'client = WeatherClient(key="x")\nclient.get_weather(location="Paris", unit="celsius")',
    "model validated": (
        "args = GetWeatherArgs.model_validate({'location': 'Paris', 'unit': 'celsius'})\nget_weather(**args.model_dump())"
    ),
    "arguments merged": "base = {'unit': 'celsius'}\nget_weather(**{**base, 'location': 'Paris'})",
    "partial": "from functools import partial\nget = partial(get_weather, unit='celsius')\nget(location='Paris')",
    "session with a function": f">>> def main():\n...     {P}\n...\n>>> main()",
    "result behind an arrow": f"{P}  # comment\n=> {{'temperature': 20}}",
    "result behind an arrow in the line": f"{P} -> {{'temperature': 20}}",
    "result as a line of words": f"{P}\nIt's 20 degrees in Paris.",
    "keywords": P,
    "positional": 'get_weather("Paris", "celsius")',
    "mixed": "get_weather('Paris', unit='celsius')",
    "spread": 'get_weather(**{"location": "Paris", "unit": "celsius"})',
    "spread dict()": 'get_weather(**dict(location="Paris", unit="celsius"))',
    "spread name": 'args = {"location": "Paris", "unit": "celsius"}\nget_weather(**args)',
    "spread part": 'get_weather("Paris", **{"unit": "celsius"})',
    "spread list": 'get_weather(*["Paris", "celsius"])',
    "one dict": 'get_weather({"location": "Paris", "unit": "celsius"})',
    "one dict named": 'params = dict(location="Paris", unit="celsius")\nget_weather(params)',
    "arguments=": 'get_weather(arguments={"location": "Paris", "unit": "celsius"})',
    "model": 'get_weather(GetWeatherArgs(location="Paris", unit="celsius"))',
    "model by name": 'get_weather(args=GetWeatherArgs(location="Paris", unit="celsius"))',
    "model first": 'args = GetWeatherArgs(location="Paris", unit="celsius")\nget_weather(args)',
    "model first, by name": 'request = WeatherRequest(location="Paris", unit="celsius")\nget_weather(request=request)',
    "model spread": 'args = GetWeatherArgs(location="Paris", unit="celsius")\nget_weather(**args.model_dump())',
    "model spread, dict()": 'args = GetWeatherArgs(location="Paris", unit="celsius")\nget_weather(**args.dict())',
    "model's fields": (
        'args = GetWeatherArgs(location="Paris", unit="celsius")\nget_weather(location=args.location, unit=args.unit)'
    ),
    "model class defined": (
        "class Args(BaseModel):\n    location: str\n    unit: str\n\n"
        'args = Args(location="Paris", unit="celsius")\nget_weather(location=args.location, unit=args.unit)'
    ),
    "dataclass defined": (
        "from dataclasses import dataclass\n\n@dataclass\nclass Args:\n    location: str\n    unit: str\n\n"
        'args = Args("Paris", "celsius")\nget_weather(args.location, args.unit)'
    ),
    "tools.": "tools." + P,
    "functions.": "functions." + P,
    "self.": "self." + P,
    "api.": "api." + P,
    "default_api.": "default_api." + P,
    "client.": "client." + P,
    "module": "import tools\ntools." + P,
    "from import": f"from tools import get_weather\n\n{P}",
    "from functions import": f"from functions import get_weather\n\nresult = {P}\nprint(result)",
    "import as": f"import functions as f\nf.{P}",
    "assigned": f"result = {P}",
    "annotated": f"result: dict[str, Any] = {P}",
    "underscore": f"_ = {P}",
    "await": f"await {P}",
    "assigned await": f"result = await {P}\nprint(result)",
    "print": f"print({P})",
    "print with words": f'print("The weather:", {P})',
    "print f-string": "print(f\"Weather: {get_weather(location='Paris', unit='celsius')}\")",
    "return": f"return {P}",
    "return await": f"return await {P}",
    "list": f"[{P}]",
    "tuple": f"({P},)",
    "parentheses": f"({P})",
    "assigned list": f"calls = [{P}]",
    "dict of results": f'results = {{"weather": {P}}}',
    "result printed": f"weather = {P}\nprint(weather)",
    "result indexed": f'weather = {P}\nprint(weather["temperature"])',
    "result in f-string": f"weather = {P}\nprint(f\"It is {{weather['temperature']}} degrees\")",
    "result's attribute": f"weather = {P}\nprint(weather.temperature)",
    "result at once": f'{P}["temperature"]',
    "comment": f"# First the weather\n{P}  # in Paris",
    "comment only behind": f"{P}\n# This returns the weather.",
    "docstring": f'"""Get the weather."""\n{P}',
    "semicolon": P + ";",
    "trailing comma": 'get_weather(location="Paris", unit="celsius",)',
    "over lines": 'get_weather(\n    location="Paris",\n    unit="celsius",\n)',
    "black's parentheses": 'get_weather(\n    location=(\n        "Paris"\n    ),\n    unit="celsius",\n)',
    "comments in the call": 'get_weather(\n    location="Paris",  # the city\n    # the unit\n    unit="celsius",\n)',
    "blank lines in the call": 'get_weather(\n\n    location="Paris",\n\n    unit="celsius"\n\n)',
    "backslash": 'get_weather(location="Paris", \\\n    unit="celsius")',
    "backslash before the call": f"result = \\\n    {P}",
    "space before the parenthesis": 'get_weather (location="Paris", unit="celsius")',
    "spaces inside": 'get_weather( location = "Paris" , unit = "celsius" )',
    "variables": 'location = "Paris"\nunit = "celsius"\nget_weather(location=location, unit=unit)',
    "annotated variables": 'location: str = "Paris"\nunit: str = "celsius"\nget_weather(location, unit)',
    "several targets": 'location, unit = "Paris", "celsius"\nget_weather(location, unit)',
    "implicit concatenation": 'get_weather(location="Pa" "ris", unit="celsius")',
    "concatenation over lines": 'get_weather(\n    location=("Pa"\n        "ris"),\n    unit="celsius",\n)',
    "plus": 'get_weather(location="Pa" + "ris", unit="celsius")',
    "f-string": 'city = "Paris"\nget_weather(location=f"{city}", unit="celsius")',
    "format": 'get_weather(location="{}".format("Paris"), unit="celsius")',
    "percent": 'get_weather(location="%s" % "Paris", unit="celsius")',
    "strip": 'get_weather(location=" Paris ".strip(), unit="celsius")',
    "lower": 'get_weather(location="Paris", unit="CELSIUS".lower())',
    "str()": 'get_weather(location=str("Paris"), unit="celsius")',
    "join": 'get_weather(location="".join(["Pa", "ris"]), unit="celsius")',
    "triple quotes": 'get_weather(location="""Paris""", unit="celsius")',
    "raw string": "get_weather(location=r'Paris', unit=\"celsius\")",
    "u string": "get_weather(location=u'Paris', unit=u'celsius')",
    "escapes": 'get_weather(location="\\u0050aris", unit="\\x63elsius")',
    "null for the optional": 'get_weather(location="Paris", unit="celsius", days=null)',
    "None for the optional": 'get_weather(location="Paris", unit="celsius", days=None)',
    "enum member": 'get_weather(location="Paris", unit=Unit.CELSIUS)',
    "enum member's value": 'get_weather(location="Paris", unit=Unit.CELSIUS.value)',
    "enum of other name": 'get_weather(location="Paris", unit=GetWeatherUnit.celsius)',
    "enum call": 'get_weather(location="Paris", unit=Unit("celsius"))',
    "enum defined": (
        'from enum import Enum\n\nclass Unit(Enum):\n    CELSIUS = "celsius"\n    FAHRENHEIT = "fahrenheit"\n\n'
        'get_weather(location="Paris", unit=Unit.CELSIUS)'
    ),
    "enum defined, value": (
        'from enum import Enum\n\nclass Unit(str, Enum):\n    CELSIUS = "celsius"\n    FAHRENHEIT = "fahrenheit"\n\n'
        'get_weather(location="Paris", unit=Unit.CELSIUS.value)'
    ),
    "json.loads": 'import json\nget_weather(**json.loads(\'{"location": "Paris", "unit": "celsius"}\'))',
    "json.loads named": (
        'import json\n\nargs = json.loads(\'{"location": "Paris", "unit": "celsius"}\')\n'
        'get_weather(location=args["location"], unit=args["unit"])'
    ),
    "dict indexed": 'd = {"city": "Paris", "unit": "celsius"}\nget_weather(location=d["city"], unit=d["unit"])',
    "dict get": 'd = {"city": "Paris"}\nget_weather(location=d.get("city"), unit=d.get("unit", "celsius"))',
    "list indexed": 'cities = ["Paris", "Rome"]\nget_weather(location=cities[0], unit="celsius")',
    "conditional expression": 'metric = True\nget_weather("Paris", "celsius" if metric else "fahrenheit")',
    "walrus": f"if (result := {P}):\n    print(result)",
    "if True": f"if True:\n    {P}",
    "try": f"try:\n    result = {P}\n    print(result)\nexcept Exception as e:\n    print(f'Error: {{e}}')",
    "try finally": f"try:\n    {P}\nfinally:\n    print('done')",
    "with pass": f"def helper():\n    pass\n\n{P}",
    "loop": "for city in ['Paris']:\n    get_weather(location=city, unit='celsius')",
    "loop of dicts": "for args in [{'location': 'Paris', 'unit': 'celsius'}]:\n    get_weather(**args)",
    "comprehension": "[get_weather(location=c, unit='celsius') for c in ['Paris']]",
    "main": f"def main():\n    {P}\n\nmain()",
    "main guarded": f'def main():\n    result = {P}\n    print(result)\n\nif __name__ == "__main__":\n    main()',
    "main with types": f"def main() -> None:\n    print({P})\n\n\nif __name__ == '__main__':\n    main()\n",
    "main with argument": "def main(city: str):\n    return get_weather(location=city, unit='celsius')\n\nmain('Paris')",
    "async main": f"import asyncio\n\nasync def main():\n    r = await {P}\n    print(r)\n\nasyncio.run(main())",
    "async main, gather": f"import asyncio\n\nasync def main():\n    await asyncio.gather({P})\n\nasyncio.run(main())",
    "async main awaited": f"async def main():\n    return await {P}\n\nawait main()",
    "guard without main": f"if __name__ == '__main__':\n    {P}",
    "main not called": f"def main():\n    {P}",
    "stub repeated": f'{STUB}    """Get weather."""\n    ...\n\n{P}',
    "stub redefined": f"{STUB}    return {{'temperature': 20}}\n\n{P}",
    "stub redefined, printed": f"{STUB}    # Implementation\n    return f'Sunny in {{location}}'\n\nresult = {P}\nprint(result)",
    "stub of other signature": f"def get_weather(location, unit='celsius'):\n    pass\n\n{P}",
    "stub and guard": f"{STUB}    pass\n\nif __name__ == '__main__':\n    print({P})",
    "lambda of nothing": f"call = lambda: {P}\ncall()",
    "append": f"results = []\nresults.append({P})",
    "augmented": f"results = []\nresults += [{P}]",
    "assert": f"result = {P}\nassert result is not None",
    "shebang": f"#!/usr/bin/env python3\n{P}",
    "encoding line": f"# -*- coding: utf-8 -*-\n{P}",
    "typing only": f"from typing import List, Dict\nfrom pydantic import BaseModel\n\n{P}",
    "indented": f"    {P}",
    "indented by tabs": f"\t{P}",
    "prompt >>>": f">>> {P}",
    "prompt >>> with result": f">>> {P}\n{{'temperature': 20}}",
    "prompt ...": '>>> get_weather(\n...     location="Paris",\n...     unit="celsius",\n... )',
    "prompt >>> two": f">>> result = {P}\n>>> print(result)\n20 degrees",
    "prompt In": f"In [1]: {P}",
    "prompt In and Out": f"In [1]: {P}\nOut[1]: {{'temperature': 20}}",
    "prompt In, continued": 'In [12]: get_weather(\n    ...:     location="Paris",\n    ...:     unit="celsius",\n    ...: )',
    "prompt In, continued deep": 'In [1]: get_weather(\n   ...:     location="Paris",\n   ...:     unit="celsius")',
    "line numbers, dot": f"1. {P}",
    "line numbers, colon": '1: location = "Paris"\n2: get_weather(location=location, unit="celsius")',
    "line numbers, bar": '1 | get_weather(\n2 |     location="Paris",\n3 |     unit="celsius",\n4 | )',
    "line numbers, spaces": '  1  get_weather(\n  2      location="Paris",\n  3      unit="celsius",\n  4  )',
    "line numbers, padded": '01  location = "Paris"\n02  get_weather(location=location, unit="celsius")',
    "line numbers, tab": '1\tlocation = "Paris"\n2\tget_weather(location=location, unit="celsius")',
    "client's case": 'Get_Weather(location="Paris", unit="celsius")',
    "camel case": 'getWeather(location="Paris", unit="celsius")',
    "dashes": 'get-weather(location="Paris", unit="celsius")',
    "double assignment": f"a = b = {P}",
    "star print": f"print(*[{P}])",
    "pprint": f"from pprint import pprint\npprint({P})",
    "json.dumps of the result": f"import json\nprint(json.dumps({P}, indent=2))",
    "exit behind": f"{P}\nexit()",
    "ellipsis behind": f"{P}\n...",
    "pass behind": f"{P}\npass",
    "type: ignore": f"{P}  # type: ignore",
    "result comment": f"{P}\n# Output: {{'temperature': 20}}",
    "arrow comment": f"{P}  # -> 20 degrees",
    "if result": f"result = {P}\nif result:\n    print(result)\nelse:\n    print('nothing')",
    "for over result": f"for item in {P}:\n    print(item)",
    "class wrapper": f"class Agent:\n    def run(self):\n        return {P}\n\nAgent().run()",
}
TWO_CODE = {
    "loop, another way of writing the name": (
        "for c, u in [('Paris', 'celsius'), ('Rome', 'fahrenheit')]:\n    getWeather(location=c, unit=u)"
    ),
    "loop, owner": (
        "for c, u in [('Paris', 'celsius'), ('Rome', 'fahrenheit')]:\n    print(api.get_weather(location=c, unit=u))"
    ),
    "loop over objects": (
        "cities = [City(name='Paris', unit='celsius'), City(name='Rome', unit='fahrenheit')]\n"
        "for city in cities:\n    get_weather(location=city.name, unit=city.unit)"
    ),
    "loop over arguments as objects": (
        "calls = [GetWeatherArgs(location='Paris', unit='celsius'), GetWeatherArgs(location='Rome', unit='fahrenheit')]\n"
        "for args in calls:\n    get_weather(args)"
    ),
    "loop over members": (
        "class Unit(Enum):\n    C = 'celsius'\n    F = 'fahrenheit'\n\n"
        "for c, u in [('Paris', Unit.C.value), ('Rome', Unit.F)]:\n    get_weather(location=c, unit=u)"
    ),
    "own function": (
        "def get(city, unit):\n    return get_weather(location=city, unit=unit)\n\n"
        "get('Paris', 'celsius')\nget('Rome', 'fahrenheit')"
    ),
    "tasks": (
        f"async def main():\n    a = asyncio.create_task({P})\n    b = asyncio.create_task({R})\n"
        "    print(await a, await b)\n\nasyncio.run(main())"
    ),
    "starred gather": f"tasks = [{P}, {R}]\nresults = await asyncio.gather(*tasks)\nprint(results)",
    "pretty printed": f"from pprint import pprint\npprint([{P}, {R}])",
    "f-string of both": (
        "print(f\"{get_weather(location='Paris', unit='celsius')} {get_weather(location='Rome', unit='fahrenheit')}\")"
    ),
    "mended list": (
        '[get_weather(location: "Paris", unit: "celsius"), get_weather(location: "Rome", unit: "fahrenheit")]'
    ),
    "two lines": f"{P}\n{R}",
    "semicolons": f"{P}; {R}",
    "comma": f"{P}, {R}",
    "list": f"[{P}, {R}]",
    "list over lines": f"[\n    {P},\n    {R},\n]",
    "tuple": f"({P}, {R})",
    "assigned list": f"results = [{P}, {R}]\nprint(results)",
    "assigned tuple": f"a, b = {P}, {R}",
    "dict": f'{{"paris": {P}, "rome": {R}}}',
    "set": f"{{{P}, {R}}}",
    "print both": f"print({P}, {R})",
    "named": f"paris = {P}\nrome = {R}\nprint(paris, rome)",
    "loop": (
        "for city, unit in [('Paris', 'celsius'), ('Rome', 'fahrenheit')]:\n    get_weather(location=city, unit=unit)"
    ),
    "loop over zip": (
        "cities = ['Paris', 'Rome']\nunits = ['celsius', 'fahrenheit']\n"
        "for city, unit in zip(cities, units):\n    print(get_weather(city, unit))"
    ),
    "loop over dict": (
        "cities = {'Paris': 'celsius', 'Rome': 'fahrenheit'}\nresults = {}\nfor city, unit in cities.items():\n"
        "    results[city] = get_weather(location=city, unit=unit)\nprint(results)"
    ),
    "comprehension": (
        "results = [get_weather(c, u) for c, u in [('Paris', 'celsius'), ('Rome', 'fahrenheit')]]\nprint(results)"
    ),
    "gather": f"import asyncio\nresults = await asyncio.gather({P}, {R})",
    "append": f"results = []\nresults.append({P})\nresults.append({R})\nprint(results)",
    "main": f"def main():\n    a = {P}\n    b = {R}\n    print(a, b)\n\nif __name__ == '__main__':\n    main()",
    "stub redefined": f"{STUB}    return {{'t': 1}}\n\na = {P}\nb = {R}\nprint(a, b)",
    "prompts": f">>> {P}\n>>> {R}\n{{'t': 25}}",
    "prompts In": f"In [1]: {P}\n\nIn [2]: {R}\nOut[2]: {{'t': 25}}",
    "line numbers": f"1  {P}\n2  {R}",
    "line numbers, dots": f"1. {P}\n2. {R}",
    "dashes": f"- {P}\n- {R}",
    "comments": f"# Paris\n{P}\n\n# Rome\n{R}",
    "try each": (
        f"try:\n    a = {P}\nexcept Exception:\n    a = None\ntry:\n    b = {R}\nexcept Exception:\n    b = None"
    ),
    "missing comma in list": f"[{P}\n {R}]",
    "second indented": f"{P}\n    {R}",
    "trailing commas": f"{P},\n{R},",
}
