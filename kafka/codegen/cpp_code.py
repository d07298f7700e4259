"""Straight-line C++ that decodes and encodes the structs of one message."""

from __future__ import annotations

from cpp_types import (WIRE_SIZES, cpp_default, element_min_size, has_unknown_tags, is_fixed,
                       is_pointer, snake, version_test)
from descriptors import Field, Message, Struct, Versions


def table(struct: Struct) -> str:
    """The name of a struct's StructInfo within the message's namespace."""
    return f"kType{struct.name}"


def qualified(message: Message, struct: Struct) -> str:
    return message.name if struct is message.root else f"{message.name}::{struct.name}"


class Code:
    def __init__(self, message: Message):
        self.message = message
        self.lines: list[str] = []

    def add(self, *lines: str) -> None:
        self.lines += lines

    def condition(self, versions: Versions) -> str | None:
        return version_test(versions, self.message.versions)

    def flags(self, field: Field, *extra: str) -> str:
        """The wire:: flags of a length-prefixed field in version v."""
        parts = list(extra)
        if field.flexible == self.message.flexible:
            if field.flexible:
                parts.append("flex")
        elif field.flexible:
            parts.append(f"(({self.condition(field.flexible) or 'true'}) ? wire::kFlexible : 0U)")
        test = self.condition(field.nullable)
        within = version_test(field.nullable, field.versions)
        if within is None and field.nullable:
            parts.append("wire::kNullable")
        elif test != "false":
            parts.append(f"(({test or 'true'}) ? wire::kNullable : 0U)")
        return " | ".join(parts) if parts else "0U"

    def prologue(self, struct: Struct) -> None:
        if self.message.flexible:
            test = self.condition(self.message.flexible)
            value = "wire::kFlexible" if test is None else f"{test} ? wire::kFlexible : 0U"
            self.add(f"  [[maybe_unused]] const unsigned flex = {value};")

    # --- decoding ---

    def get(self, struct: Struct, index: int, field: Field, indent: str) -> None:
        name = f"m.{member(field)}"
        fail = f"return r.fail_in({table(struct)}, {index});"
        if is_fixed(field):
            self.add(f"{indent}if (!wire::get(r, p, {name})) [[unlikely]] {fail}")
            return
        flags = self.flags(field)
        if field.array and field.kind == "struct":
            least = element_min_size(self.message, field)
            call = f"wire::get_structs<&decode_{field.struct}>(r, p, v, {flags}, {least}, {name})"
        elif field.array and field.kind in WIRE_SIZES:
            call = f"wire::get_fixed_array(r, p, {flags}, {name})"
        elif field.array:
            call = f"wire::get_views(r, p, {flags}, {name})"
        elif is_pointer(field):
            call = f"wire::get_optional<&decode_{field.struct}>(r, p, v, {flags}, {name})"
        elif field.kind == "struct":
            call = f"decode_{field.struct}(r, p, v, {name})"
        else:
            what = "string" if field.kind == "string" else "bytes"
            call = f"wire::get_{what}(r, p, {flags}, {name})"
        self.add(f"{indent}p = {call};", f"{indent}if (p == nullptr) [[unlikely]] {fail}")

    def decode_tags(self, struct: Struct) -> None:
        tagged = [(i, f) for i, f in enumerate(struct.fields) if f.tagged]
        if not tagged:
            return
        self.add(f"Reader::Cursor decode_tag_{struct.name}([[maybe_unused]] Reader& r, Reader::Cursor p,",
                 "    [[maybe_unused]] int v, std::uint32_t tag, void* message) {",
                 f"  auto& m = *static_cast<{qualified(self.message, struct)}*>(message);")
        self.prologue(struct)
        self.add("  switch (tag) {")
        for index, field in tagged:
            test = self.condition(field.tagged)
            self.add(f"    case {field.tag}:")
            if test is not None:
                self.add(f"      if (!({test})) {{", "        break;", "      }")
            self.get(struct, index, field, "      ")
            self.add("      break;")
        self.add("    default:", "      break;", "  }", "  return p;", "}", "")

    def decode(self, struct: Struct) -> None:
        self.decode_tags(struct)
        self.add(f"Reader::Cursor decode_{struct.name}(Reader& r, Reader::Cursor p, [[maybe_unused]] int v,",
                 f"    [[maybe_unused]] {qualified(self.message, struct)}& m) {{")
        self.prologue(struct)
        for index, field in enumerate(struct.fields):
            versions = untagged(field)
            test = self.condition(versions)
            if test == "false":
                continue
            if test is None:
                self.get(struct, index, field, "  ")
            else:
                self.add(f"  if ({test}) {{")
                self.get(struct, index, field, "    ")
                self.add("  }")
        if self.message.flexible:
            handler = f"&decode_tag_{struct.name}" if any(f.tagged for f in struct.fields) else "nullptr"
            self.add("  if (flex != 0) {",
                     f"    p = wire::get_tags(r, p, v, {handler}, &m, m.unknown_tags);", "  }")
        self.add("  return p;", "}", "")

    # --- encoding ---

    def put(self, struct: Struct, index: int, field: Field, following: int, indent: str) -> None:
        name = f"m.{member(field)}"
        fail = f"return w.fail_in({table(struct)}, {index});"
        if is_fixed(field):
            self.add(f"{indent}p = wire::put(p, {name});")
            return
        never_null = [] if field.nullable else ["wire::kNullIsEmpty"]
        if field.array and field.kind == "struct":
            call = (f"wire::put_structs<&encode_{field.struct}>"
                    f"(w, p, v, {self.flags(field)}, {name}, {following})")
        elif field.array and field.kind in WIRE_SIZES:
            call = f"wire::put_fixed_array(w, p, {self.flags(field)}, {name}, {following})"
        elif field.array:
            call = f"wire::put_views(w, p, {self.flags(field)}, {name}, {following})"
        elif is_pointer(field):
            call = (f"wire::put_optional<&encode_{field.struct}>"
                    f"(w, p, v, {self.flags(field)}, {name}, {following})")
        elif field.kind == "struct":
            call = f"wire::put_struct<&encode_{field.struct}>(w, p, v, {name}, {following})"
        else:
            what = "string" if field.kind == "string" else "bytes"
            call = f"wire::put_{what}(w, p, {self.flags(field, *never_null)}, {name}, {following})"
        self.add(f"{indent}p = {call};", f"{indent}if (p == nullptr) [[unlikely]] {fail}")

    def encode(self, struct: Struct) -> None:
        room = fixed_room(struct.fields) + 1
        self.add(f"Writer::Cursor encode_{struct.name}(Writer& w, Writer::Cursor p, [[maybe_unused]] int v,",
                 f"    [[maybe_unused]] const {qualified(self.message, struct)}& m) {{")
        self.prologue(struct)
        self.add(f"  p = w.ensure(p, {room});", "  if (p == nullptr) [[unlikely]] return nullptr;")
        for index, field in enumerate(struct.fields):
            following = fixed_room(struct.fields[index + 1:]) + 1
            self.encode_field(struct, index, field, following)
        if self.message.flexible:
            self.encode_tags(struct)
        self.add("  return p;", "}", "")

    def encode_field(self, struct: Struct, index: int, field: Field, following: int) -> None:
        test = self.condition(untagged(field))
        lacking = self.condition(field.versions)
        if test is None:
            self.put(struct, index, field, following, "  ")
            return
        if test != "false":
            self.add(f"  if ({test}) {{")
            self.put(struct, index, field, following, "    ")
            self.add("  }")
        if lacking is not None and not field.ignorable:
            absent = "true" if lacking == "false" else f"!({lacking})"
            self.add(f"  if ({absent} && {not_default(field)}) [[unlikely]] {{",
                     f"    return wire::not_in_version(w, {table(struct)}, {index});", "  }")

    def encode_tags(self, struct: Struct) -> None:
        tagged = sorted(((i, f) for i, f in enumerate(struct.fields) if f.tagged),
                        key=lambda pair: pair[1].tag)
        if self.condition(self.message.flexible) is not None:
            self.add("  if (flex == 0) {",
                     "    return m.unknown_tags == nullptr ? p : wire::no_tags_in_version(w);", "  }")
        for _, field in tagged:
            test = self.condition(field.tagged)
            version = f"({test}) && " if test is not None else ""
            self.add(f"  const bool has_{field.tag} = {version}{not_default(field)};")
        known = " + ".join(f"unsigned{{has_{f.tag}}}" for _, f in tagged)
        if not tagged:
            self.add("  p = wire::put_unknown_tags(w, p, m.unknown_tags);")
            return
        self.add(f"  const unsigned known = {known};",
                 "  if (known == 0) [[likely]] {",
                 "    return wire::put_unknown_tags(w, p, m.unknown_tags);", "  }",
                 "  wire::TagWriter tags(m.unknown_tags);",
                 "  p = tags.begin(w, p, known);",
                 "  if (p == nullptr) [[unlikely]] return nullptr;")
        for index, field in tagged:
            self.add(f"  if (has_{field.tag}) {{",
                     f"    p = tags.known(w, p, v, {table(struct)}.fields[{index}], &m);",
                     "    if (p == nullptr) [[unlikely]] return nullptr;")
            self.put(struct, index, field, 0, "    ")
            self.add("  }")
        self.add("  p = tags.end(w, p);")

    # --- defaults ---

    def is_default(self, struct: Struct) -> None:
        tests = [f"!({not_default(f)})" for f in struct.fields]
        if has_unknown_tags(self.message, struct):
            tests.append("m.unknown_tags == nullptr")
        self.add(f"[[maybe_unused]] bool is_default(const {qualified(self.message, struct)}& m) {{",
                 "  return " + " &&\n         ".join(tests or ["true"]) + ";", "}", "")


