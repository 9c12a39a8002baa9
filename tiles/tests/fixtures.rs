//! The fixtures of the specification's authors settle what the reader in our tests
//! takes for valid (npm `@mapbox/mvt-fixtures`, set up in tests/node).

#![allow(clippy::unwrap_used, reason = "a test may")]

mod support;

use std::path::Path;

/// Two fixtures are called valid where another of the same defect is called invalid; we
/// go with the specification: 016 is byte for byte 003, a feature without a type, and
/// 057 states more points than there are, as 051 does.
const CONTRADICTED: [(&str, &str); 2] = [("016", "003"), ("057", "051")];

#[test]
fn the_reader_in_our_tests_judges_every_fixture_as_its_authors_do() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/node/node_modules/@mapbox/mvt-fixtures/fixtures");
    if !root.is_dir() {
        eprintln!("skipped: {} is not set up", root.display());
        return;
    }
    let (mut valid, mut invalid, mut wrong) = (0, 0, Vec::new());
    for entry in std::fs::read_dir(&root).unwrap() {
        let dir = entry.unwrap().path();
        let info = std::fs::read_to_string(dir.join("info.json")).unwrap();
        // The only thing needed of the JSON is this one member.
        let is_valid = info.replace(' ', "").contains("\"v2\":true");
        let judged = support::decode(&std::fs::read(dir.join("tile.mvt")).unwrap());
        if is_valid {
            valid += 1
        } else {
            invalid += 1
        }
        if let Some((_, other)) = CONTRADICTED.iter().find(|(name, _)| dir.ends_with(name)) {
            let other = std::fs::read(root.join(other).join("tile.mvt")).unwrap();
            assert_eq!(judged.unwrap_err(), support::decode(&other).unwrap_err());
            continue;
        }
        if judged.is_ok() != is_valid {
            wrong.push(format!("{}: valid {is_valid}, judged {judged:?}", dir.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(valid >= 40 && invalid >= 20, "{valid} valid, {invalid} invalid");
}
