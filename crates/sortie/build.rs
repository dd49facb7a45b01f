//! Has the linker compress the tables of lines that backtraces need, which would be half of the tool, and leave out the names
//! that nobody but the file they come from can use.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // The standard library reads them so: `zlib` it knows, and what takes less room it does not.
    if env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        println!("cargo:rustc-link-arg-bins=-Wl,--compress-debug-sections=zlib,-O2,--discard-all");
    }
}
