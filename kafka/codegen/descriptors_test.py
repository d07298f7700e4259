#!/usr/bin/env python3
"""The descriptor language, and how two release lines are merged."""

import copy
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from cpp_types import amplification, layout, min_wire_size, snake, version_test  # noqa: E402
from descriptors import (NONE, DescriptorError, Versions, merge_lines, merge_order,  # noqa: E402
                         parse_json, parse_message, parse_versions)


def request(versions: str, fields: list[dict], **more) -> dict:
    return {"apiKey": 7, "type": "request", "name": "TestRequest", "validVersions": versions,
            "flexibleVersions": "none", "fields": fields} | more


def field(name: str, versions: str, **more) -> dict:
    return {"name": name, "type": "int32", "versions": versions} | more


class DescriptorsTest(unittest.TestCase):
    def test_versions(self):
        self.assertEqual(parse_versions("3"), Versions(3, 3))
        self.assertEqual(parse_versions("3-5"), Versions(3, 5))
        self.assertEqual(parse_versions("3+").cut(Versions(0, 7)), Versions(3, 7))
        self.assertFalse(parse_versions("none"))
        with self.assertRaises(DescriptorError):
            parse_versions("3 to 5")

    def test_comments_but_not_within_strings(self):
        text = '// License\n{"a": [ // list\n 1], // rest\n "b": "http://x"}'
        self.assertEqual(parse_json(text, "t"), {"a": [1], "b": "http://x"})

    def test_defaults(self):
        fields = parse_message(request("0", [
            field("A", "0+", default="0x7f"), field("B", "0+", type="bool", default="true"),
            field("C", "0+", type="string"), field("D", "0+", type="records", nullableVersions="0+"),
            field("E", "0+", type="string", nullableVersions="0+", default="null")])).root.fields
        self.assertEqual([f.default for f in fields], [127, True, "", None, None])
        with self.assertRaises(DescriptorError):
            parse_message(request("0", [field("A", "0+", type="string", default="null")]))

    def test_reserved_key_is_no_message(self):
        self.assertIsNone(parse_message({"validVersions": "none", "name": "X", "type": "request"}))

    def test_merge_takes_old_versions_from_the_older_line(self):
        newer = request("2-3", [field("A", "0+"), field("C", "3+")])
        older = request("0-2", [field("A", "0+"), field("Gone", "0-1"), field("Renamed", "2+")])
        [message] = merge_lines([newer], [older], {})
        self.assertEqual(message.versions, Versions(0, 3))
        self.assertEqual([(f.name, f.versions) for f in message.root.fields], [
            ("A", Versions(0, 3)), ("Gone", Versions(0, 1)), ("C", Versions(3, 3))])

    def test_merge_refuses_what_it_cannot_do(self):
        newer = request("2-3", [field("A", "0+")])
        with self.assertRaises(DescriptorError):
            merge_lines([newer], [request("0-2", [field("A", "0+", type="int64")])], {})
        with self.assertRaises(DescriptorError):  # a hole at version 1
            merge_lines([newer], [request("0-0", [field("A", "0+")])], {})
        with self.assertRaises(DescriptorError):
            merge_order(["A", "B"], ["B", "A"], "test")

    def test_merged_order_keeps_both(self):
        self.assertEqual(merge_order(["A", "B", "C"], ["A", "X", "C", "Y"], "t"),
                         ["A", "X", "B", "C", "Y"])

    def test_overrides_must_name_something(self):
        newer = request("0", [field("A", "0+")])
        with self.assertRaises(DescriptorError):
            merge_lines([newer], [], {"fields": {"TestRequest.B": {"secret": True}}})
        [message] = merge_lines([copy.deepcopy(newer)], [],
                                {"fields": {"TestRequest.A": {"secret": True}}})
        self.assertTrue(message.root.fields[0].secret)

    def test_addresses_may_take_the_node_from_the_enclosing_struct(self):
        host = field("Host", "0+", type="string")
        inner = field("Listeners", "0+", type="[]L", fields=[host, field("Port", "0+")])
        [with_node] = merge_lines([request("0", [field("NodeId", "0+"), inner])], [], {})
        self.assertEqual(with_node.root.fields[0].address_part, "kNode")
        self.assertEqual(with_node.struct("L").fields[0].address_part, "kHost")
        [without] = merge_lines([request("0", [inner])], [], {})
        self.assertEqual(without.struct("L").fields[0].address_part, "kNone")


class CppTypesTest(unittest.TestCase):
    def test_names(self):
        self.assertEqual(snake("IsInternal"), "is_internal")
        self.assertEqual(snake("ISRNodes"), "isr_nodes")
        self.assertEqual(snake("Operator"), "operator_")

    def test_version_tests(self):
        within = Versions(0, 5)
        self.assertIsNone(version_test(Versions(0, 5), within))
        self.assertEqual(version_test(Versions(2, 5), within), "v >= 2")
        self.assertEqual(version_test(Versions(2, 2), within), "v == 2")
        self.assertEqual(version_test(NONE, within), "false")

    def test_layout_and_amplification(self):
        [message] = merge_lines([request("0-1", [
            field("Items", "0+", type="[]Item", fields=[
                field("Name", "0+", type="string"), field("New", "1+", type="int8")])],
            flexibleVersions="1+")], [], {})
        item = message.struct("Item")
        self.assertEqual(layout(message, item), (32, 8))  # view, int8, list of unknown tags
        self.assertEqual(min_wire_size(message, item), 2)
        self.assertEqual(amplification(message), 16.0)


if __name__ == "__main__":
    unittest.main()
