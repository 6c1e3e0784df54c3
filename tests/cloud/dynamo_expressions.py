"""Expressions of DynamoDB as trees, and how they are written: what random requests are drawn as."""

from dataclasses import dataclass, field
from typing import Any

from tests.cloud.tokens import RESERVED
from tests.cloud.values import Item, Value


@dataclass(frozen=True)
class Path:
    """An attribute, or a place in a map."""

    parts: tuple[str, ...]

    def of(self, item: Item) -> Value | None:
        found: Value | None = {"M": item}
        for part in self.parts:
            found = found.get("M", {}).get(part) if found else None
        return found

    def overlaps(self, other: "Path") -> bool:
        shared = min(len(self.parts), len(other.parts))
        return self.parts[:shared] == other.parts[:shared]


@dataclass(frozen=True)
class Given:
    """A value of the request."""

    value: Any


@dataclass(frozen=True)
class Size:
    path: Path


Operand = Path | Given | Size


@dataclass(frozen=True)
class Compared:
    left: Operand
    sign: str
    right: Operand


@dataclass(frozen=True)
class Between:
    what: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True)
class In:
    what: Operand
    members: tuple[Operand, ...]


@dataclass(frozen=True)
class Call:
    """A function that holds or not."""

    name: str
    path: Path
    operands: tuple[Operand, ...] = ()


@dataclass(frozen=True)
class Not:
    what: "Condition"


@dataclass(frozen=True)
class Joined:
    word: str
    parts: tuple["Condition", ...]


Condition = Compared | Between | In | Call | Not | Joined


@dataclass(frozen=True)
class Sum:
    left: "Term"
    sign: str
    right: "Term"


@dataclass(frozen=True)
class IfNotExists:
    path: Path
    otherwise: "Term"


@dataclass(frozen=True)
class ListAppend:
    first: "Term"
    second: "Term"


Term = Operand | Sum | IfNotExists | ListAppend


@dataclass(frozen=True)
class Change:
    """One action of an update; REMOVE has no term."""

    clause: str
    path: Path
    term: Term | None = None


@dataclass
class Writer:
    """Writes the expressions of one request, and collects their placeholders."""

    spelled: bool = False
    """Whether names are written as placeholders also where they need not be."""
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.names:
            found["ExpressionAttributeNames"] = self.names
        if self.values:
            found["ExpressionAttributeValues"] = self.values
        return found

    def path(self, path: Path) -> str:
        return ".".join(map(self._name, path.parts))

    def value(self, value: Value) -> str:
        for name, known in self.values.items():
            if known == value and [*known] == [*value]:
                return name
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name

    def term(self, term: Term) -> str:
        match term:
            case Path():
                return self.path(term)
            case Given(value):
                return self.value(value)
            case Size(path):
                return f"size({self.path(path)})"
            case Sum(left, sign, right):
                return f"{self.term(left)} {sign} {self.term(right)}"
            case IfNotExists(path, otherwise):
                return f"if_not_exists({self.path(path)}, {self.term(otherwise)})"
            case ListAppend(first, second):
                return f"list_append({self.term(first)}, {self.term(second)})"

    def condition(self, of: Condition) -> str:
        match of:
            case Compared(left, sign, right):
                return f"{self.term(left)} {sign} {self.term(right)}"
            case Between(what, low, high):
                return f"{self.term(what)} BETWEEN {self.term(low)} AND {self.term(high)}"
            case In(what, members):
                return f"{self.term(what)} IN ({', '.join(map(self.term, members))})"
            case Call(name, path, operands):
                return f"{name}({', '.join([self.path(path), *map(self.term, operands)])})"
            case Not(what):
                return f"NOT {self._inside(what)}"
            case Joined(word, parts):
                return f" {word} ".join(map(self._inside, parts))

    def update(self, changes: tuple[Change, ...]) -> str:
        clauses: dict[str, list[str]] = {}
        for change in changes:
            path = self.path(change.path)
            if change.term is not None:
                path += (" = " if change.clause == "SET" else " ") + self.term(change.term)
            clauses.setdefault(change.clause, []).append(path)
        return " ".join(f"{clause} {', '.join(parts)}" for clause, parts in clauses.items())

    def _inside(self, of: Condition) -> str:
        text = self.condition(of)
        return f"({text})" if isinstance(of, Joined | Not) else text

    def _name(self, real: str) -> str:
        if not self.spelled and real.isidentifier() and real.upper() not in RESERVED:
            return real
        for name, known in self.names.items():
            if known == real:
                return name
        name = f"#n{len(self.names)}"
        self.names[name] = real
        return name