def member(field: Field) -> str:
    return snake(field.name)


def untagged(field: Field) -> Versions:
    """The versions in which the field stands in its place, and not among the tagged ones."""
    if not field.tagged:
        return field.versions
    if field.tagged.hi != field.versions.hi:
        raise ValueError(f"{field.name}: tagged only in the middle of its versions")
    rest = Versions(field.versions.lo, field.tagged.lo - 1)
    return rest if rest else Versions(0, -1)


def fixed_room(fields: list[Field]) -> int:
    return sum(WIRE_SIZES[f.kind] for f in fields if is_fixed(f))


def not_default(field: Field) -> str:
    """The C++ test for a value other than the default, as Kafka's own generator makes it."""
    name = f"m.{member(field)}"
    if field.array:
        if field.default is None:
            return f"!{name}.is_null()"
        return f"({name}.is_null() || {name}.count != 0)" if field.nullable else f"{name}.count != 0"
    if field.kind == "struct":
        if is_pointer(field):
            return f"{name} != nullptr"
        return f"!is_default({name})"
    if field.kind in ("string", "bytes", "records"):
        if field.default is None:
            return f"!is_null({name})"
        differs = f"{name} != {cpp_default(field)}" if field.default else f"!{name}.empty()"
        return f"(is_null({name}) || {differs})" if field.nullable else differs
    if field.kind == "bool":
        return f"!{name}" if field.default else name
    return f"{name} != {cpp_default(field)}"
