r"""The Jinja environment, and the only module that imports Jinja.

It differs from Jinja's own sandbox in these ways, each of which keeps a promise:

- a missing name is collected, not raised (`missing`);
- a key wins over a method, and data has a closed list of methods (`access`);
- every operator, filter and loop turn is bounded (`bounds`);
- what is printed is text, a number or a boolean, in the way configuration files write them;
- lines that hold only statements vanish, all other newlines stay, as `\r\n` too (`lines`);
- the same input gives the same bytes: no random, no time, no Lorem ipsum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jinja2 import (
    BytecodeCache,
    FunctionLoader,
    TemplateNotFound,
    TemplateRuntimeError,
    TemplatesNotFound,
    TemplateSyntaxError,
    Undefined,
    nodes,
    pass_context,
)
from jinja2 import Template as JinjaTemplate
from jinja2.lexer import Lexer
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from bootstrap.render import limits, sandbox
from bootstrap.render.errors import Refusal, kind
from bootstrap.render.filters import table
from bootstrap.render.filters.text import percent, string
from bootstrap.render.inclusion import ANYTHING
from bootstrap.render.masking import Veil, is_veiled, joined, through
from bootstrap.render.sandbox_filters import guard
from bootstrap.render.undefined import Gap
from bootstrap.render.whitespace import drop_statement_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jinja2.bccache import Bucket
    from jinja2.environment import TemplateModule
    from jinja2.runtime import Context

    from bootstrap.render.findings import Findings
    from bootstrap.render.inclusion import Inclusion
    from bootstrap.render.rendered import Template

__all__ = [
    "Compiled",
    "Environment",
    "TemplateNotFound",
    "TemplateRuntimeError",
    "TemplateSyntaxError",
    "TemplatesNotFound",
    "syntax_tree",
]

GLOBALS = ("range", "dict", "namespace", "cycler", "joiner")


class Compiled(BytecodeCache):
    """Templates once compiled, for another rendering of the same texts: only values differ."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give Jinja the code of this very text, if it is here."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what Jinja has just compiled."""
        self._codes[bucket.key, bucket.checksum] = bucket.code


class Environment(ImmutableSandboxedEnvironment):
    """Renders `templates`; what is wrong goes to `findings`, what is used comes off `budget`."""

    concat = staticmethod(joined)  # what blocks and macros print, as a value
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(
        self,
        templates: Mapping[str, Template],
        context: Mapping[str, Any],
        *,
        findings: Findings,
        budget: limits.Budget,
        inclusion: Inclusion = ANYTHING,
        compiled: Compiled | None = None,
    ) -> None:
        super().__init__(
            loader=FunctionLoader(lambda name: templates[name].text if name in templates else None),
            undefined=_missing_class(findings),
            finalize=pass_context(lambda _, value: self.printed(value)),
            autoescape=False,
            keep_trailing_newline=True,
            optimized=False,  # a constant expression is as bounded, and fails as well, as another
            cache_size=-1,
            auto_reload=False,
            bytecode_cache=compiled,
        )
        self.template_class = _Template
        self._budget = budget
        self._findings = findings
        self._inclusion = inclusion
        self._lexer = _Lexer(self)
        self.binop_table |= {"+": limits.add, "*": limits.multiply, "**": limits.power}
        self.binop_table["%"] = self._modulo
        # Globals, unlike the context of a render call, are seen by imported macros too.
        self.globals = {name: self.globals[name] for name in GLOBALS} | dict(context)
        self.filters = guard(self.filters, table.JINJA_FILTERS, table.FILTERS, budget)
        self.tests = guard(self.tests, table.JINJA_TESTS, table.TESTS, budget)

    @property
    def lexer(self) -> Lexer:
        """The lexer that drops lines of statements."""
        return self._lexer

    # What generated code calls.

    def printed(self, value: Any) -> str:
        """The text for a value in `{{ }}`; one that has none is reported, and left out."""
        try:
            text = string(value)
        except Refusal as refusal:
            self._findings.add_here(refusal.message, hint=refusal.hint)
            return ""
        self._budget.spend(len(text))
        return text

    def join_path(self, template: str, parent: str) -> str:
        """The template that `parent` names; Refusal if it may not."""
        self._inclusion.check(template, parent, self._findings)
        return template

    def turn(self, characters: int) -> None:
        """A loop, macro, block or template begins, and prints so many characters of its own."""
        self._budget.spend(characters)

    def concatenate(self, *parts: Any) -> str:
        """The operator `~`."""
        text: str = limits.bounded(joined([string(part) for part in parts]))
        return text

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`: a key, else a method that templates may use."""
        if isinstance(obj, Gap | Veil):
            return obj
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if sandbox.is_data(obj):
            return sandbox.method(obj, attribute) or self._absent(obj, attribute)
        return super().getattr(obj, attribute) if sandbox.is_open(obj) else self._closed(attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`: an item, else what `obj.argument` is."""
        for part in (obj, argument):
            if isinstance(part, Gap | Veil):
                return part
        if isinstance(argument, str) and not isinstance(obj, str):
            return self.getattr(obj, argument)
        if not sandbox.is_data(obj):
            return super().getitem(obj, argument)
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`obj(…)`: nothing comes of calling what is missing."""
        if isinstance(obj, Gap):
            obj.use()
            return obj
        if isinstance(obj, Veil):
            return obj
        if not callable(obj):
            raise Refusal(
                f"{kind(obj)} cannot be called",
                hint="a key wins over a method; the filters items and dictsort always work",
            )
        if obj is self.globals["range"] and is_veiled(*args):
            return through(obj, *args)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`left + right` and its like: nothing comes of reckoning with what is missing."""
        for operand in (left, right):
            if isinstance(operand, Gap):
                operand.use()
                return operand
        if is_veiled(left, right):
            return through(self.binop_table[operator], left, right)
        return super().call_binop(context, operator, left, right)

    def _absent(self, obj: Any, attribute: str) -> Any:
        if hasattr(obj, attribute) and not isinstance(obj, Mapping):
            return self._closed(attribute)
        return self.undefined(obj=obj, name=attribute)

    def _closed(self, attribute: str) -> Any:
        return self.undefined(f"`{attribute}` is not open to templates", name=attribute)

    def _modulo(self, left: Any, right: Any) -> Any:
        if isinstance(left, str):
            return percent(left, *(right if isinstance(right, tuple) else (right,)))
        return left % right

    # What becomes of a template's text.

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template = super()._parse(source, name, filename)
        newline = source.find("\n")
        crlf = newline > 0 and source[newline - 1] == "\r"
        _Metered(newline="\r\n" if crlf else "\n").visit(template)
        template.set_environment(self)
        return template


def syntax_tree(text: str) -> nodes.Template:
    """Parse a template, without what its rendering needs; raises TemplateSyntaxError."""
    return ImmutableSandboxedEnvironment().parse(text)


def _missing_class(reported_to: Findings) -> type[Undefined]:
    class Missing(Gap, Undefined):  # type: ignore[misc]  # every operator absorbs its operand
        findings = reported_to

    return Missing


class _Template(JinjaTemplate):
    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        """An import is run anew for each file: whether it looks at a secret matters to each."""
        del ctx
        return self.make_module()


class _Lexer(Lexer):
    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        return drop_statement_lines(super().tokeniter(source, name, filename, state))


class _Metered(NodeTransformer):
    """Puts a call of `turn` at the head of what can be repeated, and gives text its newlines."""

    def __init__(self, *, newline: str) -> None:
        self._newline = newline

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:  # noqa: N802  # Jinja's name
        node.data = node.data.replace("\n", self._newline)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  # Jinja's name
        self.generic_visit(node)
        return _call("concatenate", list(node.nodes), node.lineno)

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:  # noqa: N802  # Jinja's name
        """`{{ 'x' if y }}` without else is empty text, which is what Jinja prints for it."""
        node.expr2 = node.expr2 or nodes.Const("", lineno=node.lineno)
        return self.generic_visit(node)

    def _head(self, node: Any) -> nodes.Node:
        self.generic_visit(node)
        weight = nodes.Const(_own_text(node.body), lineno=node.lineno)
        turn = nodes.ExprStmt(_call("turn", [weight], node.lineno), lineno=node.lineno)
        node.body.insert(0, turn)
        return node  # type: ignore[no-any-return]

    visit_Template = visit_For = visit_Block = _head  # noqa: N815  # Jinja's names
    visit_Macro = visit_CallBlock = _head  # noqa: N815  # Jinja's names


_REPEATABLE = (nodes.For, nodes.Block, nodes.Macro, nodes.CallBlock)


def _own_text(body: Iterable[nodes.Node]) -> int:
    """How many characters of a body are the template's own, at most; repeated parts count alone."""
    return sum(
        len(node.data)
        if isinstance(node, nodes.TemplateData)
        else 0
        if isinstance(node, _REPEATABLE)
        else _own_text(node.iter_child_nodes())
        for node in body
    )


def _call(name: str, arguments: list[Any], line: int) -> nodes.Call:
    function = nodes.EnvironmentAttribute(name, lineno=line)
    return nodes.Call(function, arguments, [], None, None, lineno=line)
