#include "plugins/native_hook.h"

#include <utility>

namespace grete::plugins {
namespace {

class NativeVisit final : public Visit {
 public:
  explicit NativeVisit(NativeFilter& filter) : filter_(&filter) {}

  void start(const MessageCall& call) override { verdict_ = filter_->on_message(call); }
  void start(const RecordsCall& call, EditList& edits) override {
    verdict_ = filter_->on_records(call, edits);
  }
  CallState poll(Moment now) override {
    static_cast<void>(now);
    return CallState::kDone;
  }
  Result<Verdict, Failure> take() override { return std::move(verdict_); }

 private:
  NativeFilter* filter_;
  Verdict verdict_;
};

class NativeRuntime final : public HookRuntime {
 public:
  explicit NativeRuntime(std::unique_ptr<NativeFilter> filter) : filter_(std::move(filter)) {}
  std::unique_ptr<Visit> visit() override { return std::make_unique<NativeVisit>(*filter_); }

 private:
  std::unique_ptr<NativeFilter> filter_;
};

class NativeHook final : public Hook {
 public:
  NativeHook(HookSpec spec, Subscription subscription, NativeFilterFactory factory)
      : Hook(std::move(spec), std::move(subscription)), factory_(std::move(factory)) {}

  [[nodiscard]] std::unique_ptr<HookRuntime> make_runtime(Worker& worker) const override {
    static_cast<void>(worker);
    return std::make_unique<NativeRuntime>(factory_());
  }

 private:
  NativeFilterFactory factory_;
};

}  // namespace

std::shared_ptr<const Hook> make_native_hook(HookSpec spec, Subscription subscription,
                                             NativeFilterFactory factory) {
  return std::make_shared<NativeHook>(std::move(spec), std::move(subscription), std::move(factory));
}

}  // namespace grete::plugins
