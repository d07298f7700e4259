"""How the model's structs and fields look in C++: names, types, defaults, layout."""

from __future__ import annotations

import re

from descriptors import DescriptorError, Field, Message, Struct, Versions

CPP_TYPES = {
    "bool": "bool", "int8": "std::int8_t", "int16": "std::int16_t", "uint16": "std::uint16_t",
    "int32": "std::int32_t", "uint32": "std::uint32_t", "int64": "std::int64_t",
    "float64": "double", "uuid": "Uuid", "string": "std::string_view", "bytes": "Bytes",
    "records": "Bytes",
}
WIRE_SIZES = {"bool": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8,
              "float64": 8, "uuid": 16}
KINDS = {kind: "k" + kind[0].upper() + kind[1:] for kind in CPP_TYPES} | {"struct": "kStruct"}
ENTITIES = {"": "kNone", "brokerId": "kBrokerId", "topicName": "kTopicName",
            "groupId": "kGroupId", "transactionalId": "kTransactionalId",
            "producerId": "kProducerId"}
KEYWORDS = {"operator", "default", "namespace", "class", "delete", "new", "public", "private",
            "template", "export", "register", "switch", "case", "int", "short", "long", "void"}


def snake(name: str) -> str:
    word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return word + "_" if word in KEYWORDS else word


def json_name(field: Field) -> str:
    return field.name[0].lower() + field.name[1:]


def is_fixed(field: Field) -> bool:
    """Whether the wire size is the same for every value."""
    return not field.array and field.kind in WIRE_SIZES


def is_pointer(field: Field) -> bool:
    return field.kind == "struct" and not field.array and bool(field.nullable)


def element_type(field: Field) -> str:
    return field.struct if field.kind == "struct" else CPP_TYPES[field.kind]


def cpp_type(field: Field) -> str:
    element = element_type(field)
    if field.array:
        return f"{'NullableArray' if field.nullable else 'Array'}<{element}>"
    if field.strong:
        return field.strong
    return element + "*" if is_pointer(field) else element


def cpp_integer(value: int) -> str:
    if value == -(2**63):
        return "INT64_MIN"
    if value == -(2**31):
        return "INT32_MIN"
    return str(value)


def cpp_default(field: Field) -> str:
    """The expression of a field's default value, of the field's type."""
    if field.array:
        return f"{cpp_type(field)}(kNull)" if field.default is None else f"{cpp_type(field)}{{}}"
    if field.kind == "struct":
        return "nullptr" if is_pointer(field) else f"{field.struct}{{}}"
    if field.kind == "string":
        if field.default is None:
            return "kNullString"
        return '"' + str(field.default).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if field.kind in ("bytes", "records"):
        return "kNullBytes" if field.default is None else "kEmptyBytes"
    if field.kind == "bool":
        return "true" if field.default else "false"
    if field.kind == "uuid":
        return "Uuid{}"
    if field.kind == "float64":
        return repr(field.default)
    number = cpp_integer(int(field.default))
    return f"{field.strong}{{{number}}}" if field.strong else number


def member_initializer(field: Field) -> str:
    if field.array:
        return " = kNull" if field.default is None else ""
    if field.kind == "uuid" or (field.kind == "struct" and not is_pointer(field)):
        return ""
    if field.strong:
        return f"{{{cpp_integer(int(field.default))}}}"
    return f" = {cpp_default(field)}"


def has_unknown_tags(message: Message, struct: Struct) -> bool:
    return bool(message.flexible)


def layout(message: Message, struct: Struct) -> tuple[int, int]:
    """sizeof and alignof on a machine of 64 bits (checked by a static_assert)."""
    size, align = 0, 1
    members = []
    for field in struct.fields:
        if field.array or field.kind in ("string", "bytes", "records"):
            members.append((16, 8))
        elif is_pointer(field):
            members.append((8, 8))
        elif field.kind == "struct":
            members.append(layout(message, message.struct(field.struct)))
        elif field.kind == "uuid":
            members.append((16, 1))
        else:
            members.append((WIRE_SIZES[field.kind],) * 2)
    if has_unknown_tags(message, struct):
        members.append((8, 8))
    for member_size, member_align in members:
        size = -(-size // member_align) * member_align + member_size
        align = max(align, member_align)
    return max(1, -(-size // align) * align), align


def min_wire_size(message: Message, struct: Struct) -> int:
    """The least bytes that the struct takes in any version of the message."""
    versions = message.versions.cut(struct.versions) or message.versions
    return min(wire_size_at_least(message, struct, v)
               for v in range(versions.lo, versions.hi + 1))


def wire_size_at_least(message: Message, struct: Struct, version: int) -> int:
    size = 1 if version in message.flexible else 0
    for field in struct.fields:
        if version in field.versions and version not in field.tagged:
            size += field_size_at_least(message, field, version)
    return size


def field_size_at_least(message: Message, field: Field, version: int) -> int:
    flexible = version in field.flexible
    if field.array or field.kind in ("bytes", "records"):
        return 1 if flexible else 4
    if field.kind == "string":
        return 1 if flexible else 2
    if field.kind == "struct":
        if version in field.nullable:
            return 1
        return wire_size_at_least(message, message.struct(field.struct), version)
    return WIRE_SIZES[field.kind]


def element_min_size(message: Message, field: Field) -> int:
    """The least bytes that one element of an array takes, at least 1."""
    if field.kind == "struct":
        return max(1, min_wire_size(message, message.struct(field.struct)))
    return WIRE_SIZES.get(field.kind, 1)


def amplification(message: Message) -> float:
    """The most bytes of memory that a byte on the wire can make decoding allocate."""
    worst = 0.0
    for struct in message.structs:
        for field in struct.fields:
            if field.array and field.kind == "struct":
                memory = layout(message, message.struct(field.struct))[0]
            elif field.array:
                memory = 16 if field.kind in ("string", "bytes", "records", "uuid") else (
                    WIRE_SIZES[field.kind])
            else:
                continue
            worst = max(worst, memory / element_min_size(message, field))
    if message.flexible:
        worst = max(worst, 32 / 2)  # an UnknownTag for an empty tagged field
    return worst


def holds_addresses(message: Message, struct: Struct) -> bool:
    return any(f.address_part == "kHost" or
               (f.struct and holds_addresses(message, message.struct(f.struct)))
               for f in struct.fields)


def depth(message: Message, struct: Struct) -> int:
    inner = [depth(message, message.struct(f.struct)) for f in struct.fields if f.struct]
    return 1 + max(inner, default=0)


def version_test(versions: Versions, within: Versions) -> str | None:
    """The C++ condition for `v` being in `versions`; None if it always is; "false" if never."""
    if not versions:
        return "false"
    parts = []
    if versions.lo > within.lo:
        parts.append(f"v >= {versions.lo}")
    if versions.hi < within.hi:
        parts.append(f"v <= {versions.hi}")
    if not parts:
        return None
    if len(parts) == 2 and versions.lo == versions.hi:
        return f"v == {versions.lo}"
    return " && ".join(parts)


def check_message(message: Message) -> None:
    if depth(message, message.root) > 8:
        raise DescriptorError(f"{message.name} nests deeper than FieldPath::kMaxDepth")
    for struct in message.structs:
        for field in struct.fields:
            if field.tag is None and field.tagged:
                raise DescriptorError(f"{message.name}.{field.name}: taggedVersions without a tag")
            if field.entity not in ENTITIES:
                raise DescriptorError(f"{message.name}.{field.name}: entityType {field.entity!r}")
