#include "wasm/pool/run_queue.h"

#include <cassert>
#include <utility>

namespace grete::wasm {

Runnable::~Runnable() {
  if (queue_ != nullptr) {
    queue_->remove(*this);
  }
}

RunQueue::~RunQueue() {
  while (fresh_.first != nullptr) {
    remove(*fresh_.first);
  }
  while (suspended_.first != nullptr) {
    remove(*suspended_.first);
  }
}

bool RunQueue::start(Runnable& work, Moment now) {
  assert(!work.queued());
  work.begun_ = false;
  append(fresh_, work);
  // What came earlier and was not begun yet goes first.
  return !used_ && fresh_.first == &work && run_one(work, now);
}

void RunQueue::begin_turn(Moment now) {
  if (suspended_.first == nullptr) {
    waited_turns_ = 0;
  } else if (++waited_turns_ > kPatience) {
    run_one(*suspended_.first, now);
  }
}

bool RunQueue::step(Moment now) {
  Runnable* next = fresh_.first != nullptr ? fresh_.first : suspended_.first;
  if (next == nullptr) {
    return false;
  }
  run_one(*next, now);
  return true;
}

// Runs a slice; true if the work is finished (and perhaps gone).
bool RunQueue::run_one(Runnable& work, Moment now) {
  remove(work);
  if (std::exchange(work.begun_, true)) {
    waited_turns_ = 0;
  }
  ++slices_;
  if (work.run_slice(now) == SliceResult::kFinished) {
    return true;
  }
  used_ = true;
  append(suspended_, work);
  return false;
}

void RunQueue::append(List& list, Runnable& work) {
  work.queue_ = this;
  work.previous_ = list.last;
  work.next_ = nullptr;
  (list.last != nullptr ? list.last->next_ : list.first) = &work;
  list.last = &work;
  ++list.length;
}

void RunQueue::remove(Runnable& work) {
  assert(work.queue_ == this);
  List& list = work.begun_ ? suspended_ : fresh_;
  (work.previous_ != nullptr ? work.previous_->next_ : list.first) = work.next_;
  (work.next_ != nullptr ? work.next_->previous_ : list.last) = work.previous_;
  --list.length;
  work.queue_ = nullptr;
}

}  // namespace grete::wasm
