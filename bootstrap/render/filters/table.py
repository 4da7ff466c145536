"""Every filter and test that templates have: a closed list, from which a page is generated.

Some of Jinja's own are left out: those that give another result each time (`random`), that are
made for HTML, that print Python's notation, or whose result cannot be limited in size.
"""

from __future__ import annotations

from bootstrap.render.filters import choice, encoding, network, syntax, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

FILTERS: Mapping[str, Callable[..., Any]] = {
    "b64decode": encoding.b64decode,
    "b64encode": encoding.b64encode,
    "capitalize": text.capitalize,
    "comment": text.comment,
    "d": choice.default,
    "default": choice.default,
    "env_quote": syntax.env_quote,
    "format": text.percent,
    "from_json": encoding.from_json,
    "from_yaml": encoding.from_yaml,
    "fullmatch": text.fullmatch,
    "in_network": network.in_network,
    "indent": text.indent,
    "ip_address": network.ip_address,
    "ip_broadcast": network.ip_broadcast,
    "ip_host": network.ip_host,
    "ip_netmask": network.ip_netmask,
    "ip_network": network.ip_network,
    "ip_prefix": network.ip_prefix,
    "ip_version": network.ip_version,
    "join": text.join,
    "lower": text.lower,
    "mandatory": choice.mandatory,
    "nginx_quote": syntax.nginx_quote,
    "nindent": text.nindent,
    "one_line": syntax.one_line,
    "quote": text.quote,
    "regex_replace": text.regex_replace,
    "replace": text.replace,
    "round": choice.round_number,
    "sha256": encoding.sha256,
    "split": text.split,
    "string": text.string,
    "systemd_quote": syntax.systemd_quote,
    "ternary": choice.ternary,
    "title": text.title,
    "to_ini": encoding.to_ini,
    "to_json": encoding.to_json,
    "to_toml": encoding.to_toml,
    "to_yaml": encoding.to_yaml,
    "trim": text.trim,
    "upper": text.upper,
}

TESTS: Mapping[str, Callable[..., Any]] = {
    "in_network": network.in_network,
    "ip_address": network.is_ip_address,
    "ip_network": network.is_ip_network,
    "matching": text.matches,
}

JINJA_FILTERS = [
    "abs",
    "count",
    "dictsort",
    "first",
    "float",
    "groupby",
    "int",
    "items",
    "last",
    "length",
    "list",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "reverse",
    "select",
    "selectattr",
    "sort",
    "sum",
    "truncate",
    "unique",
    "urlencode",
]

JINJA_TESTS = [
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "boolean",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "true",
    "undefined",
    "upper",
]

MAY_BE_MISSING = frozenset({"d", "default", "defined", "mandatory", "undefined"})
