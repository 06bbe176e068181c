"""A rebuilt schema → the typed tree, with a Python name for every name of the client's.

Rule: an object with known keys is a class; everything else is written out where it stands.  A definition
is one class however often it is referred to, which is also what ends recursion.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, cast

from emulator.tools.merge import ANNOTATIONS, Merger, reference_of
from emulator.tools.naming import FUNCTION_WORDS, class_name, identifier, identifiers, singular
from emulator.tools.repeats import once
from emulator.tools.schema import DEEPEST, Schema, SchemaError, Subschema, listed
from emulator.tools.types import (
    ANY,
    NONE,
    Default,
    Facts,
    FieldType,
    ListOf,
    Literals,
    MapOf,
    Model,
    ModelRef,
    Plain,
    Tree,
    TupleOf,
    Type,
    annotation,
    union,
)

_PLAIN = {"string": Plain("str"), "integer": Plain("int"), "number": Plain("float"), "boolean": Plain("bool")}
_LIMITS = (
    "format pattern contentEncoding minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf "
    "minItems maxItems uniqueItems minProperties maxProperties propertyNames examples deprecated readOnly"
).split()
_OBJECT_WORDS = ("properties", "additionalProperties", "patternProperties", "required", "minProperties")
_ARRAY_WORDS = ("items", "prefixItems", "minItems", "maxItems", "uniqueItems")


def build_tree(schema: Schema, *, tool: str, reserved: Collection[str] = ()) -> Tree:
    """The tree of a tool's parameters, as it is shown; ``tool`` is the function's Python name.

    No class has that name or one of ``reserved``.  Raises as ``whole_tree`` does.
    """
    return once(whole_tree(schema, tool=tool, reserved=reserved))


def whole_tree(schema: Schema, *, tool: str, reserved: Collection[str] = ()) -> Tree:
    """The same with every value of every enum in its type, however many there are.

    ``schema`` comes from ``rebuild``.  Raises SchemaError where no object fits the root.
    """
    builder = _Builder(Merger(cast(Schema, schema.get("$defs", {}))), tool, {tool: None}, frozenset(reserved))
    root = builder.merger.flat(schema)
    alternatives = [builder.merger.flat(branch) for group in root.get("$groups", ()) for branch in group]
    if "object" not in listed(root.get("type", "object")) or root.get("enum") == []:
        raise SchemaError('must be of type "object", since a call\'s arguments have names', "parameters")
    if alternatives and not any("object" in listed(branch.get("type", "object")) for branch in alternatives):
        raise SchemaError("no alternative is an object, and a call's arguments have names", "parameters")
    model = builder.model(root, "", (tool,))
    return Tree(model, tuple(shape for shape in builder.models.values() if shape is not None))


def build_result(schema: Schema, *, tool: str, reserved: Collection[str] = ()) -> Tree:
    """The tree of a tool's result.  Its root has one field, which no parameter can be called: ``return``.

    ``schema`` comes from ``rebuild_value``.  A title that is a name, as generators of schemas write it, is the class's,
    so that tools with the same result share it.  Raises SchemaError where nothing fits or too much would.
    """
    root = {key: item for key, item in schema.items() if key != "$defs"}
    definitions: Schema = {**schema.get("$defs", {})}
    title = root.get("title", "")
    own = next((key for key, item in definitions.items() if item == root), "")  # it refers to itself
    if title.isidentifier():
        del root["title"]
        own = own or identifier(title, taken=definitions)
        definitions[own] = root
    builder = _Builder(Merger(definitions), tool, {tool: None}, frozenset(reserved))
    kind, facts = builder.type({"$ref": f"#/$defs/{own}"} if own else root, (tool, "result"))
    value = FieldType("return", "return", kind, required=True, default=None, facts=facts)
    return once(Tree(Model("", Facts(), (value,)), tuple(model for model in builder.models.values() if model)))


@dataclass(slots=True)
class _Builder:
    merger: Merger
    tool: str
    models: dict[str, Model | None]
    """Class name → its model; None while it is being built, and for the name of the function itself."""
    reserved: frozenset[str]
    of_definition: dict[str, str] = field(default_factory=dict[str, str])
    shared: set[str] = field(default_factory=set[str])
    """Classes without a definition that are used in several places."""
    expanding: list[str] = field(default_factory=list[str])
    depth: int = 0

    def type(self, schema: Subschema, names: tuple[str, ...]) -> tuple[Type, Facts]:
        """The type of a value and what else there is to know of it.  ``names`` lead from the tool to the value."""
        self.merger.step()
        self.depth += 1
        if self.depth > DEEPEST:
            raise SchemaError("nested too deeply once its references are followed", "parameters")
        try:
            return self._type(schema, names)
        finally:
            self.depth -= 1

    def _type(self, schema: Subschema, names: tuple[str, ...]) -> tuple[Type, Facts]:
        reference = reference_of(schema)
        if reference is not None:
            name, beside = reference
            if (found := self._definition(name)) is not None:
                return found, _facts(beside)
        followed: set[str] = set()
        flat = self.merger.flat(schema, followed)
        again = sorted(followed.intersection(self.expanding))
        if again:
            return self._definition(again[0]) or ANY, _facts(flat)
        self.expanding.extend(followed)
        try:
            return self.flat_type(flat, names)
        finally:
            del self.expanding[len(self.expanding) - len(followed) :]

    def _definition(self, name: str) -> ModelRef | None:
        """The class of a definition, or None if that isn't an object with known keys."""
        if name not in self.of_definition:
            flat = self.merger.flat(self.merger.definitions[name], None, frozenset([name]))
            if not self._is_model(flat):
                return None
            title = self._class((self.tool, name))
            self.of_definition[name] = title
            self.models[title] = self.model(flat, title, (self.tool, name))
        return ModelRef(self.of_definition[name])

    def _class(self, names: tuple[str, ...]) -> str:
        """Takes the shortest free name: the last of ``names``, with what it belongs to, with the tool, or all."""
        taken = self.models.keys() | FUNCTION_WORDS | self.reserved
        titles = (class_name(some, ()) for some in (names[-1:], names[-2:], (names[0], names[-1])))
        title = next((title for title in titles if title not in taken), "") or class_name(names, taken)
        self.models[title] = None
        return title

    def _is_model(self, flat: Schema) -> bool:
        if "enum" in flat or _kinds(flat) != ["object"]:
            return False
        if flat.get("properties"):
            return True
        return bool(flat.get("type") and flat.get("required") and "$groups" not in flat)

    def flat_type(self, flat: Schema, names: tuple[str, ...]) -> tuple[Type, Facts]:
        if "enum" in flat:
            kind, limits = _values(flat)
            facts = _facts(flat)
            return kind, replace(facts, limits=limits + facts.limits)
        if flat.get("$groups") and not self._is_model(flat):
            return self._alternatives(flat, names)
        parts: list[tuple[str, Facts]] = []
        options = [self._kind(kind, flat, names, parts) for kind in _kinds(flat)]
        if options and flat.get("nullable"):
            options.append(NONE)
        return union(options), replace(_facts(flat), parts=tuple(part for part in parts if part[1]))

    def _alternatives(self, flat: Schema, names: tuple[str, ...]) -> tuple[Type, Facts]:
        """A union; what stands beside the alternatives holds for each of them."""
        first, *rest = cast(list[list[Subschema]], flat["$groups"])
        beside = {key: item for key, item in flat.items() if key not in ANNOTATIONS | {"$groups", "nullable"}}
        if rest:
            beside["$groups"] = rest
        options: list[Type] = []
        told: list[tuple[Type, Facts]] = []
        for branch in first:
            schema: Subschema = {"allOf": [branch, beside]} if beside else branch
            if self.merger.flat(schema).get("enum") == []:
                continue
            if beside.keys() <= {"type"} and self._model_of(branch):
                schema = branch
            kind, facts = self.type(schema, names)
            options.append(kind)
            if facts and all(facts != known for _, known in told):
                told.append((kind, facts))
        labels = [(f"if {annotation(kind)}" if len(told) > 1 else "", facts) for kind, facts in told]
        if flat.get("nullable"):
            options.append(NONE)
        own = _facts({key: item for key, item in flat.items() if key in ANNOTATIONS})
        return union(options), replace(own, parts=tuple(labels))

    def _model_of(self, schema: Subschema) -> ModelRef | None:
        reference = reference_of(schema)
        return self._definition(reference[0]) if reference else None

    def _kind(self, kind: str, flat: Schema, names: tuple[str, ...], parts: list[tuple[str, Facts]]) -> Type:
        if kind == "array":
            return self._array(flat, names, parts)
        if kind != "object":
            return _PLAIN.get(kind, NONE)
        if flat.get("properties") or (flat.get("required") and flat.get("type")):
            return self._own_model(flat, names)
        value = self._others(flat, names, parts)
        return MapOf(ANY if value is None else value)

    def _own_model(self, flat: Schema, names: tuple[str, ...]) -> ModelRef:
        """A class for an object that has no definition; the same object twice is one class."""
        title = self._class(names)
        model = self.model(flat, title, names)
        for known in self.models.values():
            if known is not None and replace(known, name=title, facts=model.facts) == model:
                del self.models[title]
                self.shared.add(known.name)
                return ModelRef(known.name)
        self.models[title] = model
        return ModelRef(title)

    def _array(self, flat: Schema, names: tuple[str, ...], parts: list[tuple[str, Facts]]) -> Type:
        inner = (*names[:-1], singular(names[-1]))
        prefix = cast(list[Subschema], flat.get("prefixItems", []))
        if prefix:
            found = [self.type(item, inner) for item in prefix]
            parts.extend((f"[{index}]", facts) for index, (_, facts) in enumerate(found))
            return TupleOf(tuple(kind for kind, _ in found))
        item, facts = self.type(flat.get("items", True), inner)
        parts.append(("each", self._told(item, facts)))
        return ListOf(item)

    def _others(self, flat: Schema, names: tuple[str, ...], parts: list[tuple[str, Facts]]) -> Type | None:
        """The type of the keys that have no property; None where the schema says nothing of them."""
        schemas = list(cast(Schema, flat.get("patternProperties", {})).items())
        if not isinstance(flat.get("additionalProperties", False), bool):
            schemas.append(("", flat["additionalProperties"]))
        found: list[Type] = []
        for pattern, schema in schemas:
            kind, facts = self.type(schema, (*names[:-1], singular(names[-1])))
            found.append(kind)
            parts.append(("values", self._told(kind, facts)))
            if pattern:
                parts.append(("keys", Facts(limits=(("pattern", pattern),))))
        return union(found) if found else None

    def _told(self, kind: Type, facts: Facts) -> Facts:
        """What is left to say of an element whose class is made for it alone: its meaning goes to the class."""
        if not isinstance(kind, ModelRef) or not facts.doc or kind.name in self.of_definition.values():
            return facts
        model = self.models[kind.name]
        if model is None or (kind.name in self.shared and model.facts.doc != facts.doc):
            return facts
        self.models[kind.name] = replace(model, facts=replace(model.facts, doc=facts.doc))
        return replace(facts, doc="")

    def model(self, flat: Schema, title: str, names: tuple[str, ...]) -> Model:
        """An object with its fields.  What alternatives and conditions add is optional, unless all demand it."""
        properties = dict(cast(Schema, flat.get("properties", {})))
        required = list(cast(list[str], flat.get("required", [])))
        choices: list[tuple[str, Facts]] = []
        for group in cast(list[list[Subschema]], flat.get("$groups", [])):
            branches = [branch for item in group if "object" in _kinds(branch := self.merger.flat(item)) or not branch]
            demands = [[name for name in branch.get("required", []) if name not in required] for branch in branches]
            for branch in branches:
                self._offer(properties, branch)
            required.extend(name for name in (demands[0] if demands else []) if all(name in each for each in demands))
            if len(demands) > 1 and any(demands):
                choices.append(("", Facts(limits=(("required", demands),))))
        maybe: Schema = {}
        for item in cast(list[Subschema], flat.get("$maybe", [])):
            self._offer(maybe, self.merger.flat(item))
        properties |= {name: item for name, item in maybe.items() if name not in properties}
        for name in required:
            properties.setdefault(name, True)
        parts: list[tuple[str, Facts]] = []
        others = self._others(flat, (*names, "value"), parts)
        if others is None and not properties and flat.get("additionalProperties") is True:
            others = ANY
        fields = self._fields(properties, required, names)
        # A definition's meaning is its class's; that of any other object is told where it is used.
        shared = title in self.of_definition.values()
        facts = _facts({key: flat[key] for key in ("description", "title") if key in flat and shared})
        extra = tuple(part for part in (*choices, *parts) if part[1])
        return Model(title, replace(facts, parts=extra), fields, others, flat.get("additionalProperties") is False)

    def _offer(self, properties: Schema, branch: Schema) -> None:
        for name, schema in cast(Schema, branch.get("properties", {})).items():
            if name not in properties:
                properties[name] = schema
            elif properties[name] != schema and isinstance(properties[name], dict):
                known = cast(Schema, properties[name])
                known_options = known["anyOf"] if known.keys() == {"anyOf"} else [known]
                properties[name] = {"anyOf": [*known_options, schema]}

    def _fields(self, properties: Schema, required: list[str], names: tuple[str, ...]) -> tuple[FieldType, ...]:
        usable = {name: item for name, item in properties.items() if item is not False}
        fields: list[FieldType] = []
        for (name, schema), python in zip(usable.items(), identifiers(list(usable)), strict=True):
            kind, facts = self.type(schema, (*names, name))
            default = _default(schema)
            fields.append(FieldType(name, python, kind, name in required, default, facts))
        return tuple(fields)


