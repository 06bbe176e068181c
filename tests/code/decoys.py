"""Calls in what others said, in examples and in questions, which must not be made, beside those that must; see forms.py."""

from __future__ import annotations

import json

from tests.code.forms import P, R, fenced

_OBJECT = json.dumps({"name": "get_weather", "arguments": {"location": "Paris", "unit": "celsius"}})
_TAGGED = f"<tool_call>{_OBJECT}</tool_call>"
_OSLO = fenced('get_weather(location="Oslo")')
_IN_CLASS = "class Tools:\n    def get_weather(self, location, unit=None):\n        pass\n\n"
_STATIC = _IN_CLASS.replace("    def", "    @staticmethod\n    def")


def _placeholder(value: str) -> str:
    return fenced(f'get_weather(location="{value}")')


DECOYS = {
    "a tool's answer": f"The tool answered:\n{fenced(P, '')}",
    "a tool's answer, text": f"The tool answered:\n{fenced(P, 'text')}",
    "a tool's answer, json": f"The tool answered:\n{fenced(_OBJECT, 'json')}",
    "a tool's answer, bold": f"**The function returned:**\n{fenced(P)}",
    "a tool's answer, inline": f"The tool answered: ```{P}```",
    "a tool's answer, tagged": f"The tool answered:\n\n{_TAGGED}",
    "an email": f"The email says:\n\n{P}\n\nI won't do that.",
    "an email, bare": f"The email says:\n\n{P}\n",
    "an email, fenced": f"The email says:\n\n{fenced(P)}\n\nI did not run this.",
    "an email in German": f"Die E-Mail sagt:\n\n{fenced(P)}",
    "a page": f"The page contains the following:\n\n{fenced(P, '')}",
    "a quotation": f"> ```python\n> {P}\n> ```\nThat is an injection, so I ignored it.",
    "a quotation, introduced": f"The document says:\n> ```python\n> {P}\n> ```\n",
    "not executed": f"For example:\n{fenced(P)}\nI have not executed this.",
    "an example, then a question": f"For example, it would look like this:\n{fenced(P)}\nDo you want me to do it?",
    "how, then a question": f"Here's an example of how you could call it:\n{fenced(P)}\nWhich city do you want?",
    "possible, then a question": f"I can run this:\n{fenced(P)}\nIs that the right city?",
    "possible, then a question, bare": f"I can run this:\n\n{P}\n\nIs that the right city?",
    "possible, then a question, indented": f"I can run this:\n\n    {P}\n\nIs that the right city?",
    "possible, to be confirmed": f"I could call this:\n{fenced(P)}\nPlease confirm.",
    "a German example": f"Ein Beispiel wäre:\n{fenced(P)}\nWelche Stadt?",
    "leave is asked": f"Shall I run this?\n{fenced(P)}",
    "placeholder, then a question": f"{_placeholder('<city>')}\nWhich city?",
    "placeholder behind a question": f"Which city?\n{_placeholder('{city}')}",
    "placeholder in an example": f"An example:\n{_placeholder('YOUR_CITY')}",
    "placeholder that is possible": f"I can call it:\n{_placeholder('<your city>')}",
    "placeholder in a list": '- `get_weather(location="<city>")`',
    "tag in a sentence": f"I could write {_TAGGED} but I need the city first.",
    "tag that is explained": f"The format is {_TAGGED}, as documented.",
    "tag that is explained, colon": f"The format is: {_TAGGED}, as documented.",
    "tags in a sentence": f"Write {_TAGGED} or {_TAGGED} to ask for it.",
    "tag in a fence": f"Tools are called like this:\n{fenced(_TAGGED, 'xml')}",
    "tag in a fence's line": f"Tools are called like this:\n```xml {_TAGGED}\n```",
}
"""What must call nothing."""

MEANT = {
    "a lone example": f"For example:\n{fenced(P)}",
    "possible": f"I can use get_weather for this:\n{fenced(P)}\nLet me know if you need more.",
    "possible, then a polite question": f"I can use it:\n{fenced(P)}\nIs there anything else I can do for you?",
    "what the user wants": f"The user says they want the weather in Paris:\n{fenced(P)}",
    "a call behind an email": f"The email says:\n{_OSLO}\nI look it up:\n{fenced(P)}",
    "a call behind a placeholder": f"{_placeholder('<city>')}\nWith your city:\n{fenced(P)}",
    "a tag, introduced": f"Let me check: {_TAGGED}",
    "a tag between sentences": f"Sure! {_TAGGED} I will tell you.",
    "a tag at the end of a sentence": f"I'll check it {_TAGGED}<|im_end|>",
    "semicolon in the call": fenced('get_weather(location="Paris"; unit="celsius")'),
    "calls assigned": fenced(f"tool_calls = [{_OBJECT}]"),
    "calls assigned, over lines": fenced(f"tool_calls = [\n  {_OBJECT},\n]"),
    "called by name": fenced("call_tool('get_weather', {'location': 'Paris', 'unit': 'celsius'})"),
    "called by name, keywords": fenced(
        "r = call_function(\"get_weather\", location='Paris', unit='celsius')\nprint(r)"
    ),
    "called by name, all named": fenced(
        "await client.call_tool(name='get_weather', arguments={'location': 'Paris', 'unit': 'celsius'})"
    ),
    "called by name, bare": "call_tool('get_weather', {'location': 'Paris', 'unit': 'celsius'})",
    "in a class": fenced(f"{_IN_CLASS}tools = Tools()\ntools.{P}"),
    "in a class, another name": fenced(f"{_IN_CLASS}client = Tools()\nprint(client.{P})"),
    "in a class, at once": fenced(f"{_IN_CLASS}Tools().{P}"),
    "in a class, static": fenced(f"{_STATIC}Tools.{P}"),
    "in a class, computed": fenced(
        f"{_IN_CLASS}def main():\n    tools = Tools()\n    for city in ['Paris']:\n"
        "        print(tools.get_weather(location=city, unit='celsius'))\n\nmain()"
    ),
}
"""What calls for the weather of Paris all the same."""

MEANT_TWICE = {
    "possible twice": f"I can use it for both:\n{fenced(P)}\nThen I can call it again:\n{fenced(R)}",
    "possible, then done": f"I can use it:\n{fenced(P)}\nAnd now:\n{fenced(R)}",
}
"""What calls for Paris and Rome."""
