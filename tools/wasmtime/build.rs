//! Copies the C API's headers, with the conf.h that matches the enabled features, to the folder
//! named by GRETE_WASMTIME_INCLUDE_OUT, for CMake.
use std::path::Path;
use std::{env, fs};

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("create the header folder");
    for entry in fs::read_dir(from).expect("read the header folder") {
        let entry = entry.expect("read a header entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("copy a header");
        }
    }
}

fn main() {
    println!("cargo:rerun-if-env-changed=GRETE_WASMTIME_INCLUDE_OUT");
    let Ok(out) = env::var("GRETE_WASMTIME_INCLUDE_OUT") else { return };
    let include = env::var("DEP_WASMTIME_C_API_INCLUDE").expect("the C API names its headers");
    for folder in env::split_paths(&include) {
        copy_tree(&folder, Path::new(&out));
    }
}
