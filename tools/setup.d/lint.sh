debian_packages clang-format-19 clang-tidy-19
