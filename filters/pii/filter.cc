#include "filters/pii/filter.h"

#include <algorithm>

#include "filters/pii/pii.h"

namespace grete::filters::pii {

std::unique_ptr<sdk::Filter> make_pii_filter() {
  return std::make_unique<PiiFilter>();
}

PiiFilter::PiiFilter() = default;

void PiiFilter::read_detectors(sdk::Config& config) {
  DetectorSet detectors = DetectorSet::all();
  if (const auto words = config.strings("detect")) {
    detectors = DetectorSet{};
    for (std::size_t i = 0; i < words->size(); ++i) {
      const auto named = detectors_named((*words)[i]);
      if (!named) {
        config.fail("detect[" + std::to_string(i) + "]",
                    sdk::unknown_word("unknown detector", (*words)[i], detector_words()));
        return;
      }
      detectors |= *named;
    }
  }
  if (!detectors.empty()) {
    scanner_.emplace(detectors);
  }
}

void PiiFilter::read_patterns(sdk::Config& config) {
  for (sdk::Config& own : config.objects("patterns")) {
    const auto name = own.string("name");
    const auto regex = own.string("regex");
    if (!name || name->empty()) {
      own.fail("name", "missing: a name for messages");
    } else if (!regex) {
      own.fail("regex", "missing: the regular expression to look for");
    }
    if (own.finish()) {
      return;
    }
    auto pattern = Pattern::compile(*regex);
    if (!pattern) {
      own.fail("regex", pattern.error().what + " at byte " +
                            std::to_string(pattern.error().offset) + " of \"" + *regex + "\"");
      return;
    }
    patterns_.push_back(*std::move(pattern));
    if (patterns_.size() > kMaxPatterns) {
      config.fail("patterns", "there are more than " + std::to_string(kMaxPatterns));
      return;
    }
  }
}

void PiiFilter::read_topics(sdk::Config& config) {
  auto topics = config.object("topics");
  if (!topics) {
    return;
  }
  if (auto include = topics->strings("include")) {
    topics_.include = *std::move(include);
  }
  if (auto exclude = topics->strings("exclude")) {
    topics_.exclude = *std::move(exclude);
  }
  static_cast<void>(topics->finish());
}

void PiiFilter::read_fields(sdk::Config& config) {
  constexpr std::array<std::string_view, 3> kWords = {"keys", "values", "headers"};
  const auto fields = config.strings("fields");
  if (!fields) {
    return;
  }
  keys_ = values_ = headers_ = false;
  for (std::size_t i = 0; i < fields->size(); ++i) {
    const std::string& word = (*fields)[i];
    keys_ = keys_ || word == "keys";
    values_ = values_ || word == "values";
    headers_ = headers_ || word == "headers";
    if (std::ranges::find(kWords, word) == kWords.end()) {
      config.fail("fields[" + std::to_string(i) + "]",
                  sdk::unknown_word("unknown field", word, kWords));
    }
  }
}

void PiiFilter::on_configure(sdk::Config& config, sdk::Subscriptions& subscribe) {
  constexpr std::array<std::string_view, 2> kActions = {"mask", "reject"};
  constexpr std::array<std::string_view, 3> kDirections = {"produce", "fetch", "both"};
  read_detectors(config);
  read_patterns(config);
  read_topics(config);
  read_fields(config);
  if (const auto action = config.choice("action", kActions)) {
    action_ = static_cast<Action>(*action);
  }
  const std::size_t direction = config.choice("direction", kDirections).value_or(0);
  if (!scanner_ && patterns_.empty()) {
    config.fail("detect", "nothing to look for: name detectors, or give patterns");
  }
  if (!keys_ && !values_ && !headers_) {
    config.fail("fields", "nothing to look at: name keys, values or headers");
  }
  if (direction != 1) {
    subscribe.produced_records();
  }
  if (direction != 0) {
    subscribe.fetched_records();
  }
}

sdk::Verdict PiiFilter::on_records(sdk::Records& records) {
  if (!topics_.accepts(records.topic())) {
    return sdk::Verdict::pass();
  }
  sdk::Verdict verdict = sdk::Verdict::pass();
  for (const sdk::Record& record : records) {
    if (treat(records, record) && action_ == Action::kReject) {
      verdict.records.push_back(records.index_of(record));
    }
  }
  if (!verdict.records.empty()) {
    verdict.kind = kafka::lane::VerdictKind::kReject;
    verdict.message = "records hold personal data or credentials:";
    for (std::size_t i = 0; i < found_.size(); ++i) {
      if (found_[i] != 0) {
        verdict.message += ' ';
        verdict.message += i < kDetectorCount ? name_of(static_cast<Detector>(i)) : "pattern";
      }
    }
  }
  count_matches();
  return verdict;
}

bool PiiFilter::treat(sdk::Records& records, const sdk::Record& record) {
  bool found = false;
  if (keys_) {
    found = treat(records, record, sdk::Field::kKey, record.key);
  }
  if (values_) {
    found = treat(records, record, sdk::Field::kValue, record.value) || found;
  }
  if (headers_ && !record.headers.empty()) {
    std::size_t index = 0;
    for (const auto& header : record.headers) {
      found = treat(records, record, sdk::Field::kHeaderValue, header.value, index++) || found;
    }
  }
  return found;
}

bool PiiFilter::treat(sdk::Records& records, const sdk::Record& record, sdk::Field field,
                      std::optional<Bytes> bytes, std::size_t header) {
  if (!bytes || bytes->empty() || !look(as_text(*bytes))) {
    return false;
  }
  if (action_ == Action::kMask) {
    for (const Span& span : spans_) {
      records.replace(record, field, span.begin, span.end - span.begin, stars(span.stars), header);
    }
  }
  return true;
}

bool PiiFilter::look(std::string_view text) {
  matches_.clear();
  spans_.clear();
  if (scanner_) {
    scanner_->find(text, matches_);
  }
  for (const Match& match : matches_) {
    const bool email = match.detector == Detector::kEmail;
    spans_.push_back({match.begin, match.end, email ? 2 : match.end - match.begin});
    ++found_[static_cast<std::size_t>(match.detector)];
  }
  if (!patterns_.empty()) {
    merge_patterns(text);
  }
  return !spans_.empty();
}

// What overlaps becomes one span that keeps its length.
void PiiFilter::merge_patterns(std::string_view text) {
  const std::size_t detected = spans_.size();
  for (Pattern& pattern : patterns_) {
    ranges_.clear();
    pattern.find(text, ranges_);
    for (const ByteRange& range : ranges_) {
      spans_.push_back({range.begin, range.end, range.end - range.begin});
      ++found_[kDetectorCount];
    }
  }
  if (spans_.size() == detected) {
    return;
  }
  std::ranges::sort(spans_, {}, &Span::begin);
  std::size_t last = 0;
  for (std::size_t i = 1; i < spans_.size(); ++i) {
    if (spans_[i].begin < spans_[last].end) {
      spans_[last].end = std::max(spans_[last].end, spans_[i].end);
      spans_[last].stars = spans_[last].end - spans_[last].begin;
    } else {
      spans_[++last] = spans_[i];
    }
  }
  spans_.resize(last + 1);
}

Bytes PiiFilter::stars(std::size_t count) {
  if (stars_.size() < count) {
    stars_.resize(std::max<std::size_t>(count, 256), '*');
  }
  return as_bytes(std::string_view(stars_).substr(0, count));
}

void PiiFilter::count_matches() {
  for (std::size_t i = 0; i < found_.size(); ++i) {
    if (found_[i] == 0) {
      continue;
    }
    if (counters_[i] == sdk::Counter::kNone) {
      std::string name = "pii.found.";
      name += i < kDetectorCount ? name_of(static_cast<Detector>(i)) : "pattern";
      counters_[i] = host().counter(name);
    }
    host().add(counters_[i], found_[i]);
    found_[i] = 0;
  }
}

}  // namespace grete::filters::pii
