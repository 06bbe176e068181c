"""Answers in the formats that models were trained on, with what is to be read from them."""

from __future__ import annotations

from emulator.code.readings import Mused, Reading, Said
from tests.code.samples import PARIS, ROME, call

JSON = '{"name": "get_weather", "arguments": {"city": "Paris"}}'
OTHER = '{"name": "get_weather", "arguments": {"city": "Rome"}}'
NOW = call("now")

CALLS: dict[str, tuple[str, list[Reading]]] = {
    "hermes": (f"<tool_call>\n{JSON}\n</tool_call>", [PARIS]),
    "hermes, several": (f"<tool_call>{JSON}</tool_call>\n<tool_call>{OTHER}</tool_call>", [PARIS, ROME]),
    "hermes, behind words": (
        f"Let me see. <tool_call>{JSON}</tool_call> Done.",
        [Said("Let me see."), PARIS, Said("  Done.")],
    ),
    "hermes, unclosed": (f"<tool_call>\n{JSON}", [PARIS]),
    "hermes, words instead of the closing": (f"<tool_call>\n{JSON}\nDone.", [PARIS, Said("Done.")]),
    "hermes, closed by the next opening": (f"<tool_call>\n{JSON}\n<tool_call>\n{OTHER}\n</tool_call>", [PARIS, ROME]),
    "hermes, in a fence": (f"```\n<tool_call>\n{JSON}\n</tool_call>\n```", [PARIS]),
    "hermes, with a fence inside": (f"<tool_call>\n```json\n{JSON}\n```\n</tool_call>", [PARIS]),
    "hermes, its tag in a value": (
        '<tool_call>{"name": "send", "arguments": {"to": "</tool_call>"}}</tool_call>',
        [call("send", to="</tool_call>")],
    ),
    "hermes, a dict of Python": (
        "<tool_call>{'name': 'send', 'arguments': {'to': 'it\\'s', 'body': None}}</tool_call>",
        [call("send", to="it's", body=None)],
    ),
    "hermes, a call of Python": ('<tool_call>get_weather(city="Paris")</tool_call>', [PARIS]),
    "qwen coder": (
        "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>\n</tool_call>",
        [PARIS],
    ),
    "qwen coder, unopened": (
        "<function=get_weather>\n<parameter=city>Paris</parameter>\n</function>\n</tool_call>",
        [PARIS],
    ),
    "llama": ('{"name": "get_weather", "parameters": {"city": "Paris"}}', [PARIS]),
    "llama, several": (f"<|python_tag|>{JSON}; {OTHER}<|eom_id|>", [PARIS, ROME]),
    "llama, a tag": ('<function=get_weather>{"city": "Paris"}</function><|eot_id|>', [PARIS]),
    "mistral, a list": (f"[TOOL_CALLS] [{JSON}, {OTHER}]", [PARIS, ROME]),
    "mistral, by name": ('[TOOL_CALLS]get_weather{"city": "Paris"}[TOOL_CALLS]now[ARGS]{}</s>', [PARIS, NOW]),
    "deepseek v3": (
        (
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n"
            '```json\n{"city": "Paris"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>'
        ),
        [PARIS],
    ),
    "deepseek v3.1": (
        '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Paris"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
        [PARIS],
    ),
    "deepseek v3.2": (
        (
            '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_weather">\n<｜DSML｜parameter name="city" string="true">Paris'
            "</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>"
        ),
        [PARIS],
    ),
    "kimi": (
        (
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>"
            '{"city": "Paris"}<|tool_call_end|><|tool_calls_section_end|>'
        ),
        [PARIS],
    ),
    "anthropic": (
        '<function_calls>\n<invoke name="get_weather">\n<parameter name="city">Paris</parameter>\n</invoke>\n</function_calls>',
        [PARIS],
    ),
    "tool_use": ('<tool_use>\n<name>get_weather</name>\n<input>{"city": "Paris"}</input>\n</tool_use>', [PARIS]),
    "glm": (
        "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n</tool_call>",
        [PARIS],
    ),
    "the tool's name as the tag": ("<get_weather>\n<city>Paris</city>\n</get_weather>", [PARIS]),
    "react": ('I look it up.\nAction: get_weather\nAction Input: {"city": "Paris"}', [Said("I look it up."), PARIS]),
    "react, an invented result": ("Action: now\nAction Input: {}\nObservation: 12\nFinal Answer: 12", [NOW]),
    "command-r": ('Action: ```json\n[{"tool_name": "get_weather", "parameters": {"city": "Paris"}}]\n```', [PARIS]),
    "command-a": ('<|START_ACTION|>[{"tool_name": "now", "parameters": {}}]<|END_ACTION|>', [NOW]),
    "functools": (f"functools[{JSON}]", [PARIS]),
    "granite": (f"<|tool_call|>[{JSON}]", [PARIS]),
    "phi": (f"<|tool_call|>[{JSON}]<|/tool_call|>", [PARIS]),
    "internlm": (f"<|action_start|><|plugin|>\n{JSON}<|action_end|>", [PARIS]),
    "gemma": ("<start_function_call>call:get_weather{city:<escape>Paris<escape>}<end_function_call>", [PARIS]),
    "apertus": ('<|tools_prefix|>[{"get_weather": {"city": "Paris"}}]<|tools_suffix|>', [PARIS]),
    "functionary": ('>>>get_weather\n{"city": "Paris"}>>>now\n{}', [PARIS, NOW]),
    "harmony": (
        (
            "<|channel|>analysis<|message|>now()?<|end|><|start|>assistant<|channel|>commentary<|message|>I look.<|end|>"
            "<|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>"
            '{"city": "Paris"}<|call|>'
        ),
        [Mused("now()?"), Said("I look."), PARIS],
    ),
    "harmony, the answer": (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hello<|return|>",
        [Mused("Hm."), Said("Hello")],
    ),
    "harmony, without its tokens": (
        'analysisWe call it.assistantcommentary to=functions.get_weather json{"city": "Paris"}',
        [Mused("We call it."), PARIS],
    ),
    "openai": (
        '{"tool_calls": [{"id": "1", "type": "function", "function": {"name": "now", "arguments": "{}"}}]}',
        [NOW],
    ),
    "json over lines": ('{\n  "tool": "get_weather",\n  "tool_input": {\n    "city": "Paris"\n  }\n}', [PARIS]),
    "json, the tool as the key": ('{"get_weather": {"city": "Paris"}}', [PARIS]),
    "json in a fence": (f"Here:\n```json\n{JSON}\n```\nDone.", [Said("Here:"), PARIS, Said("\nDone.")]),
    "json in a fence of Python": (f"```python\n{JSON}\n```", [PARIS]),
    "json in an unclosed fence": (f"```json\n[{JSON}]", [PARIS]),
    "json, a brace too few": (JSON[:-1], [PARIS]),
    "json, a brace too many": (JSON + "}", [PARIS]),
    "json, the arguments beside the name": ('{"tool": "get_weather", "city": "Paris"}', [PARIS]),
    "json, labelled": (f"**Function call:** {JSON}", [PARIS]),
    "json, in a list": (f"1. {JSON}\n2. {OTHER}", [PARIS, ROME]),
    "json, in backticks": (f"`{JSON}`", [PARIS]),
    "json, doubled braces": (f"{{{JSON}}}", [PARIS]),
    "json, escaped": (JSON.replace('"', '\\"'), [PARIS]),
    "json, behind the name": ('get_weather: {"city": "Paris"}', [PARIS]),
    "json, below the name": ('get_weather\n{"city": "Paris"}', [PARIS]),
    "json, in a tag for answers": (f"<answer>{JSON}</answer>", [PARIS]),
    "json, in square tags": (f"[TOOL_REQUEST]\n{JSON}\n[END_TOOL_REQUEST]", [PARIS]),
    "hermes, labelled lines": ('<tool_call>\nname: get_weather\narguments: {"city": "Paris"}\n</tool_call>', [PARIS]),
    "hermes, the tool's own tag": (
        "<tool_calls><get_weather><city>Paris</city></get_weather><now></now></tool_calls>",
        [PARIS, NOW],
    ),
    "name and arguments as siblings": ('<tool>get_weather</tool>\n<tool_input>{"city": "Paris"}</tool_input>', [PARIS]),
    "a value closed by the call's end": (
        "<tool_call><function=send><parameter=to>a</parameter>\n<parameter=body>b</function></tool_call>",
        [call("send", to="a", body="b")],
    ),
    "a value closed by the next in a new line": (
        "<function=send><parameter=to>a\n<parameter=body>b</parameter></function>",
        [call("send", to="a", body="b")],
    ),
    "an element for the name, and one for each value": (
        "<tool_use><call><name>send</name><to>a</to></call>\n<call><name>now</name></call></tool_use>",
        [call("send", to="a"), NOW],
    ),
    "calls in the prompt's tag for declarations": (f"<tools>\n{JSON}\n</tools>", [PARIS]),
    "a fence between words": (f"I can use this:\n```json\n{JSON}\n```", [Said("I can use this:"), PARIS]),
    "attributes": ('<get_weather city="Paris"/>', [PARIS]),
    "escaped values": (
        '<invoke name="send"><parameter name="to">a &lt; b &amp;&amp; c</parameter></invoke>',
        [call("send", to="a < b && c")],
    ),
    "another way of writing the name": ('{"name": "functions.getWeather", "arguments": {"city": "Paris"}}', [PARIS]),
    "tokens at the ends": ('<|im_start|>assistant\nget_weather(city="Paris")<|im_end|>', [PARIS]),
    "tokens in code": (
        "```python\nsend(to='<|im_end|>')<|im_end|>\n```",
        [call("send", to="<|im_end|>")],
    ),
    "a turn that isn't the model's": ("Hello.<|im_end|>\n<|im_start|>user\nnow()\n", [Said("Hello.")]),
    "an invented response": (f"<tool_call>{JSON}</tool_call>\n<tool_response>20</tool_response>\nnow()", [PARIS]),
    "thought tokens": ("[THINK]now()[/THINK]Hello", [Mused("now()"), Said("Hello")]),
}
"""Everything in these answers that calls a tool is a call."""

