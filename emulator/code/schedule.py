"""A program → the program that a kernel runs: calls go on without their results until somebody looks at one.

Rule: schedule statically.  A call whose result isn't there gives a stand-in, which may be stored, passed on and
returned.  Every place that would look into a value is wrapped in a helper (``kernels/preamble.py``) that ends the
run if it meets the stand-in: operators, indices, attributes, truth, comparison, iteration, conversion, and whatever
a function of the language is given.  So no stand-in takes a wrong branch, and no ``except`` can catch a pause.

The rewriting is local: a program gives the same calls in the same order whether it is scheduled whole or
statement by statement.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from emulator.code.check import Refused
from emulator.code.expressions import Expressions, has_slice
from emulator.code.noise import cleaned
from emulator.code.words import Words, call, decides, name

_MODEL_CLASS = """\
class {name}:
    def __init__(self, *_values_, **_fields_):
        for _name_, _value_ in [*zip({fields!r}, _values_), *_fields_.items()]:
            setattr(self, _name_, _value_)
    def model_dump(self, include=None, exclude=None, exclude_none=False, **_options_):
        _kept_ = [_name_ for _name_ in {fields!r} if hasattr(self, _name_) and _name_ not in (exclude or ())]
        _kept_ = [_name_ for _name_ in _kept_ if include is None or _name_ in include]
        return {{_name_: _value_ for _name_ in _kept_ for _value_ in [getattr(self, _name_)]
                 if not exclude_none or _u_(_value_) is not None}}
    def __getitem__(self, _name_):
        return getattr(self, _name_)
