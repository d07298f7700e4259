"""Reads Kafka's message descriptors out of jars and merges two release lines into one model.

The descriptor language: JSON with // comments; see the README beside Kafka's own descriptors.
Kafka 4 dropped old versions of many messages; the older line still describes them. A field's merged
versions are those of the newer line, and, for versions that only the older line knows, its own.
"""

from __future__ import annotations

import dataclasses
import json
import re
import zipfile

PRIMITIVES = {
    "bool", "int8", "int16", "uint16", "int32", "uint32", "int64", "float64", "uuid", "string",
    "bytes", "records",
}
LAST = 32767  # "5+" is 5 to LAST until it is cut to the versions of its message


class DescriptorError(Exception):
    """A descriptor that this generator does not understand, or two that cannot be merged."""


@dataclasses.dataclass(frozen=True)
class Versions:
    """An inclusive range; empty if hi < lo."""

    lo: int
    hi: int

    def __bool__(self) -> bool:
        return self.hi >= self.lo

    def __contains__(self, version: int) -> bool:
        return self.lo <= version <= self.hi

    def cut(self, other: Versions) -> Versions:
        both = Versions(max(self.lo, other.lo), min(self.hi, other.hi))
        return both if both else NONE

    def without(self, other: Versions) -> list[int]:
        return [v for v in range(self.lo, self.hi + 1) if v not in other]


NONE = Versions(0, -1)


def parse_versions(text: str | None, default: Versions = NONE) -> Versions:
    if text is None:
        return default
    if text == "none":
        return NONE
    if match := re.fullmatch(r"(\d+)\+", text):
        return Versions(int(match[1]), LAST)
    if match := re.fullmatch(r"(\d+)(?:-(\d+))?", text):
        return Versions(int(match[1]), int(match[2] or match[1]))
    raise DescriptorError(f"versions {text!r}")


def span(versions: list[int], what: str) -> Versions:
    """The range that holds exactly `versions`."""
    if not versions:
        return NONE
    if sorted(versions) != list(range(min(versions), max(versions) + 1)):
        raise DescriptorError(f"{what}: versions {sorted(versions)} have a gap")
    return Versions(min(versions), max(versions))


@dataclasses.dataclass
class Field:
    name: str
    kind: str  # of the elements, if an array; "struct" for structs
    struct: str | None
    array: bool
    versions: Versions
    nullable: Versions
    tagged: Versions
    flexible: Versions
    tag: int | None
    default: object  # int, bool, float, str, or None for null
    ignorable: bool
    map_key: bool
    entity: str
    strong: str = ""  # the Strong<> id of kafka/ids.h to use instead of the bare integer
    secret: bool = False
    address_part: str = "kNone"


@dataclasses.dataclass
class Struct:
    name: str
    fields: list[Field]
    versions: Versions


@dataclasses.dataclass
class Message:
    name: str
    kind: str  # request, response, header, data
    key: int | None
    versions: Versions
    flexible: Versions
    structs: list[Struct]  # the message itself last; each after those it uses
    listeners: list[str]

    @property
    def root(self) -> Struct:
        return self.structs[-1]

    def struct(self, name: str) -> Struct:
        return next(s for s in self.structs if s.name == name)


def load_jar(path: str) -> list[dict]:
    """The descriptors of a kafka-clients jar, parsed, in the order of their names."""
    with zipfile.ZipFile(path) as jar:
        names = sorted(n for n in jar.namelist() if re.fullmatch(r"common/message/\w+\.json", n))
        if not names:
            raise DescriptorError(f"{path}: no common/message/*.json inside")
        return [parse_json(jar.read(n).decode("utf-8"), n) for n in names]


def parse_json(text: str, name: str) -> dict:
    # Comments stand on lines of their own or after the end of an element; strings hold URLs at most.
    text = re.sub(r"(^|[,\[\]{}])\s*//.*$", r"\1", text, flags=re.MULTILINE)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DescriptorError(f"{name}: {error}") from error


def parse_default(raw: dict, kind: str, array: bool, nullable: Versions, where: str) -> object:
    value = raw.get("default")
    if value is None:
        if kind == "records":
            return None  # Kafka's generator: records are null unless set
        value = ""
    if value == "null":
        if not nullable:
            raise DescriptorError(f"{where}: default null, but no version is nullable")
        return None
    if array or kind in ("struct", "bytes", "records", "uuid"):
        if value != "":
            raise DescriptorError(f"{where}: default {value!r}")
        return ""
    if kind == "string":
        return str(value)
    if kind == "bool":
        return str(value).lower() == "true"
    if kind == "float64":
        return float(value or 0)
    return int(str(value) or "0", 0)


