"""The query language of list calls: `where`, `order`, paging. Pure; knows nothing of any resource.

A filter is parsed into a small tree, compiled into a test of one record, and its conjuncts are
offered to the caller so that an index can answer equality and date ranges without looking at
every record.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from daybook.sandbox.validation import QueryParseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

R = TypeVar("R")
DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<op>==|!=|>=|<=|&&|\|\||[=<>!(),.])
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_DATE_PARTS = (3, 6)
_DIRECTIONS: tuple[list[str], ...] = ([], ["asc"], ["desc"])
_MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator value`; the operator may also be contains, startswith or endswith."""

    field: str
    operator: str
    value: object


@dataclass(frozen=True, slots=True)
class Both:
    """Logical and."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Either:
    """Logical or."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Not:
    """Logical not."""

    inner: Node


Node = Comparison | Both | Either | Not


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = list(_tokens(expression))
        self._at = 0

    def parse(self) -> Node:
        """Return the tree of the whole expression."""
        node = self._either()
        if self._at < len(self._tokens):
            raise self._error()
        return node

    def _error(self) -> QueryParseError:
        where = self._tokens[self._at][1] if self._at < len(self._tokens) else "the end"
        return QueryParseError(f"Cannot parse '{self._expression}' at '{where}'")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, *values: str) -> str | None:
        kind, value = self._peek()
        if kind != "text" and value.lower() in values:
            self._at += 1
            return value.lower()
        return None

    def _need(self, value: str) -> None:
        if self._take(value) is None:
            raise self._error()

    def _either(self) -> Node:
        node = self._both()
        while self._take("||", "or"):
            node = Either(node, self._both())
        return node

    def _both(self) -> Node:
        node = self._single()
        while self._take("&&", "and"):
            node = Both(node, self._single())
        return node

    def _single(self) -> Node:
        if self._take("!", "not"):
            return Not(self._single())
        if self._take("("):
            node = self._either()
            self._need(")")
            return node
        return self._comparison()

    def _comparison(self) -> Node:
        path = self._path()
        method = path[-1].lower()
        if method in {"contains", "startswith", "endswith"} and self._take("("):
            value = self._value()
            self._need(")")
            self._take_truth()
            return Comparison(".".join(path[:-1]).lower(), method, value)
        symbol = self._take("==", "!=", ">=", "<=", ">", "<", "=")
        if symbol is None:
            return Comparison(".".join(path).lower(), "==", True)  # noqa: FBT003  a bare boolean field
        return Comparison(".".join(path).lower(), "==" if symbol == "=" else symbol, self._value())

    def _take_truth(self) -> None:
        """Accept the redundant `== true` after a method call."""
        if self._take("==", "=") and self._take("true") is None:
            raise self._error()

    def _path(self) -> list[str]:
        path = [self._name()]
        while self._take("."):
            path.append(self._name())
        return path

    def _name(self) -> str:
        kind, value = self._peek()
        if kind != "name":
            raise self._error()
        self._at += 1
        return value

    def _value(self) -> object:
        kind, value = self._peek()
        self._at += 1
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", value[1:-1])
        if kind == "number":
            return Decimal(value)
        word = value.lower()
        if kind == "name" and word in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[word]
        if kind == "name" and word in {"guid", "datetime"}:
            return self._constructed(word)
        self._at -= 1
        raise self._error()

    def _constructed(self, word: str) -> object:
        """Read `guid("...")`, `DateTime(y, m, d[, h, m, s])`, `DateTime.Parse("...")`."""
        if self._take("."):
            self._name()
        self._need("(")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._need(")")
        try:
            if word == "guid":
                return str(values[0]).lower()
            if isinstance(values[0], str):
                return datetime.fromisoformat(values[0]).replace(tzinfo=UTC)
            if len(values) in _DATE_PARTS:
                return datetime(*(int(str(value)) for value in values), tzinfo=UTC)  # type: ignore[misc,arg-type]  # 3 or 6 of them
        except ValueError:
            pass
        raise self._error()


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    at = 0
    stripped = expression.rstrip()
    while at < len(stripped):
        found = _TOKEN.match(stripped, at)
        if found is None:
            raise QueryParseError(f"Cannot parse '{expression}' at '{stripped[at:]}'")
        at = found.end()
        yield found.lastgroup or "", found[found.lastgroup or 0]


def parse_where(expression: str) -> Node:
    """Parse a `where`.

    Raises:
        QueryParseError: the expression is not of the grammar.
    """
    return _Parser(expression).parse()


