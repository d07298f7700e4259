#include "filters/pii/scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filters/pii/masking.h"

namespace grete::filters::pii {
namespace {

std::string mask(std::string_view text, DetectorSet detectors = DetectorSet::all()) {
  Scanner scanner(detectors);
  std::vector<Match> matches;
  scanner.find(text, matches);
  return masked(text, matches);
}

struct Row {
  std::string_view text;
  std::string_view masked;  // the same as text where nothing may be found
};

// Each row alone, and again behind and before enough other text to fall in every place of a block.
void check(DetectorSet detectors, std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(mask(row.text, detectors), row.masked) << row.text;
    EXPECT_EQ(mask(row.text), row.masked) << row.text << " with all detectors";
    for (std::size_t before = 0; before < 18; ++before) {
      const std::string padding = std::string(before, '-') + " ";
      const std::string text = padding + std::string(row.text) + " and so on, until the end";
      const std::string expected = padding + std::string(row.masked) + " and so on, until the end";
      EXPECT_EQ(mask(text, detectors), expected) << before;
    }
  }
}

DetectorSet only(std::string_view word) {
  const auto detectors = detectors_named(word);
  EXPECT_TRUE(detectors.has_value()) << word;
  return detectors.value_or(DetectorSet{});
}

std::string stars(std::size_t count) {
  return std::string(count, '*');
}

TEST(Scanner, ArticlesLines) {
  EXPECT_EQ(mask("AWS_SECRET_ACCESS_KEY=myawssecretkeyvalue"),
            "AWS_SECRET_ACCESS_KEY=*******************");
  EXPECT_EQ(mask("AWS_SECRET_ACCESS_KEY=myawssecretkeyvalue "),
            "AWS_SECRET_ACCESS_KEY=******************* ");
  EXPECT_EQ(mask("My email is example@email.com"), "My email is **");
}

TEST(Scanner, Email) {
  check(only("email"), {
                           {"bob@example.com", "**"},
                           {"<bob.b+tag@mail.example.co.uk>", "<**>"},
                           {"mailto:bob@example.com?subject=x", "mailto:**?subject=x"},
                           {"{\"e\":\"bob@example.com\"}", "{\"e\":\"**\"}"},
                           {"a@b.co,c@d.io;e@f.org", "**,**;**"},
                           {"line\\nbob@example.com\\n", "line\\n**\\n"},
                           {"\\u003cbob@example.com\\u003e", "\\u003c**\\u003e"},
                           {"bob@my-host.example.com.", "**."},
                           {"bob@example.com-", "**-"},
                           {"BOB_1@EXAMPLE.COM", "**"},
                           {"x@xn--bcher-kva.example", "**"},
                           {"bob@localhost", "bob@localhost"},
                           {"@types/node", "@types/node"},
                           {"pkg@1.2.3", "pkg@1.2.3"},
                           {"icon@2x.png", "icon@2x.png"},
                           {"git@example.com:org/repo.git", "git@example.com:org/repo.git"},
                           {"a @ b.com", "a @ b.com"},
                           {"bob@example", "bob@example"},
                           {"bob@.com", "bob@.com"},
                           {"bob@@example.com", "bob@@example.com"},
                           {"@@@@", "@@@@"},
                       });
}

TEST(Scanner, Ipv4) {
  check(only("ipv4"), {
                          {"192.168.0.1", stars(11)},
                          {"from 10.0.0.255:9092", "from **********:9092"},
                          {"8.8.8.8.", "*******."},
                          {"(1.2.3.4)", "(*******)"},
                          {"10.0.0.0/8", "********/8"},
                          {"1.2.3", "1.2.3"},
                          {"1.2.3.4.5", "1.2.3.4.5"},
                          {"256.1.1.1", "256.1.1.1"},
                          {"1.2.3.256", "1.2.3.256"},
                          {"01.2.3.4", "01.2.3.4"},
                          {"v1.2.3.4", "v1.2.3.4"},
                          {"1.2.3.4a", "1.2.3.4a"},
                          {"1.2..3.4", "1.2..3.4"},
                          {"3.14159 2.71", "3.14159 2.71"},
                      });
}

TEST(Scanner, Phone) {
  check(only("phone"), {
                           {"+36 30 123 4567", stars(15)},
                           {"+442079460958", stars(13)},
                           {"+44 (20) 7946-0958", stars(18)},
                           {"+1 212 555 0123", stars(15)},
                           {"+1 212 555 0123 2024", stars(15) + " 2024"},
                           {"(212) 555-0123", stars(14)},
                           {"212-555-0123", stars(12)},
                           {"212.555.0123", stars(12)},
                           {"1-212-555-0123", stars(14)},
                           {"tel:\"212-555-0123\"", "tel:\"" + stars(12) + "\""},
                           {"\\n212-555-0123", "\\n" + stars(12)},
                           {"2125550123", "2125550123"},
                           {"112-555-0123", "112-555-0123"},
                           {"212-155-0123", "212-155-0123"},
                           {"212-555-01234", "212-555-01234"},
                           {"4212-555-0123", "4212-555-0123"},
                           {"212-555.0123", "212-555.0123"},
                           {"2026-11-22 18:00:00+0200", "2026-11-22 18:00:00+0200"},
                           {"1+12345678", "1+12345678"},
                           {"+1234567", "+1234567"},
                           {"+1 212 555 012", "+1 212 555 012"},
                           {"1700000000123", "1700000000123"},
                       });
}

TEST(Scanner, UsSsn) {
  check(only("us-ssn"), {
                            {"123-45-6789", stars(11)},
                            {"ssn=123-45-6789;", "ssn=" + stars(11) + ";"},
                            {"000-45-6789", "000-45-6789"},
                            {"666-45-6789", "666-45-6789"},
                            {"900-45-6789", "900-45-6789"},
                            {"123-00-6789", "123-00-6789"},
                            {"123-45-0000", "123-45-0000"},
                            {"123-45-67890", "123-45-67890"},
                            {"1123-45-6789", "1123-45-6789"},
                            {"123-45-6789-1", "123-45-6789-1"},
                            {"1-123-45-6789", "1-123-45-6789"},
                            {"123456789", "123456789"},
                            {"2026-11-22", "2026-11-22"},
                        });
}

TEST(Scanner, CreditCard) {
  check(only("credit-card"),
        {
            {"4111111111111111", stars(16)},
            {"4111 1111 1111 1111", stars(19)},
            {"4111-1111-1111-1111", stars(19)},
            {"5500005555555559", stars(16)},
            {"2221000000000009", stars(16)},
            {"378282246310005", stars(15)},
            {"3782 822463 10005", stars(17)},
            {"30569309025904", stars(14)},
            {"6011111111111117", stars(16)},
            {"3530111333300000", stars(16)},
            {"4222222222222", stars(13)},
            {"card:4111111111111111,", "card:" + stars(16) + ","},
            {"4111111111111112", "4111111111111112"},
            {"4111 1111-1111 1111", "4111 1111-1111 1111"},
            {"41111111111111111", "41111111111111111"},
            {"a4111111111111111", "a4111111111111111"},
            {"4111111111111111.5", "4111111111111111.5"},
            {"1111111111111117", "1111111111111117"},
            {"1700000000123456", "1700000000123456"},
            {"550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"},
        });
}

TEST(Scanner, Aws) {
  check(
      only("aws"),
      {
          {"AKIAIOSFODNN7EXAMPLE", stars(20)},
          {"\"ASIAIOSFODNN7EXAMPLE\"", "\"" + stars(20) + "\""},
          {"\\nAKIAIOSFODNN7EXAMPLE", "\\n" + stars(20)},
          {"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_ACCESS_KEY_ID=" + stars(20)},
          {"export AWS_SESSION_TOKEN=abc/def+==;", "export AWS_SESSION_TOKEN=" + stars(10) + ";"},
          {"aws_secret_access_key = wJalr/K7", "aws_secret_access_key = " + stars(8)},
          {"\"AWS_SECRET_ACCESS_KEY\": \"a b\"", "\"AWS_SECRET_ACCESS_KEY\": \"***\""},
          {"\\\"AWS_SECRET_ACCESS_KEY\\\":\\\"ab\\\"", "\\\"AWS_SECRET_ACCESS_KEY\\\":\\\"**\\\""},
          {"MY_AWS_SECRET_KEY=x", "MY_AWS_SECRET_KEY=*"},
          {"AWS_SECRET_ACCESS_KEY=one\\nAWS_REGION=x", "AWS_SECRET_ACCESS_KEY=***\\nAWS_REGION=x"},
          {"AWS_REGION=us-east-1", "AWS_REGION=us-east-1"},
          {"AWS_KMS_KEY_ARN=arn:aws", "AWS_KMS_KEY_ARN=arn:aws"},
          {"AWS_SECRET_ACCESS_KEY=,", "AWS_SECRET_ACCESS_KEY=,"},
          {"AWS_SECRET_ACCESS_KEY=***", "AWS_SECRET_ACCESS_KEY=***"},
          {"LAWS_KEY=x", "LAWS_KEY=x"},
          {"AKIAIOSFODNN7EXAMPLEX", "AKIAIOSFODNN7EXAMPLEX"},
          {"XAKIAIOSFODNN7EXAMPLE", "XAKIAIOSFODNN7EXAMPLE"},
          {"AKIAIOSFODNN7EXAM", "AKIAIOSFODNN7EXAM"},
      });
}

TEST(Scanner, GcpAndGoogle) {
  const std::string key = "AIzaSyA1234567890abcdefghijklmnopqrstuv";
  ASSERT_EQ(key.size(), 39U);
  check(only("gcp"),
        {
            {key, stars(39)},
            {"ya29.a0AfH6SMBx_0123456789abc", stars(29)},
            {"GOCSPX-1234567890abcdefghijklmnopqr", stars(35)},
            {"GOOGLE_API_KEY=abc", "GOOGLE_API_KEY=***"},
            {"GOOGLE_APPLICATION_CREDENTIALS=/etc/k.json",
             "GOOGLE_APPLICATION_CREDENTIALS=***********"},
            {"GCP_SERVICE_KEY: abc", "GCP_SERVICE_KEY: ***"},
            {"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkq\\nhkiG9w0=\\n-----END PRIVATE "
             "KEY-----\\n",
             "-----BEGIN PRIVATE KEY-----\\n" + stars(26) + "\\n-----END PRIVATE KEY-----\\n"},
            {"-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END",
             "-----BEGIN RSA PRIVATE KEY-----\n" + stars(16) + "\n-----END"},
            {"GOOGLE_CLOUD_PROJECT=p", "GOOGLE_CLOUD_PROJECT=p"},
            {"AIzaTooShort", "AIzaTooShort"},
            {"-----BEGIN PUBLIC KEY-----\nMIIEvQIBADANBgkq\n",
             "-----BEGIN PUBLIC KEY-----\nMIIEvQIBADANBgkq\n"},
            {"BEGIN ", "BEGIN "},
        });
}

TEST(Scanner, Azure) {
  check(only("azure"), {
                           {"AZURE_CLIENT_SECRET=abc~1", "AZURE_CLIENT_SECRET=*****"},
                           {"ARM_ACCESS_KEY=abc", "ARM_ACCESS_KEY=***"},
                           {"AccountName=a;AccountKey=aGVsbG8gd29ybGQgaGVsbG8=;Endpoint=x",
                            "AccountName=a;AccountKey=" + stars(24) + ";Endpoint=x"},
                           {"SharedAccessKeyName=x;SharedAccessKey=aGVsbG8gd29ybGQgaGVsbG8=",
                            "SharedAccessKeyName=x;SharedAccessKey=" + stars(24)},
                           {"abc8Q~abcdefghijklmnopqrstuvwxyz01234567", stars(40)},
                           {"AZURE_REGION=west", "AZURE_REGION=west"},
                           {"FAQ~a", "FAQ~a"},
                           {"AccountKey=short", "AccountKey=short"},
                       });
}

TEST(Scanner, Tokens) {
  const std::string token36 = "abcdefghijklmnopqrstuvwxyz0123456789";
  check(only("github"), {
                            {"ghp_" + token36, stars(40)},
                            {"ghs_" + token36, stars(40)},
                            {"github_pat_" + token36, stars(47)},
                            {"ghp_short", "ghp_short"},
                            {"xghp_" + token36, "xghp_" + token36},
                            {"github_path", "github_path"},
                        });
  check(only("slack"), {
                           {"xoxb-1234567890-abc", stars(19)},
                           {"https://hooks.slack.com/services/T00/B00/abcdef",
                            "https://hooks.slack.com/services/" + stars(14)},
                           {"xoxb-", "xoxb-"},
                           {"xoxz-1234567890-abc", "xoxz-1234567890-abc"},
                           {"hooks", "hooks"},
                       });
  check(only("stripe"), {
                            {"sk_live_abcdefghijklmnop", stars(24)},
                            {"rk_test_abcdefghijklmnop", stars(24)},
                            {"pk_live_abcdefghijklmnop", "pk_live_abcdefghijklmnop"},
                            {"sk_live_short", "sk_live_short"},
                            {"task_live_abcdefghijklmnop", "task_live_abcdefghijklmnop"},
                        });
}

TEST(Scanner, Jwt) {
  const std::string header = "eyJhbGciOiJIUzI1NiJ9";
  const std::string payload = "eyJzdWIiOiIxMjM0In0";
  check(only("jwt"),
        {
            {header + "." + payload + ".c2ln-_", stars(header.size() + payload.size() + 8)},
            {"Bearer " + header + "." + payload + ".", "Bearer " + stars(41)},
            {header + ".key.iv.text.tag", stars(header.size() + 16)},
            {header + ".key.iv", header + ".key.iv"},
            {header, header},
            {"eyJ.eyJ.eyJ", "eyJ.eyJ.eyJ"},
            {"x" + header + "." + payload + ".c2ln", "x" + header + "." + payload + ".c2ln"},
        });
}

TEST(Scanner, Database) {
  check(only("database"),
        {
            {"postgres://bob:hunter2@db:5432/x", "postgres://bob:*******@db:5432/x"},
            {"mongodb+srv://u:p%40ss@h.example/", "mongodb+srv://u:******@h.example/"},
            {"postgresql+psycopg2://u:pw@h", "postgresql+psycopg2://u:**@h"},
            {"redis://:secret@h:6379/0", "redis://:******@h:6379/0"},
            {"mysql://u:p@ss@h/d", "mysql://u:****@h/d"},
            {"DATABASE_URL=postgres://u:p@h/d", "DATABASE_URL=******************"},
            {"jdbc:postgresql://h/d", "jdbc:postgresql://h/d"},
            {"postgres://bob@db/x", "postgres://bob@db/x"},
            {"postgres://bob:***@db/x", "postgres://bob:***@db/x"},
            {"https://example.com:443/@x", "https://example.com:443/@x"},
            {"mypostgres://u:p@h", "mypostgres://u:p@h"},
            {"postgres://u@h:5432/x@y", "postgres://u@h:5432/x@y"},
            {"DATABASE_URLS=x", "DATABASE_URLS=x"},
        });
}

TEST(Scanner, OnlyEnabledDetectorsFind) {
  EXPECT_EQ(mask("bob@example.com 192.168.0.1 AKIAIOSFODNN7EXAMPLE", only("email")),
            "** 192.168.0.1 AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(mask("bob@example.com 192.168.0.1", DetectorSet{}), "bob@example.com 192.168.0.1");
}

TEST(Scanner, UsersOfDatabasesMayBeSecretsToo) {
  EXPECT_EQ(mask("postgres://AKIAIOSFODNN7EXAMPLE:pw@h/d"), "postgres://" + stars(20) + ":**@h/d");
}

TEST(Scanner, MatchesNameTheirDetector) {
  Scanner scanner(DetectorSet::all());
  std::vector<Match> matches;
  scanner.find("a@b.co 1.2.3.4", matches);
  EXPECT_THAT(matches,
              testing::ElementsAre(Match{0, 6, Detector::kEmail}, Match{7, 14, Detector::kIpv4}));
}

TEST(Detectors, EveryWordNamesDetectors) {
  DetectorSet together;
  for (const std::string_view word : detector_words()) {
    ASSERT_TRUE(detectors_named(word)) << word;
    EXPECT_FALSE(detectors_named(word)->empty()) << word;
    if (word != "all") {
      together |= *detectors_named(word);
    }
  }
  EXPECT_EQ(together, DetectorSet::all());
  EXPECT_EQ(name_of(Detector::kUsSsn), "us-ssn");
  EXPECT_FALSE(detectors_named("emial"));
}

}  // namespace
}  // namespace grete::filters::pii
