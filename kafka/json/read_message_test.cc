#include "kafka/json/read_message.h"

#include <gtest/gtest.h>

#include "kafka/json/message_json.h"
#include "kafka/messages/metadata_request.h"
#include "kafka/messages/produce_request.h"

namespace grete::kafka::json {
namespace {

class ReadMessageTest : public testing::Test {
 protected:
  std::string error_of(std::string_view text, const MessageInfo& info, std::int16_t version) {
    const auto read = read_message(text, info, ApiVersion{version}, arena_);
    return read ? "no error" : read.error().text;
  }

  MemoryBudget budget_{1 << 20};
  Arena arena_{budget_};
};

TEST_F(ReadMessageTest, ReadsWhatIsPrinted) {
  const std::string_view text =
      R"({"transactionalId":null,"acks":-1,"timeoutMs":30000,"topicData":[{"name":"t",)"
      R"("partitionData":[{"index":0,"records":"YWJj"},{"index":1,"records":null}]}]})";
  const auto read = read_message(text, kProduceRequestInfo, ApiVersion{3}, arena_);
  ASSERT_TRUE(read) << read.error().text;
  std::string again;
  append_message(again, *read->info->type, ApiVersion{3}, read->value,
                 {.records = Options::Records::kBase64});
  EXPECT_EQ(again, text);
}

TEST_F(ReadMessageTest, ErrorsNameTheField) {
  EXPECT_EQ(error_of("{", kMetadataRequestInfo, 1), "MetadataRequest: this is not JSON");
  EXPECT_EQ(error_of("{}", kMetadataRequestInfo, 99), "MetadataRequest: no such version");
  EXPECT_EQ(error_of("{}", kMetadataRequestInfo, 1), "MetadataRequest.topics: is missing");
  EXPECT_EQ(error_of(R"({"topics":[{"name":"a"},{"name":7}]})", kMetadataRequestInfo, 1),
            "MetadataRequest.topics[1].name: a string is expected");
  EXPECT_EQ(error_of(R"({"topics":null,"topic":1})", kMetadataRequestInfo, 1),
            "MetadataRequest.topic: this version has no such field");
  EXPECT_EQ(error_of(R"({"topics":null})", kMetadataRequestInfo, 0),
            "MetadataRequest.topics: null, where this version allows none");
  EXPECT_EQ(error_of(R"({"transactionalId":null,"acks":40000,"timeoutMs":0,"topicData":[]})",
                     kProduceRequestInfo, 3),
            "ProduceRequest.acks: an integer from -32768 to 32767 is expected");
}

}  // namespace
}  // namespace grete::kafka::json
