//! The rules of style that can be counted, each a test over the sources of the workspace.
//!
//! A rule that needs judgement doesn't belong here. Each failure lists every place, so that
//! one run is enough to put them right.

#![cfg(test)]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file longer than this holds more than one idea.
const MOST_LINES: usize = 600;
/// Names that say nothing of what a module is about.
const EMPTY_NAMES: [&str; 9] =
    ["util", "utils", "helper", "helpers", "common", "manager", "misc", "service", "services"];

/// One source file: its path from the root of the workspace, and its text.
struct Source {
    path: String,
    text: String,
    /// Whether it is compiled for tests alone.
    is_test: bool,
}

impl Source {
    /// The lines before the first test module, numbered from 1.
    fn lines_outside_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let whole = self.is_test;
        self.text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
            .take_while(move |(_, line)| !whole && line.trim() != "#[cfg(test)]")
    }

    /// The files of the modules that are declared below `#[cfg(test)]` here.
    fn test_modules(&self) -> Vec<String> {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or_default();
        let below = match file {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            _ => self.path.trim_end_matches(".rs").to_owned(),
        };
        let lines: Vec<&str> = self.text.lines().map(str::trim).collect();
        let declared = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]" && pair[1].ends_with(';'));
        declared
            .filter_map(|pair| pair[1].trim_end_matches(';').rsplit_once("mod "))
            .flat_map(|(_, name)| [format!("{below}/{name}.rs"), format!("{below}/{name}/")])
            .collect()
    }

    fn is_in(&self, rooms: &[&str]) -> bool {
        rooms.iter().any(|room| self.path.starts_with(room))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file below the roots of our own code whose name ends so.
fn sources(ending: &str) -> Vec<Source> {
    let root = root();
    let mut open: Vec<PathBuf> =
        ["src", "boundaries", "tiles", "tests", "benches", "web/src", "web"].map(|name| root.join(name)).into();
    let mut found = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a folder that opened can be listed").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() {
                if !["node_modules", "target", "dist"].contains(&name.as_str()) {
                    open.push(path);
                }
            } else if name.ends_with(ending) && seen.insert(path.clone()) {
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                let path = path.strip_prefix(&root).expect("found below it").to_string_lossy().into_owned();
                let is_test = ["tests/", "benches/", "examples/"].iter().any(|part| path.contains(part));
                found.push(Source { path, text, is_test });
            }
        }
    }
    assert!(!found.is_empty(), "no source ends in {ending}: the walk is broken");
    let tests: Vec<String> = found.iter().flat_map(Source::test_modules).collect();
    for source in &mut found {
        source.is_test |= tests.iter().any(|module| source.path.starts_with(module));
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Fails with all the places at once.
fn none(what: &str, places: Vec<String>) {
    assert!(places.is_empty(), "{what}:\n  {}\n", places.join("\n  "));
}

/// Places outside tests where a line satisfies `offends`, comments left out.
fn code_lines(sources: &[Source], offends: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut places = Vec::new();
    for source in sources {
        for (number, line) in source.lines_outside_tests() {
            let code = line.trim_start();
            if !code.starts_with("//") && offends(source, code) {
                places.push(format!("{}:{number}: {}", source.path, code));
            }
        }
    }
    places
}

#[test]
fn every_module_opens_by_saying_what_it_is() {
    // A tests.rs is about the module that it stands below.
    let silent = |source: &Source| !source.text.starts_with("//!") && !source.path.ends_with("/tests.rs");
    let places = sources(".rs").into_iter().filter(silent).map(|source| source.path);
    none("these start without a `//!` comment", places.collect());
}

#[test]
fn a_file_holds_one_idea() {
    let mut all = sources(".rs");
    all.extend(sources(".ts"));
    all.extend(sources(".tsx"));
    let long = all.iter().map(|source| (source, source.text.lines().count())).filter(|(_, lines)| *lines > MOST_LINES);
    none("these have too many lines", long.map(|(source, lines)| format!("{}: {lines}", source.path)).collect());
}

#[test]
fn names_of_modules_say_what_they_are_about() {
    let mut all = sources(".rs");
    all.extend(sources(".ts"));
    all.extend(sources(".tsx"));
    let places = all.into_iter().map(|source| source.path).filter(|path| {
        Path::new(path).components().any(|part| {
            let name = part.as_os_str().to_string_lossy();
            EMPTY_NAMES.contains(&name.split('.').next().unwrap_or_default())
        })
    });
    none("these names are empty words", places.collect());
}

#[test]
fn only_the_store_speaks_sql() {
    let places = code_lines(&sources(".rs"), |source, line| {
        let lower = line.to_lowercase();
        let sql = line.contains("sqlx::")
            || ["\"select ", "\"insert into ", "\"update ", "\"delete from ", "\"create table "]
                .iter()
                .any(|start| lower.contains(start));
        sql && !source.is_in(&["src/store"])
    });
    none("these speak SQL outside src/store", places);
}

#[test]
fn sql_is_lower_case() {
    let places = code_lines(&sources(".rs"), |source, line| {
        source.is_in(&["src/store"])
            && ["SELECT ", "INSERT INTO", "DELETE FROM", " WHERE ", "CREATE TABLE", "ORDER BY"]
                .iter()
                .any(|word| line.contains(word))
    });
    none("these shout their SQL", places);
}

#[test]
fn only_http_knows_axum() {
    let places = code_lines(&sources(".rs"), |source, line| {
        line.contains("axum::") && !source.is_in(&["src/http", "src/cli/demo", "src/cli/serve"])
    });
    none("these know axum outside src/http", places);
}

#[test]
fn the_pure_crates_do_no_io() {
    let forbidden = ["std::fs", "std::net", "std::env", "std::process", "tokio", "println!", "serde_json"];
    let places = code_lines(&sources(".rs"), |source, line| {
        source.is_in(&["boundaries/src", "tiles/src"]) && forbidden.iter().any(|word| line.contains(word))
    });
    none("boundaries and tiles are pure, and these are not", places);
}

#[test]
fn boundaries_and_tiles_never_see_each_other() {
    let places = code_lines(&sources(".rs"), |source, line| {
        (source.is_in(&["boundaries/"]) && line.contains("tiles::"))
            || (source.is_in(&["tiles/"]) && line.contains("boundaries::"))
    });
    none("these join what src/tiling joins", places);
}

#[test]
fn nothing_is_unwrapped_without_a_stated_invariant() {
    let places = code_lines(&sources(".rs"), |_, line| line.contains(".unwrap()") || line.contains(".expect(\"\")"));
    none("say why it can't fail, with expect, or pass the error on", places);
}

#[test]
fn nothing_waits_to_be_done() {
    let places = code_lines(&sources(".rs"), |_, line| {
        ["todo!(", "unimplemented!(", "dbg!("].iter().any(|macro_call| line.contains(macro_call))
    });
    none("these are unfinished", places);
}

#[test]
fn the_pure_crates_forbid_unsafe_code() {
    let places = ["boundaries/src/lib.rs", "tiles/src/lib.rs"].into_iter().filter(|path| {
        !fs::read_to_string(root().join(path)).is_ok_and(|text| text.contains("#![forbid(unsafe_code)]"))
    });
    none("these don't say #![forbid(unsafe_code)]", places.map(str::to_owned).collect());
}

#[test]
fn every_word_on_the_page_comes_from_a_dictionary() {
    let places =
        code_lines(&sources(".tsx"), |_, line| line.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)));
    none("these hold Chinese text outside web/src/i18n", places);
}
