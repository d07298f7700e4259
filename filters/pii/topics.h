// Which topics the filter looks at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace grete::filters::pii {

// Whether `text` is what `glob` says: '*' stands for any number of any bytes, '?' for one.
// Takes time proportional to the product of the sizes at worst.
bool matches_glob(std::string_view glob, std::string_view text);

// Immutable lists of globs.
struct TopicFilter {
  std::vector<std::string> include = {"*"};
  std::vector<std::string> exclude;

  // Included and not excluded. An empty name is a topic whose name the host does not know: it is
  // looked at, lest data slip through.
  [[nodiscard]] bool accepts(std::string_view topic) const;
};

}  // namespace grete::filters::pii