"""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """``source`` is what the kernel runs; ``pieces`` are the statements it was written from, each with its text."""

    source: str
    pieces: tuple[tuple[ast.stmt, str], ...]

    def lines(self) -> list[int]:
        """For each line of ``source`` the line that it came from; made only where an exception is to be explained."""
        lines = [origin for statement, text in self.pieces for origin in _origins(statement, text)]
        return [1] * (self.source.count("\n") + 1 - len(lines)) + lines


@dataclass(slots=True)
class Scheduler:
    """Schedules a program, whole or in pieces; what it learned of functions and classes is kept between them.

    ``tools`` are the functions that are called through to the client; ``models`` the stubs' classes with their
    fields in order.
    """

    tools: Collection[str]
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    _words: Words = field(init=False)
    _defined: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self._words = Words(frozenset(self.tools), frozenset(self.models))

    def add(self, statements: Iterable[ast.stmt]) -> Scheduled:
        """The next statements.  Raises Refused for what no kernel runs, with a sentence for the model."""
        try:
            tree = cleaned(list(statements), self._words)
            body = _with_value(_Statements(self._words).block(tree))
            return _written(self._models_used(body), body)
        except RecursionError:
            raise Refused("the program is nested too deeply") from None
        except ValueError as error:  # What Python's own ast.unparse can't write, in f-strings mostly.
            raise Refused(
                f"the statement can't be run as it is written; use a variable or plain text ({error})"
            ) from None

    def _models_used(self, tree: Iterable[ast.stmt]) -> list[ast.stmt]:
        if not self.models:
            return []
        used = {part.id for node in tree for part in ast.walk(node) if isinstance(part, ast.Name)} & set(self.models)
        new = sorted(used - self._defined)
        self._defined |= used
        source = "".join(_MODEL_CLASS.format(name=model, fields=self.models[model]) for model in new)
        return ast.parse(source).body


def _with_value(statements: list[ast.stmt]) -> list[ast.stmt]:
    """The last expression's value is kept in the interpreter, to be asked for as text.

    Not that of a tool's call: who looks for the answer finds it better among all calls and their results.
    """
    match statements:
        case [*_, ast.Expr(ast.Call(ast.Name("print" | "_t_")))]:
            pass
        case [*_, ast.Expr(value) as last]:
            last.value = call("_last_", value)
        case _:
            pass
    return statements


def _written(head: list[ast.stmt], body: list[ast.stmt]) -> Scheduled:
    """``head`` stands before the program, on lines of its own."""
    pieces = tuple((statement, _unparsed(statement)) for statement in body)
    first = [ast.unparse(ast.Module(head, []))] if head else []
    return Scheduled("\n".join([*first, *(text for _, text in pieces)]), pieces)


def _unparsed(statement: ast.stmt) -> str:
    try:
        return ast.unparse(statement)
    except AttributeError:  # Some statements that were made have no line, which it asks for. Most have one.
        return ast.unparse(ast.fix_missing_locations(statement))


def _origins(statement: ast.stmt, written: str) -> list[int]:
    """For each line of ``written`` the original line of the statement that begins there, or goes on there."""
    ast.fix_missing_locations(statement)
    origins = [statement.lineno] * (written.count("\n") + 1)
    again = ast.parse(written).body[0]
    for before, after in zip(_statements(statement), _statements(again), strict=True):
        origins[after.lineno - 1 :] = [before.lineno] * (len(origins) - after.lineno + 1)
    return origins


def _statements(node: ast.AST) -> list[ast.stmt]:
    return [part for part in ast.walk(node) if isinstance(part, ast.stmt)]


@dataclass(slots=True)
class _Statements:
    """Rewrites statements; ``expressions`` does what stands in them."""

    words: Words
    expressions: Expressions = field(init=False)

    def __post_init__(self) -> None:
        self.expressions = Expressions(self.words)

    def block(self, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in statements:
            new = self._statement(statement)
            out += [*self.expressions.taken_definitions(), *new]
        return out

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        self.expressions.at(node)
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                return [self._definition(node)]
            case ast.If() | ast.While() | ast.For() | ast.Try() | ast.With() | ast.Match():
                return self._with_header(node)
            case ast.Expr(value):
                node.value = self.expressions.stored(value)
            case ast.Return(value) if value is not None:
                node.value = self.expressions.stored(value)
            case ast.Assign(targets, value):
                node.value = self._unpacked(targets, value)
                node.targets = [self._target(target) for target in targets]
            case ast.AnnAssign(target, _, value):
                if value is None:
                    return [ast.copy_location(ast.Pass(), node)]
                return [ast.copy_location(ast.Assign([self._target(target)], self.expressions.stored(value)), node)]
            case ast.AugAssign():
                return self._augmented(node)
            case ast.Assert(test, message):
                node.test = self.expressions.shallow(test)
                node.msg = message and self.expressions.deep(message)
            case ast.Raise(error, cause):
                node.exc = error and self.expressions.stored(error)
                node.cause = cause and self.expressions.stored(cause)
            case ast.Delete(targets):
                return [self._deleted(target) for target in targets]
            case _:
                pass
        return [node]

    def _with_header(self, node: ast.If | ast.While | ast.For | ast.Try | ast.With | ast.Match) -> list[ast.stmt]:
        match node:
            case ast.For(ast.Tuple([_, _]), ast.Call(ast.Name("enumerate"), [_, *_])):
                return [*self._statement(self._counted(node)), *self._statement(node)]
            case _:
                return [self._compound(node)]

    def _definition(self, node: ast.FunctionDef | ast.ClassDef) -> ast.stmt:
        if isinstance(node, ast.FunctionDef):
            self.expressions.defaults(node.args)
            node.returns = None
            with self.words.within(node.args):
                node.body = self.block(node.body)
        else:
            node.body = [part for item in node.body for part in self._of_class(item)]
        return node

    def _of_class(self, node: ast.stmt) -> list[ast.stmt]:
        """A field's annotation makes it one for dataclass; what it says is nobody's business, and may not exist."""
        if isinstance(node, ast.AnnAssign):
            node.annotation = name("int")
            node.value = node.value and self.expressions.stored(node.value)
            return [node]
        return self.block([node])

    def _compound(self, node: ast.If | ast.While | ast.For | ast.Try | ast.With | ast.Match) -> ast.stmt:
        expressions = self.expressions
        match node:
            case ast.If(test) | ast.While(test):
                node.test = expressions.shallow(test)
            case ast.For(_, iterable) if isinstance(made := expressions.as_generator(iterable), ast.GeneratorExp):
                return self._compound(_unrolled(node, made))
            case ast.For(ast.Tuple(targets), ast.Call(ast.Name("zip"), zipped, [])) if self._unzip(
                node, targets, zipped
            ):
                return self._compound(node)
            case ast.For(ast.Tuple() | ast.List(), iterable):
                self._unpacked_in_body(node)
                node.iter = expressions.shallow(iterable)
            case ast.For(target, iterable):
                node.iter = expressions.iterated(iterable, target)
                node.target = self._target(target)
            case ast.With(items):
                for item in items:
                    item.context_expr = expressions.shallow(item.context_expr)
            case ast.Match(subject, cases):
                node.subject = expressions.deep(subject)
                for case in cases:
                    case.guard = case.guard and expressions.shallow(case.guard)
            case ast.Try():
                pass
        definitions = expressions.taken_definitions()
        if isinstance(node, ast.Try) and node.handlers and decides(node) and any(map(self.words.calls, node.body)):
            node.body = [*_waiting(node.body), ast.copy_location(ast.Expr(call("_w_")), node)]
        self._bodies(node)
        return _behind(definitions, node)

    def _unpacked_in_body(self, loop: ast.For) -> None:
        """``for a, b in xs``: each element is looked into when its turn is, since ``xs`` may grow meanwhile."""
        given = ast.Assign([loop.target], name("_item_"))
        loop.target = ast.Name("_item_", ast.Store())
        _put_first(loop, [given])

    def _counted(self, loop: ast.For) -> ast.stmt:
        """``enumerate`` as a counter: Monty makes a list of it at once, and what is gone through may grow."""
        assert isinstance(loop.iter, ast.Call) and isinstance(loop.target, ast.Tuple)
        self.words.hoisted += 1
        counter = f"_n{self.words.hoisted}_"
        iterable, *start = [*loop.iter.args, *(keyword.value for keyword in loop.iter.keywords)]
        index, element = loop.target.elts

        def counted(value: ast.expr, step: ast.operator) -> ast.stmt:
            return ast.Assign([ast.Name(counter, ast.Store())], ast.BinOp(value, step, ast.Constant(1)))

        loop.target, loop.iter = element, iterable
        _put_first(loop, [counted(name(counter), ast.Add()), ast.Assign([index], name(counter))])
        before = counted(start[0] if start else ast.Constant(0), ast.Sub())
        return ast.fix_missing_locations(ast.copy_location(before, loop))

    def _unzip(self, loop: ast.For, targets: list[ast.expr], zipped: list[ast.expr]) -> bool:
        """``for i, u in zip(xs, map(f, xs))`` takes turns in Python: each ``f`` is called where its turn is."""
        made = [self.expressions.as_generator(argument) for argument in zipped]
        calling = {i: m for i, m in enumerate(made) if isinstance(m, ast.GeneratorExp) and self.words.calls(m)}
        one_to_one = all(len(m.generators) == 1 and not m.generators[0].ifs for m in calling.values())
        if not calling or not one_to_one or len(targets) != len(zipped):
            return False  # A generator that calls is refused where it stands then.
        given: list[ast.stmt] = [ast.Assign([targets[i]], m.elt) for i, m in calling.items()]
        for index, generator in calling.items():
            targets[index], zipped[index] = generator.generators[0].target, generator.generators[0].iter
        _put_first(loop, given)
        return True

    def _bodies(self, node: ast.AST) -> None:
        for owner, part in _blocks(node):
            setattr(owner, part, self.block(getattr(owner, part)))

    def _target(self, target: ast.expr) -> ast.expr:
        """What is assigned to: an index or an attribute looks at what it is of."""
        match target:
            case ast.Subscript(value, index):
                target.value, target.slice = self.expressions.shallow(value), self.expressions.index(index)
            case ast.Attribute(value):
                target.value = self.expressions.shallow(value)
            case ast.Tuple(elements) | ast.List(elements):
                target.elts = [self._target(element) for element in elements]
            case ast.Starred(value):
                target.value = self._target(value)
            case _:
                pass
        return target

    def _unpacked(self, targets: list[ast.expr], value: ast.expr) -> ast.expr:
        if not any(isinstance(target, ast.Tuple | ast.List) for target in targets):
            return self.expressions.stored(value)
        nested = any(isinstance(part, ast.Tuple | ast.List) for t in targets for part in getattr(t, "elts", ()))
        return self.expressions.deep(value) if nested else self.expressions.shallow(value)

    def _augmented(self, node: ast.AugAssign) -> list[ast.stmt]:
        """``x += v``: both are looked at, ``v`` having been computed; what ``x`` is of is computed once."""
        before: list[ast.stmt] = []

        def once(value: ast.expr, suffix: str) -> ast.Name:
            kept = f"_{suffix}_"
            before.append(ast.copy_location(ast.Assign([ast.Name(kept, ast.Store())], value), node))
            return name(kept)

        match node.target:
            case ast.Subscript(_, index) if has_slice(index):
                raise Refused("a slice can't be assigned to in place here; write it out with =")
            case ast.Subscript(value, index):
                node.target.value = once(self.expressions.shallow(value), "of")
                node.target.slice = once(self.expressions.index(index), "at")
            case ast.Attribute(value):
                node.target.value = once(self.expressions.shallow(value), "of")
            case _:
                pass
        looked = ast.parse(ast.unparse(node.target), mode="eval").body
        look = "_ds_" if not isinstance(node.op, ast.Add | ast.BitOr | ast.Mult) else "_e_"
        given = ast.Tuple([self.expressions.stored(node.value), looked], ast.Load())
        arguments: list[ast.expr] = [ast.Starred(given, ast.Load())] if look == "_ds_" else [given]
        node.value = ast.Subscript(call(look, *arguments), ast.Constant(0), ast.Load())
        return [*before, node]

    def _deleted(self, target: ast.expr) -> ast.stmt:
        """Monty has no ``del``: an item is popped, a name holds None from there on."""
        made: ast.stmt
        match target:
            case ast.Subscript(value, ast.Slice()):
                made = ast.Assign([self._target(target)], ast.List([], ast.Load()))
            case ast.Subscript(_, index) if has_slice(index):
                raise Refused("del of several slices is not possible here")
            case ast.Subscript(value, index):
                popped = ast.Attribute(self.expressions.shallow(value), "pop", ast.Load())
                made = ast.Expr(ast.Call(popped, [self.expressions.index(index)], []))
            case ast.Name(removed):
                made = ast.Assign([ast.Name(removed, ast.Store())], ast.Constant(None))
            case _:
                raise Refused("del of an attribute is not possible here")
        return ast.copy_location(made, target)


def _put_first(loop: ast.For, statements: list[ast.stmt]) -> None:
    loop.body[:0] = [ast.copy_location(statement, loop) for statement in statements]
    ast.fix_missing_locations(loop)


def _unrolled(loop: ast.For, generator: ast.GeneratorExp) -> ast.For:
    """A loop over a generator expression as a loop over what that goes through: they take turns in Python, too."""
    if len(generator.generators) > 1:
        raise Refused("a loop over a generator expression of several loops can't be run here; nest the loops")
    [part] = generator.generators
    body: list[ast.stmt] = [ast.Assign([loop.target], generator.elt), *loop.body]
    for test in reversed(part.ifs):
        body = [ast.If(test, body, [])]
    made = ast.copy_location(ast.For(part.target, part.iter, body, loop.orelse), loop)
    return ast.fix_missing_locations(made)


def _waiting(statements: list[ast.stmt], *, looping: bool = False) -> list[ast.stmt]:
    """A ``try``'s body that waits for the results of its calls before it is left early.

    ``looping``: in a loop of its own, which ``break`` and ``continue`` are of.
    """
    out: list[ast.stmt] = []
    for node in statements:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            for owner, part in _blocks(node):
                inner = looping or (part == "body" and isinstance(node, ast.For | ast.While))
                setattr(owner, part, _waiting(getattr(owner, part), looping=inner))
        if isinstance(node, ast.Return) and node.value is not None:
            node.value = call("_wv_", node.value)
        elif isinstance(node, ast.Return) or (isinstance(node, ast.Break | ast.Continue) and not looping):
            out.append(ast.copy_location(ast.Expr(call("_w_")), node))
        out.append(node)
    return out


def _blocks(node: ast.AST) -> list[tuple[ast.AST, str]]:
    """The blocks of statements in a compound statement: whose they are, and what they are called there."""
    owners = [node, *getattr(node, "handlers", []), *getattr(node, "cases", [])]
    return [(owner, part) for owner in owners for part in ("body", "orelse", "finalbody") if getattr(owner, part, None)]


def _behind(definitions: list[ast.stmt], node: ast.stmt) -> ast.stmt:
    """``node`` with ``definitions`` before it, as one statement."""
    if not definitions:
        return node
    return ast.copy_location(ast.If(ast.Constant(True), [*definitions, node], []), node)