WORDS = {
    "a text where there are several arguments": "Action: get_weather\nAction Input: Paris",
    "data": '{"name": "Alice", "age": 3}\nis all.',
    "data in a fence": 'Here:\n```json\n{"name": "Alice"}\n```\nDone',
    "data over lines": '[\n  {"name": "now"},\n  {"name": "Alice"}\n]\nDone.',
    "a declared tool": '{"name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}}}',
    "declared tools, with a schema for each parameter": (
        '[{"name": "get_weather", "parameters": {"city": {"type": "string", "description": "Where"}}}]'
    ),
    "declared tools in their tag": '<tools>[{"name": "get_weather", "parameters": {"city": "the city"}}]</tools>',
    "tools that could be used": (
        'I can use these:\n[{"name": "get_weather", "parameters": {"city": "the city"}}, {"name": "now", "parameters": {}}]'
    ),
    "tools that are available, in a fence": (
        'The available functions are listed here:\n```json\n[{"name": "now", "parameters": {}}]\n```\nWhich one?'
    ),
    "a key that stands twice": '{"name": "send", "arguments": {"to": "a", "to": "b"}}',
    "a tool's tag with a value that nothing closes": "<send>\n<to>a",
    "a tool's tag with words beside the values": "<send><to>a</to> and <body>b</body></send>",
    "a tool's tag with words in it": "<now>12 o'clock</now>",
    "an attribute that stands there twice": '<send to="a" to="b"/>',
    "a result that names its tool": '{"name": "now", "status": "ok", "result": "12:00"}',
    "a tag that is an answer's": "<answer>It is 12.</answer>",
    "arguments that don't hold for what may be data": '{"get_weather": {"town": 3}}',
    "a call that words are about": f"{JSON} is what I would write.",
    "a tag that words are about": "The <tool_call> tag opens it.\nThen JSON.",
    "a tag in backticks": f"Models write `<tool_call>{JSON}</tool_call>` for that.",
    "a frame of something else": '<tool_call>\n{"data": 1}\n</tool_call>',
    "an action that is no tool": "Action: I go home\nAction Input: none",
    "a result that nothing called for": "<tool_response>\nnow()\n</tool_response>\nSo it is.",
    "tokens that words are about": "It ends with <|im_end|>\nand then <|im_start|> begins.",
    "markup": "<div>\n<p>now</p>\n</div>\nText",
    "a fence in another language": "```yaml\nname: now\narguments: {}\n```",
    "no arguments": "now: {}",
}
"""Answers without a call, which are said word for word."""
