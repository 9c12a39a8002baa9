//! Lets the program be built with and without the front-end.
//!
//! The files of web/dist go into the program. Where nobody built them, the folder is
//! made empty: then it is there to be watched, and the program is built again once
//! files come into it.

fn main() {
    // A checkout that can't be written to builds all the same, without the front-end.
    if let Err(error) = std::fs::create_dir_all("web/dist") {
        println!("cargo::warning=web/dist could not be made: {error}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=web/dist");
}
