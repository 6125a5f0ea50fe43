//! Replays what the fuzz targets have been given and have found (`fuzz/corpus`), on the stable toolchain.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "tests"
)]

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use targets::TARGETS;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn what_was_found_holds() {
    for (target, run) in TARGETS {
        let folder = corpus().join(target);
        let inputs = names(&folder);
        for input in &inputs {
            // Seen if the target panics: the last one is it.
            eprintln!("{target}/{input}");
            run(&fs::read(folder.join(input)).unwrap());
        }
        assert!(!inputs.is_empty(), "{target} has no corpus");
        // Past the test runner, which keeps what a passing test prints: `npm test` shows these lines.
        writeln!(stderr(), "replayed {} inputs: {target}", inputs.len()).unwrap();
    }
}

#[test]
fn every_corpus_has_its_target() {
    let targets: BTreeSet<_> = TARGETS.map(|(target, _)| target.to_owned()).into();
    assert_eq!(names(&corpus()), targets);
}

#[test]
fn the_corpus_is_small() {
    let mut bytes = 0;
    for target in names(&corpus()) {
        let folder = corpus().join(target);
        for input in names(&folder) {
            bytes += fs::metadata(folder.join(input)).unwrap().len();
        }
    }
    assert!(bytes < 1_000_000, "{bytes}");
}
