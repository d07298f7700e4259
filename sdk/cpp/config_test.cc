#include "sdk/cpp/config.h"

#include <gtest/gtest.h>

namespace grete::sdk {
namespace {

TEST(Config, ReadsWhatIsThere) {
  Config config = Config::parse(
      R"({"flag": true, "name": "x", "count": 3, "list": ["a", "b"], "one": "c", "o": {"in": "y"}})");
  EXPECT_EQ(config.boolean("flag"), true);
  EXPECT_EQ(config.string("name"), "x");
  EXPECT_EQ(config.integer("count", 1, 5), 3);
  EXPECT_EQ(config.strings("list"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config.strings("one"), std::vector<std::string>{"c"});
  EXPECT_EQ(config.string("absent"), std::nullopt);
  auto inner = config.object("o");
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->string("in"), "y");
  EXPECT_EQ(inner->finish(), std::nullopt);
  EXPECT_EQ(config.finish(), std::nullopt);
}

TEST(Config, EmptyTextIsAnEmptyObject) {
  EXPECT_EQ(Config::parse("").finish(), std::nullopt);
  EXPECT_EQ(Config::parse("null").finish(), std::nullopt);
}

TEST(Config, NamesTheUnknownSettingAndTheNearest) {
  Config config = Config::parse(R"({"detct": []})");
  static_cast<void>(config.strings("detect"));
  EXPECT_EQ(config.finish(), "unknown setting \"detct\"; did you mean \"detect\"?");

  Config other = Config::parse(R"({"o": {"zzz": 1}})");
  auto inner = other.object("o");
  static_cast<void>(inner->string("include"));
  static_cast<void>(inner->string("exclude"));
  EXPECT_EQ(inner->finish(), "o: unknown setting \"zzz\"; there are: include, exclude");
}

TEST(Config, TellsWhereAndWhatIsWrong) {
  const auto error_of = [](std::string_view text, auto read) {
    Config config = Config::parse(text);
    read(config);
    return config.finish().value_or("no error");
  };
  EXPECT_EQ(error_of("[1]", [](Config&) {}), "expected an object, found a list");
  EXPECT_EQ(error_of("{\"a\":", [](Config&) {}), "not JSON: not a value at byte 5");
  EXPECT_EQ(error_of(R"({"a": 1})", [](Config& c) { static_cast<void>(c.string("a")); }),
            "a: expected a string, found a number");
  EXPECT_EQ(error_of(R"({"a": ["x", 2]})", [](Config& c) { static_cast<void>(c.strings("a")); }),
            "a[1]: expected a string, found a number");
  EXPECT_EQ(error_of(R"({"a": 1.5})", [](Config& c) { static_cast<void>(c.integer("a", 0, 9)); }),
            "a: expected a whole number from 0 to 9");
  EXPECT_EQ(error_of(R"({"a": {"b": 1}})",
                     [](Config& c) { static_cast<void>(c.object("a")->string("b")); }),
            "a.b: expected a string, found a number");
  EXPECT_EQ(error_of(R"({"a": "mask_"})",
                     [](Config& c) {
                       constexpr std::string_view kWords[] = {"mask", "reject"};
                       static_cast<void>(c.choice("a", kWords));
                     }),
            "a: unknown word \"mask_\"; did you mean \"mask\"?");
}

}  // namespace
}  // namespace grete::sdk