def _default(schema: Subschema) -> Default | None:
    return Default(schema["default"]) if isinstance(schema, dict) and "default" in schema else None


def _kinds(flat: Schema) -> list[str]:
    """JSON types that fit, guessed from the keywords where the schema doesn't say."""
    if "type" in flat:
        return listed(flat["type"])
    if flat.keys() & set(_OBJECT_WORDS):
        return ["object"]
    return ["array"] if flat.keys() & set(_ARRAY_WORDS) else []


def _facts(flat: Schema) -> Facts:
    doc = flat.get("description") or flat.get("title") or ""
    return Facts(doc, tuple((key, flat[key]) for key in _LIMITS if key in flat))


def _values(flat: Schema) -> tuple[Type, tuple[tuple[str, Any], ...]]:
    """An enum's type; what Literal can't say (fractions, arrays, objects) is said beside the type."""
    allowed = set(listed(flat["type"])) if "type" in flat else None
    values = [value for value in cast(list[Any], flat["enum"]) if allowed is None or _json_types(value) & allowed]
    if flat.get("nullable") and None not in values:
        values.append(None)
    if all(value is None or isinstance(value, (str, bool, int)) for value in values):
        plain = tuple(value for value in values if value is not None)
        options: list[Type] = [Literals(plain)] if plain else []
        return union([*options, NONE] if None in values else options), ()
    types: dict[str, Type] = {**_PLAIN, "array": ListOf(ANY), "object": MapOf(ANY), "null": NONE}
    found = [types[min(_json_types(value))] for value in values]
    return union(found), (("enum", values),)


def _json_types(value: Any) -> set[str]:
    match value:
        case bool():
            return {"boolean"}
        case int():
            return {"integer", "number"}
        case float():
            return {"number", "integer"} if value.is_integer() else {"number"}
        case str():
            return {"string"}
        case list():
            return {"array"}
        case None:
            return {"null"}
        case _:
            return {"object"}
