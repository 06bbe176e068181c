"""In a set, one name must not mean two things, and what several tools share is said once and still said."""

from __future__ import annotations

from inline_snapshot import snapshot

from emulator.tools.together import clashing_classes, written_together
from emulator.tools.toolstub import ToolStub

PROJECT = "Project ID or URL-encoded path of the project"


def stub(name: str, notes: dict[str, str] | None = None, **classes: str) -> ToolStub:
    notes = notes or {}
    return ToolStub(name, name, f"def {name}() -> Any:", {key: key for key in notes}, f"Does {name}.", notes, classes)


def test_a_note_of_three_tools_stands_once_in_front() -> None:
    several = [stub(name, {"project": PROJECT, "page": "Number", name: PROJECT}) for name in ("a", "b", "c")]
    assert written_together(several) == snapshot('''\
# In several functions:
# project: Project ID or URL-encoded path of the project

def a() -> Any:
 """Does a.
page: Number
a: Project ID or URL-encoded path of the project"""

def b() -> Any:
 """Does b.
page: Number
b: Project ID or URL-encoded path of the project"""

def c() -> Any:
 """Does c.
page: Number
c: Project ID or URL-encoded path of the project"""\
''')
    assert "#" not in written_together(several[:2])


def test_one_note_of_a_name_is_shared_and_the_others_stay() -> None:
    other = "Project that is to be made, by its future path"
    several = [stub(str(n), {"project": other if n < 3 else PROJECT}) for n in range(7)]
    written = written_together(several)
    assert written.startswith(f"# In several functions:\n# project: {PROJECT}\n\n")
    assert written.count(PROJECT) == 1
    assert written.count(f"project: {other}") == 3


def test_a_parameter_without_a_note_does_not_get_another_tools() -> None:
    silent = [ToolStub(name, name, f"def {name}(project: int) -> Any:", {"project": "project"}) for name in ("d", "e")]
    several = [stub(name, {"project": PROJECT}) for name in ("a", "b", "c")]
    assert written_together([*several, *silent]).startswith(
        f"# In several functions:\n# project: {PROJECT} (not in d, e)\n\n"
    )
    many = [ToolStub(f"silent_{n}", f"silent_{n}", "def f() -> Any:", {"project": "project"}) for n in range(9)]
    assert written_together([*several, *many]).count(PROJECT) == 3


def test_words_about_a_tool_are_its_own_whatever_they_look_like() -> None:
    line = f"project: {PROJECT}"
    written = written_together(
        [
            ToolStub(name, name, f"def {name}() -> Any:", {"project": "project"}, line, {"project": PROJECT})
            for name in ("a", "b", "c")
        ]
    )
    assert written.count(f'"""{line}"""') == 3
    assert written.count(f"# {line}") == 1


def test_a_function_that_has_nothing_else_to_say_needs_no_docstring() -> None:
    parameters, notes = {"project": "project"}, {"project": PROJECT}
    several = [ToolStub(name, name, f"def {name}() -> Any:", parameters, "", notes) for name in ("a", "b", "c")]
    assert written_together(several).endswith("\n\ndef a() -> Any: ...\n\ndef b() -> Any: ...\n\ndef c() -> Any: ...")


def test_the_same_class_stands_once_before_its_first_function() -> None:
    place = "class Place(BaseModel):\n x: int"
    several = [stub("a", Place=place), stub("b", Place=place, Other="class Other(BaseModel):\n y: int")]
    assert clashing_classes(several) == {}
    written = written_together(several)
    assert written.count("class Place") == 1
    assert written.index("class Place") < written.index("def a") < written.index("class Other") < written.index("def b")


def test_a_name_clashes_where_it_has_another_meaning() -> None:
    several = [
        stub("a", Place="class Place(BaseModel):\n x: int"),
        stub("b", Place="class Place(BaseModel):\n x: str", Other="class Other(BaseModel):\n x: str"),
        stub("Other"),
    ]
    assert clashing_classes(several) == {1: {"Place", "Other"}}