def parse_field(raw: dict, owner: str, flexible: Versions) -> Field:
    where = f"{owner}.{raw['name']}"
    text = raw["type"]
    array = text.startswith("[]")
    kind = text.removeprefix("[]")
    struct = None
    if kind not in PRIMITIVES:
        if not kind[0].isupper():
            raise DescriptorError(f"{where}: type {text!r}")
        kind, struct = "struct", kind
    tagged = parse_versions(raw.get("taggedVersions"))
    nullable = parse_versions(raw.get("nullableVersions"))
    return Field(
        name=raw["name"], kind=kind, struct=struct, array=array,
        versions=parse_versions(raw.get("versions"), tagged),
        nullable=nullable, tagged=tagged,
        flexible=parse_versions(raw.get("flexibleVersions"), flexible),
        tag=int(raw["tag"]) if "tag" in raw else None,
        default=parse_default(raw, kind, array, nullable, where),
        ignorable=bool(raw.get("ignorable", False)), map_key=bool(raw.get("mapKey", False)),
        entity=raw.get("entityType", ""))


def parse_message(raw: dict) -> Message | None:
    """The model of one descriptor; None for a key that is only reserved."""
    versions = parse_versions(raw["validVersions"])
    if not versions:
        return None
    flexible = parse_versions(raw.get("flexibleVersions"))
    common = {c["name"]: c for c in raw.get("commonStructs", [])}
    structs: dict[str, Struct] = {}

    def visit(name: str, fields: list[dict], of: Versions) -> None:
        if name in structs:
            return
        parsed = [parse_field(f, name, flexible) for f in fields]
        for raw_field, field in zip(fields, parsed):
            if field.struct is None:
                continue
            if "fields" in raw_field:
                visit(field.struct, raw_field["fields"], field.versions)
            elif field.struct in common:
                shared = common[field.struct]
                visit(field.struct, shared["fields"], parse_versions(shared.get("versions")))
            elif field.struct not in structs:
                raise DescriptorError(f"{raw['name']}: no struct {field.struct}")
        structs[name] = Struct(name, parsed, of)

    visit(raw["name"], raw["fields"], versions)
    message = Message(raw["name"], raw["type"], raw.get("apiKey"), versions, flexible,
                      list(structs.values()), raw.get("listeners", []))
    return cut_to(message, versions)


def cut_to(message: Message, valid: Versions) -> Message:
    message.flexible = message.flexible.cut(valid)
    for struct in message.structs:
        struct.versions = struct.versions.cut(valid)
        for field in struct.fields:
            field.versions = field.versions.cut(valid)
            field.nullable = field.nullable.cut(valid).cut(field.versions)
            field.tagged = field.tagged.cut(valid).cut(field.versions)
            field.flexible = field.flexible.cut(valid)
    return message


def merge_order(newer: list[str], older: list[str], where: str) -> list[str]:
    """All names once, such that both lists' orders hold."""
    merged: list[str] = []
    rest = list(newer)
    for name in older:
        if name in newer:
            if name not in rest:
                raise DescriptorError(f"{where}: the order of {name} differs between the lines")
            at = rest.index(name)
            merged += rest[: at + 1]
            rest = rest[at + 1:]
        else:
            merged.append(name)
    return merged + rest


