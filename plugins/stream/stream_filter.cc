#include "plugins/stream/stream_filter.h"

#include <algorithm>
#include <utility>

#include "plugins/limits.h"
#include "plugins/stream/stream_vm.h"

namespace grete::plugins {
namespace {

class WasmStreamFilter final : public StreamFilter {
 public:
  WasmStreamFilter(std::shared_ptr<StreamVm> vm, const ConnectionInfo& connection,
                   StreamListener* listener, Worker& worker)
      : vm_(std::move(vm)),
        stream_(std::make_shared<Stream>(vm_, connection, listener)),
        worker_(&worker) {}

  ~WasmStreamFilter() override {
    if (!closed_) {
      close(ClosedBy::kGateway, worker_->machine->now());
    }
  }

  void feed(Flow flow, Bytes bytes, EndOfStream end, Moment now) override {
    stream_->feed(flow, bytes, end);
    vm_->enqueue(stream_, now);
  }
  std::vector<std::byte> take(Flow flow) override { return stream_->take(flow); }
  [[nodiscard]] bool ended(Flow flow) const override { return stream_->ended(flow); }
  [[nodiscard]] std::size_t held(Flow flow) const override { return stream_->held(flow); }
  [[nodiscard]] StreamState state() const override { return stream_->state(); }
  void close(ClosedBy by, Moment now) override {
    closed_ = true;
    stream_->close(by);
    vm_->enqueue(stream_, now);
  }

 private:
  std::shared_ptr<StreamVm> vm_;
  std::shared_ptr<Stream> stream_;
  Worker* worker_;
  bool closed_ = false;
};

class WasmStreamRuntime final : public StreamRuntime {
 public:
  WasmStreamRuntime(std::shared_ptr<const WasmPlugin> plugin, Worker& worker)
      : plugin_(std::move(plugin)), worker_(&worker) {}

  ~WasmStreamRuntime() override {
    for (const auto& vm : vms_) {
      vm->abandon();
    }
  }

  std::unique_ptr<StreamFilter> open(const ConnectionInfo& connection, StreamListener* listener,
                                     Moment now) override {
    auto vm = plugin_->spec.isolation == Isolation::kWorker
                  ? shared_vm(now)
                  : add(std::make_shared<StreamVm>(plugin_, *worker_));
    auto filter = std::make_unique<WasmStreamFilter>(std::move(vm), connection, listener, *worker_);
    filter->feed(Flow::kDownstream, {}, EndOfStream::kNo, now);
    return filter;
  }

  void serve(Moment now) override {
    for (const auto& vm : vms_) {
      vm->serve(now);
    }
    std::erase_if(vms_, [this](const std::shared_ptr<StreamVm>& vm) {
      return vm.use_count() == 1 && vm != shared_ && !vm->queued();
    });
  }

 private:
  const std::shared_ptr<StreamVm>& add(std::shared_ptr<StreamVm> vm) {
    return vms_.emplace_back(std::move(vm));
  }

  // A lost instance is replaced, later each time it is lost again soon.
  std::shared_ptr<StreamVm> shared_vm(Moment now) {
    if (shared_ == nullptr || (shared_->lost() && now >= retry_at_)) {
      if (shared_ != nullptr && now - started_at_ > limits::kForgiven) {
        back_off_ = limits::kFirstBackOff;
      }
      shared_ = add(std::make_shared<StreamVm>(plugin_, *worker_));
      started_at_ = now;
      retry_at_ = now + back_off_;
      back_off_ = std::min(back_off_ * 2, limits::kLastBackOff);
    }
    return shared_;
  }

  std::shared_ptr<const WasmPlugin> plugin_;
  Worker* worker_;
  std::vector<std::shared_ptr<StreamVm>> vms_;
  std::shared_ptr<StreamVm> shared_;
  Moment started_at_;
  Moment retry_at_;
  Duration back_off_ = limits::kFirstBackOff;
};

}  // namespace

std::unique_ptr<StreamRuntime> make_stream_runtime(std::shared_ptr<const WasmPlugin> plugin,
                                                   Worker& worker) {
  return std::make_unique<WasmStreamRuntime>(std::move(plugin), worker);
}

}  // namespace grete::plugins
