// Refuses batches with a record that has no key: on a compacted topic such a record can never be
// replaced, and brokers only say so once the topic is compacted.
#include "sdk/cpp/filter.h"

namespace {

namespace sdk = grete::sdk;

class RequireKey final : public sdk::Filter {
 public:
  void on_configure(sdk::Config& config, sdk::Subscriptions& subscribe) override {
    prefix_ = config.string("topics_starting_with").value_or("");
    subscribe.produced_records();
  }

  sdk::Verdict on_records(sdk::Records& records) override {
    sdk::Verdict verdict = sdk::Verdict::pass();
    if (!records.topic().starts_with(prefix_)) {
      return verdict;
    }
    for (const sdk::Record& record : records) {
      if (!record.key) {
        verdict.records.push_back(records.index_of(record));
      }
    }
    if (!verdict.records.empty()) {
      verdict.kind = grete::kafka::lane::VerdictKind::kReject;
      verdict.message = "records of this topic need a key";
    }
    return verdict;
  }

 private:
  std::string prefix_;
};

}  // namespace

GRETE_FILTER(RequireKey)
