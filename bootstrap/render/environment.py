r"""The Jinja environment. No other module imports Jinja.

It differs from Jinja's own sandbox as follows. Each difference serves a guarantee:

- a missing name is collected, not raised (`undefined`);
- a key takes precedence over a method, and data has a closed list of methods (`sandbox`);
- every operator, filter and loop turn has a limit (`limits`);
- only text, numbers and booleans are printed, in the notation of configuration files;
- lines of only statements are removed, all other newlines are kept, also `\r\n` (`whitespace`);
- the same input gives the same bytes: there is no random, no time and no Lorem ipsum.
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
from bootstrap.render.errors import FilterError, kind
from bootstrap.render.filters import table
from bootstrap.render.filters.text import percent, string
from bootstrap.render.inclusion import ANYTHING
from bootstrap.render.masking import MaskedText, is_masked, join_masked, through
from bootstrap.render.sandbox_filters import guard
from bootstrap.render.undefined import MissingValue
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
    "CompiledCache",
    "Environment",
    "TemplateNotFound",
    "TemplateRuntimeError",
    "TemplateSyntaxError",
    "TemplatesNotFound",
    "syntax_tree",
]

GLOBALS = ("range", "dict", "namespace", "cycler", "joiner")


class CompiledCache(BytecodeCache):
    """Cache of compiled templates, for another rendering of the same texts with other values."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load the cached code of this exact text into `bucket`, if there is any."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Store the code that Jinja has just compiled."""
        self._codes[bucket.key, bucket.checksum] = bucket.code


class Environment(ImmutableSandboxedEnvironment):
    """The environment of `templates`: problems go to `findings`, use of the limits to `budget`."""

    concat = staticmethod(join_masked)  # makes one value of what a block or a macro prints
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(
        self,
        templates: Mapping[str, Template],
        context: Mapping[str, Any],
        *,
        findings: Findings,
        budget: limits.Budget,
        inclusion: Inclusion = ANYTHING,
        compiled: CompiledCache | None = None,
    ) -> None:
        super().__init__(
            loader=FunctionLoader(lambda name: templates[name].text if name in templates else None),
            undefined=_missing_class(findings),
            finalize=pass_context(lambda _, value: self.printed(value)),
            autoescape=False,
            keep_trailing_newline=True,
            optimized=False,  # constant expressions have the same limits and errors as others
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
        # Imported macros see globals, but not the context of a render call.
        self.globals = {name: self.globals[name] for name in GLOBALS} | dict(context)
        self.filters = guard(self.filters, table.JINJA_FILTERS, table.FILTERS, budget)
        self.tests = guard(self.tests, table.JINJA_TESTS, table.TESTS, budget)

    @property
    def lexer(self) -> Lexer:
        """The lexer that removes lines that hold only statements."""
        return self._lexer

    # Methods that generated code calls.

    def printed(self, value: Any) -> str:
        """Return the text for a value in `{{ }}`; one that has none is reported and left out."""
        try:
            text = string(value)
        except FilterError as refusal:
            self._findings.add_here(refusal.message, hint=refusal.hint)
            return ""
        self._budget.spend(len(text))
        return text

    def join_path(self, template: str, parent: str) -> str:
        """Return the name `template` if `parent` may use it, else raise FilterError."""
        self._inclusion.check(template, parent, self._findings)
        return template

    def turn(self, characters: int) -> None:
        """Count one turn of a loop, macro, block or template; it prints `characters` of its own."""
        self._budget.spend(characters)

    def concatenate(self, *parts: Any) -> str:
        """Return the result of the operator `~`."""
        text: str = limits.bounded(join_masked([string(part) for part in parts]))
        return text

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return `obj.attribute`: a key, or else a method that templates may use."""
        if isinstance(obj, MissingValue | MaskedText):
            return obj
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if sandbox.is_data(obj):
            return sandbox.method(obj, attribute) or self._absent(obj, attribute)
        return super().getattr(obj, attribute) if sandbox.is_open(obj) else self._closed(attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return `obj[argument]`: an item, or else the result of `obj.argument`."""
        for part in (obj, argument):
            if isinstance(part, MissingValue | MaskedText):
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
        """Return the result of `obj(…)`; report and return a missing `obj`."""
        if isinstance(obj, MissingValue):
            obj.use()
            return obj
        if isinstance(obj, MaskedText):
            return obj
        if not callable(obj):
            raise FilterError(
                f"{kind(obj)} cannot be called",
                hint="a key wins over a method; the filters items and dictsort always work",
            )
        if obj is self.globals["range"] and is_masked(*args):
            return through(obj, *args)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return the result of `left + right` or the like; report and return a missing operand."""
        for operand in (left, right):
            if isinstance(operand, MissingValue):
                operand.use()
                return operand
        if is_masked(left, right):
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

    # How a template's text is parsed.

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template = super()._parse(source, name, filename)
        newline = source.find("\n")
        crlf = newline > 0 and source[newline - 1] == "\r"
        _Metered(newline="\r\n" if crlf else "\n").visit(template)
        template.set_environment(self)
        return template


def syntax_tree(text: str) -> nodes.Template:
    """Parse a template, without the context of a rendering; raises TemplateSyntaxError."""
    return ImmutableSandboxedEnvironment().parse(text)


def _missing_class(reported_to: Findings) -> type[Undefined]:
    class Missing(MissingValue, Undefined):  # type: ignore[misc]  # each operator returns the MissingValue
        findings = reported_to

    return Missing


class _Template(JinjaTemplate):
    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        """Run an import again for each file, which has to record whether it uses a secret."""
        del ctx
        return self.make_module()


class _Lexer(Lexer):
    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        return drop_statement_lines(super().tokeniter(source, name, filename, state))


class _Metered(NodeTransformer):
    """Inserts a call of `turn` at the start of each repeatable node, and sets text's newlines."""

    def __init__(self, *, newline: str) -> None:
        self._newline = newline

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:  # noqa: N802  # Jinja's name
        node.data = node.data.replace("\n", self._newline)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  # Jinja's name
        self.generic_visit(node)
        return _call("concatenate", list(node.nodes), node.lineno)

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:  # noqa: N802  # Jinja's name
        """Add an empty text as `else` to `{{ 'x' if y }}`, which is what Jinja prints for it."""
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
    """Return how many characters of its own a body prints at most, without repeatable parts."""
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
