// Hostile Produce requests and Fetch responses through a chain: nothing crashes, memory stays
// within the connection's budget and is given back, and every task ends. The first two bytes choose
// direction, version and what the filter does.
#include <cstdint>
#include <cstdlib>

#include "plugins/testing/fixture.h"

using namespace grete;
using namespace grete::plugins;
using namespace grete::plugins::testing;

namespace {

constexpr std::uint64_t kBudget = std::uint64_t{4} << 20;

Verdict edit_some(std::uint8_t choice, const RecordsCall& call, EditList& edits) {
  Verdict verdict;
  for_each_record(call, [&](std::uint32_t index, const kafka::records::Record& record) {
    if (index % 2 == 0) {
      const bool drop = (choice & 4) != 0;
      static_cast<void>(edits.add(drop ? kafka::lane::Edit{.record = index,
                                                           .field = kafka::lane::Field::kDrop,
                                                           .header = 0,
                                                           .offset = 0,
                                                           .length = 0,
                                                           .bytes = Bytes{}}
                                       : set_field(index, kafka::lane::Field::kValue, "changed")));
    }
    if ((choice & 8) != 0 && record.value && record.value->size() % 3 == 0) {
      verdict.kind = VerdictKind::kReject;
      verdict.records.push_back(index);
    }
  });
  return verdict;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::uint8_t choice = data[0];
  const auto version = static_cast<std::int16_t>(data[1] % 19);
  const Bytes body{reinterpret_cast<const std::byte*>(data) + 2, size - 2};
  TestWorker worker(kBudget);
  const auto hook = [choice](const RecordsCall& call, EditList& edits) {
    return edit_some(choice, call, edits);
  };
  const auto policy = static_cast<OnFailure>((choice >> 4) % 3);
  const auto runtime =
      ChainRuntime::create(std::make_shared<const Chain>(std::vector<std::shared_ptr<const Hook>>{
                               records_hook("first", hook, policy), records_hook("second", hook)}),
                           worker.worker);
  {
    const Frame frame = TestWorker::frame(as_bytes("head"), body);
    const bool produced = (choice & 1) != 0;
    auto task =
        produced ? runtime->begin_request(
                       frame, worker.context(kafka::api_key::kProduce, version,
                                             (choice & 2) != 0 ? Answer::kNone : Answer::kExpected))
                 : runtime->passage().begin_response(
                       frame, worker.context(kafka::api_key::kFetch, version));
    auto outcome = worker.run(*task);
    task = nullptr;
    std::vector<std::byte> copy(outcome.frame.size);
    outcome.frame.copy_to(copy.data());
    if (produced && outcome.passage.interest(kafka::api_key::kProduce,
                                             kafka::ApiVersion{version}) == Interest::kWhole) {
      // The same bytes as a broker's answer to be merged with.
      auto merge = std::move(outcome.passage)
                       .begin_response(frame, worker.context(kafka::api_key::kProduce, version));
      static_cast<void>(worker.run(*merge));
    }
  }
  if (worker.budget.used() != 0 || worker.budget.peak() > kBudget) {
    std::abort();
  }
  return 0;
}