def conjuncts(node: Node) -> list[Comparison]:
    """Return the comparisons that every match must fulfil."""
    if isinstance(node, Both):
        return conjuncts(node.left) + conjuncts(node.right)
    return [node] if isinstance(node, Comparison) else []


def fields_of(node: Node) -> set[str]:
    """Return the names of all fields a filter looks at, lower-case."""
    if isinstance(node, Comparison):
        return {node.field}
    if isinstance(node, Not):
        return fields_of(node.inner)
    return fields_of(node.left) | fields_of(node.right)


class Schema(Generic[R]):
    """The fields of a resource a query may name, each with how a record yields its value."""

    def __init__(
        self, fields: Mapping[str, Callable[[R], object]], optimised: frozenset[str]
    ) -> None:
        """Field names are lower-case and dotted; `optimised` ones work above the threshold."""
        self.fields = fields
        self.optimised = optimised

    def compile(self, node: Node) -> Callable[[R], bool]:
        """Return the test of one record."""
        if isinstance(node, Comparison):
            return self._comparison(node)
        if isinstance(node, Not):
            inner = self.compile(node.inner)
            return lambda row: not inner(row)
        left, right = self.compile(node.left), self.compile(node.right)
        if isinstance(node, Both):
            return lambda row: left(row) and right(row)
        return lambda row: left(row) or right(row)

    def value_of(self, field: str) -> Callable[[R], object]:
        """Return how a record yields a field.

        Raises:
            QueryParseError: the resource has no such field.
        """
        found = self.fields.get(field)
        if found is None:
            raise QueryParseError(f"No property or field '{field}' exists in type")
        return found

    def _comparison(self, node: Comparison) -> Callable[[R], bool]:
        read, wanted = self.value_of(node.field), _comparable(node.value)
        if node.operator in _COMPARE:
            compare = _COMPARE[node.operator]
            if wanted is None:
                return lambda row: compare(read(row) in {None, ""}, True)  # noqa: FBT003  is null, yes or no

            def test(row: R) -> bool:
                value = _comparable(read(row))
                if value is None:
                    return node.operator == "!="
                try:
                    return compare(value, wanted)
                except TypeError:
                    raise QueryParseError(
                        f"Operator '{node.operator}' incompatible with '{node.field}'"
                    ) from None

            return test
        if not isinstance(wanted, str):
            raise QueryParseError(f"'{node.operator}' needs text")

        def test_text(row: R) -> bool:
            value = _comparable(read(row)) or ""
            if not isinstance(value, str):
                raise QueryParseError(f"'{node.operator}' needs a text field")
            if node.operator == "contains":
                return wanted in value
            return (
                value.startswith(wanted)
                if node.operator == "startswith"
                else value.endswith(wanted)
            )

        return test_text


def _comparable(value: object) -> object:
    """Bring both sides to one form: text in lower case, a date as its midnight UTC."""
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, _MIDNIGHT, tzinfo=UTC)
    return value


def parse_order(expression: str) -> list[tuple[str, bool]]:
    """Parse `Field[ DESC][, ...]` into (field in lower case, is descending)."""
    parsed = []
    for part in expression.lower().split(","):
        field, *direction = part.split() or [""]
        if not field or direction not in _DIRECTIONS:
            raise QueryParseError(f"Cannot parse order '{expression}'")
        parsed.append((field, direction == ["desc"]))
    return parsed


@dataclass(frozen=True, slots=True)
class Page:
    """Which page is asked for; out-of-range sizes are clamped as Xero does."""

    number: int
    size: int

    def json(self, item_count: int) -> dict[str, int]:
        """Return the `pagination` object."""
        return {
            "page": self.number,
            "pageSize": self.size,
            "pageCount": -(-item_count // self.size),
            "itemCount": item_count,
        }


def parse_page(query: Mapping[str, str], *, is_forced: bool = False) -> Page | None:
    """Return the page asked for, or nothing when the list is not paged."""
    if "page" not in query and "pagesize" not in query and not is_forced:
        return None
    return Page(
        max(1, _integer(query.get("page"), 1)),
        min(MAX_PAGE_SIZE, max(1, _integer(query.get("pagesize"), DEFAULT_PAGE_SIZE))),
    )


def _integer(value: str | None, default: int) -> int:
    """Read a whole number of the query string; anything else is the default."""
    return int(value) if value is not None and re.fullmatch(r"-?\d{1,9}", value) else default


def split_list(value: str | None) -> list[str]:
    """Return the parts of a comma list."""
    return [part.strip() for part in (value or "").split(",") if part.strip()]
