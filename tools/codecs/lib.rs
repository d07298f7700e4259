//! Nothing: this package names the crates whose sources `fetch` takes.