class Merger:
    """Merges the older line's version of one message into the newer one's."""

    def __init__(self, newer: Message, older: Message):
        self.newer, self.older = newer, older
        self.only_older = older.versions.without(newer.versions)

    def ranges(self, new: Versions, old: Versions, what: str) -> Versions:
        versions = [v for v in range(new.lo, new.hi + 1)]
        return span(versions + [v for v in self.only_older if v in old], what)

    def field(self, new: Field | None, old: Field | None, where: str) -> Field | None:
        if new is None and old is not None:
            versions = [v for v in self.only_older if v in old.versions]
            if not versions:
                return None  # under another name in the newer line
            kept = span(versions, where)
            return dataclasses.replace(old, versions=kept, nullable=old.nullable.cut(kept),
                                       tagged=old.tagged.cut(kept))
        assert new is not None
        if old is None:
            return new
        if any(v in old.versions for v in self.only_older):
            if (new.kind, new.array, new.struct, new.default, new.tag) != (
                    old.kind, old.array, old.struct, old.default, old.tag):
                raise DescriptorError(f"{where}: type, default or tag differ between the lines")
        return dataclasses.replace(
            new,
            versions=self.ranges(new.versions, old.versions, where),
            nullable=self.ranges(new.nullable, old.nullable, where),
            tagged=self.ranges(new.tagged, old.tagged, where),
            flexible=self.ranges(new.flexible, old.flexible, where))

    def merge(self) -> Message:
        new, old = self.newer, self.older
        if new.name != old.name and self.only_older:
            raise DescriptorError(f"{new.name} and {old.name} share a key but not versions")
        if not self.only_older:
            return new
        structs = []
        new_structs = {s.name: s for s in new.structs}
        old_structs = {s.name: s for s in old.structs}
        for name in self.struct_order(new_structs, old_structs):
            theirs, ours = old_structs.get(name), new_structs.get(name)
            if theirs is None or ours is None:
                structs.append(ours or theirs)
                continue
            new_fields = {f.name: f for f in ours.fields}
            old_fields = {f.name: f for f in theirs.fields
                          if f.name in new_fields or any(v in f.versions for v in self.only_older)}
            where = f"{new.name}.{name}"
            order = merge_order(list(new_fields), list(old_fields), where)
            fields = [self.field(new_fields.get(n), old_fields.get(n), f"{where}.{n}") for n in order]
            structs.append(Struct(name, [f for f in fields if f is not None],
                                  self.ranges(ours.versions, theirs.versions, where)))
        return dataclasses.replace(
            new, structs=used_structs(structs),
            versions=self.ranges(new.versions, old.versions, new.name),
            flexible=self.ranges(new.flexible, old.flexible, new.name))

    @staticmethod
    def struct_order(new: dict[str, Struct], old: dict[str, Struct]) -> list[str]:
        """Each struct after those that it uses in either line."""
        done: list[str] = []

        def visit(name: str) -> None:
            if name in done:
                return
            for struct in (new.get(name), old.get(name)):
                for field in struct.fields if struct else []:
                    if field.struct:
                        visit(field.struct)
            done.append(name)

        visit(list(new)[-1])
        return done


def used_structs(structs: list[Struct]) -> list[Struct]:
    """Those that the last one, the message, reaches."""
    by_name = {s.name: s for s in structs}
    used: set[str] = set()

    def visit(struct: Struct) -> None:
        used.add(struct.name)
        for field in struct.fields:
            if field.struct:
                visit(by_name[field.struct])

    visit(structs[-1])
    return [s for s in structs if s.name in used]


def merge_lines(newer: list[dict], older: list[dict], overrides: dict) -> list[Message]:
    """All messages: requests and responses by key, then headers and data by name."""
    def identity(m: Message) -> tuple:
        return (m.kind, m.key) if m.key is not None else (m.kind, m.name)

    merged = {}
    for raw in newer:
        if (message := parse_message(raw)) is not None:
            merged[identity(message)] = message
    for raw in older:
        if (message := parse_message(raw)) is None:
            continue
        mine = merged.get(identity(message))
        merged[identity(message)] = message if mine is None else Merger(mine, message).merge()
    apply_overrides(list(merged.values()), overrides)
    for message in merged.values():
        mark_addresses(message, message.root, None)
    return sorted(merged.values(), key=lambda m: (
        m.key is None, m.key if m.key is not None else 0, m.kind != "request", m.name))


def apply_overrides(messages: list[Message], overrides: dict) -> None:
    """Sets what overrides.json says of fields: {"Message[.Struct].Field": {attribute: value}}."""
    fields = {}
    for message in messages:
        for struct in message.structs:
            inner = "" if struct is message.root else f"{struct.name}."
            fields |= {f"{message.name}.{inner}{f.name}": f for f in struct.fields}
    for path, values in overrides.get("fields", {}).items():
        for name, value in values.items():
            if path not in fields or name not in ("strong", "secret"):
                raise DescriptorError(f"overrides: {path}: {name}: no such field or attribute")
            setattr(fields[path], name, value)


NODE_IDS = ("NodeId", "BrokerId", "VoterId", "ControllerId", "Id")


def mark_addresses(message: Message, struct: Struct, outer: Field | None) -> None:
    """Marks the fields of every (node id, host, port); the id may stand in an enclosing struct."""
    by_name = {f.name: f for f in struct.fields if not f.array}
    node = next((by_name[n] for n in NODE_IDS if n in by_name and by_name[n].kind == "int32"), outer)
    if node is not None and "Host" in by_name and "Port" in by_name:
        node.address_part = "kNode"
        by_name["Host"].address_part, by_name["Port"].address_part = "kHost", "kPort"
    for field in struct.fields:
        if field.struct:
            mark_addresses(message, message.struct(field.struct), node)
