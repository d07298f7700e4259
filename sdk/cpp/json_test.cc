#include "sdk/cpp/json.h"

#include <gtest/gtest.h>

namespace grete::sdk {
namespace {

TEST(Json, ReadsEveryKind) {
  const auto json = parse_json(
      R"( {"a": [1, -2.5e3, true, false, null], "b": "x\n\u00e9\ud83d\ude00", "c": {}} )");
  ASSERT_TRUE(json);
  const Json& list = *json->find("a");
  ASSERT_EQ(list.items.size(), 5U);
  EXPECT_EQ(list.items[0].number, 1);
  EXPECT_EQ(list.items[1].number, -2500);
  EXPECT_TRUE(list.items[2].boolean);
  EXPECT_EQ(list.items[4].kind, Json::Kind::kNull);
  EXPECT_EQ(json->find("b")->text, "x\n\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(json->find("c")->kind, Json::Kind::kObject);
  EXPECT_EQ(json->find("d"), nullptr);
}

TEST(Json, TellsWhereItIsBroken) {
  struct Row {
    std::string_view text;
    std::size_t offset;
  };
  for (const Row& row : std::initializer_list<Row>{{"", 0},
                                                   {"{", 1},
                                                   {"[1,]", 3},
                                                   {"[1 2]", 3},
                                                   {"{\"a\" 1}", 5},
                                                   {"{\"a\":1,\"a\":2}", 7},
                                                   {"01", 0},
                                                   {"1.", 0},
                                                   {"\"\\x\"", 2},
                                                   {"\"\\ud800\"", 7},
                                                   {"\"a\nb\"", 2},
                                                   {"\"abc", 4},
                                                   {"tru", 0},
                                                   {"1 2", 2}}) {
    const auto json = parse_json(row.text);
    ASSERT_FALSE(json) << row.text;
    EXPECT_EQ(json.error().offset, row.offset) << row.text << ": " << json.error().what;
  }
  EXPECT_FALSE(parse_json(std::string(100000, '[')));
}

}  // namespace
}  // namespace grete::sdk
