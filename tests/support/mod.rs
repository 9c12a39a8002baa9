//! Running the built program as its users do.
// Each test file uses its own part of this; a test may stop where anything fails.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The output as JSON; panics with everything that was printed where it is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The run itself, which must have ended so.
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }
}

/// Runs `gridatlas` with arguments.
pub(crate) fn gridatlas<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    gridatlas_with(args, b"")
}

/// Runs `gridatlas` with arguments and standard input.
pub(crate) fn gridatlas_with<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>, input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gridatlas"))
        .args(args)
        .env_remove("GRIDATLAS_STORE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feed = std::thread::spawn(move || stdin.write_all(&input));
    let done = child.wait_with_output().unwrap();
    // A program that refuses its arguments does not read what it is fed.
    let _ = feed.join().unwrap();
    Run {
        code: done.status.code().unwrap_or(-1),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

/// Splits a command line at spaces; nothing in the tests needs quoting.
pub(crate) fn run(line: &str) -> Run {
    gridatlas(line.split_whitespace())
}

/// A file of the real data, or `None` with a word that the test skips.
pub(crate) fn real_data(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("GRIDATLAS_TEST_DATA");
    let path = folder.map(|folder| Path::new(&folder).join(file)).filter(|path| path.exists());
    if path.is_none() {
        eprintln!("skipped: GRIDATLAS_TEST_DATA names no folder with {file}");
    }
    path
}

/// The bytes of a file, or nothing where it does not exist.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}
