//! Re-exports Wasmtime's C API so that its symbols stay in the static library.
pub use wasmtime_c_api::*;
