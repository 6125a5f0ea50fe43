//! The layer rule, and the sizes that keep a file readable. Reads the sources as text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const LONGEST_FILE: usize = 400;
const LONGEST_TEST_FILE: usize = 600;
const LONGEST_FUNCTION: usize = 60;

/// A source file: its path below the crate, and its lines.
struct Source {
    path: String,
    lines: Vec<String>,
}

impl Source {
    /// The folder or file under `src` that it belongs to.
    fn area(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap();
        below.split(['/', '.']).next().unwrap()
    }

    /// The lines before its unit tests.
    fn code(&self) -> &[String] {
        let tests = self.lines.windows(2).position(|pair| {
            pair[0].trim() == "#[cfg(test)]" && pair[1].trim_end().ends_with("mod tests {")
        });
        &self.lines[..tests.unwrap_or(self.lines.len())]
    }
}

fn sources(folder: &str) -> Vec<Source> {
    files(folder, ".rs")
        .into_iter()
        .map(|(path, text)| Source {
            lines: text.lines().map(str::to_owned).collect(),
            path,
        })
        .collect()
}

/// Every file below a folder whose name ends so: its path below the crate, and its text.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            if name.ends_with(ending) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((name.replace('\\', "/"), text));
            }
        }
    }
    found.sort();
    found
}

/// The areas that a file of this area may name.
fn allowed(area: &str) -> &'static [&'static str] {
    match area {
        "protocol" => &["protocol"],
        "session" => &["protocol", "session"],
        "client" | "testing" => &["protocol", "session", "client", "testing"],
        "browser" => &["protocol", "session", "client", "browser"],
        "js" => &["protocol", "session", "client", "browser", "js"],
        other => panic!("src/{other} has no place in the layers"),
    }
}

/// The areas that a line names by `crate::area`.
fn named(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap();
    let mut found: Vec<String> = code
        .split("crate::")
        .skip(1)
        .map(|rest| {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            rest[..end.unwrap_or(rest.len())].to_owned()
        })
        .collect();
    if code.contains("crate::{") {
        found.push("a group of areas".to_owned());
    }
    found.retain(|area| !area.is_empty());
    found
}

/// Every upward edge of a file, as text.
fn upward_edges(source: &Source) -> Vec<String> {
    let allowed = allowed(source.area());
    let mut edges = Vec::new();
    // The parts of a layer that only tests see may look further.
    for (number, line) in source.code().iter().enumerate() {
        for area in named(line) {
            let is_upward = !allowed.contains(&area.as_str())
                || (area == "testing" && source.area() != "testing");
            if is_upward {
                edges.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    edges
}

#[test]
fn no_layer_imports_from_a_higher_one() {
    let sources = sources("src");
    let edges: Vec<_> = sources
        .iter()
        .filter(|source| source.path != "src/lib.rs")
        .flat_map(upward_edges)
        .collect();
    assert!(edges.is_empty(), "{edges:#?}");
    // Whoever reads nothing finds nothing.
    let areas: BTreeSet<_> = sources.iter().map(Source::area).collect();
    let expected = [
        "browser", "client", "js", "lib", "protocol", "session", "testing",
    ];
    assert_eq!(areas, expected.into_iter().collect());
}

#[test]
fn an_upward_edge_is_found() {
    let source = |path: &str, line: &str| Source {
        path: path.to_owned(),
        lines: vec![line.to_owned()],
    };
    for (path, line, found) in [
        (
            "src/protocol/a.rs",
            "use crate::session::state::State;",
            true,
        ),
        ("src/session/a/b.rs", "    x: crate::client::Auth,", true),
        ("src/client/a.rs", "use crate::testing::World;", true),
        ("src/client/a.rs", "use crate::browser::Browser;", true),
        ("src/browser/a.rs", "use crate::js::AuthCore;", true),
        ("src/protocol/a.rs", "use crate::{session, client};", true),
        (
            "src/session/a.rs",
            "use crate::protocol::json::Json;",
            false,
        ),
        ("src/js/a.rs", "use crate::browser::Browser;", false),
        ("src/protocol/a.rs", "// not crate::session", false),
        ("src/protocol/a.rs", "pub(crate) fn a() {}", false),
    ] {
        assert_eq!(
            !upward_edges(&source(path, line)).is_empty(),
            found,
            "{path}: {line}"
        );
    }
}

#[test]
fn web_crates_are_named_by_browser_and_js_only() {
    const WEB: [&str; 6] = [
        "wasm_bindgen",
        "web_sys",
        "js_sys",
        "gloo_net",
        "getrandom",
        "wasm_bindgen_futures",
    ];
    let sources = sources("src");
    let names = |source: &Source| {
        let code = source
            .lines
            .iter()
            .map(|line| line.split("//").next().unwrap());
        let code: Vec<_> = code.collect();
        WEB.iter().any(|name| {
            code.iter().any(|line| {
                line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .any(|word| word == *name)
            })
        })
    };
    let (web, pure): (Vec<_>, Vec<_>) = sources
        .iter()
        .partition(|source| matches!(source.area(), "browser" | "js"));
    let slips: Vec<_> = pure
        .iter()
        .filter(|source| names(source))
        .map(|source| &source.path)
        .collect();
    assert!(slips.is_empty(), "{slips:?}");
    assert!(web.iter().any(|source| names(source)));
}

#[test]
fn the_pure_layers_are_not_async_and_read_no_clock() {
    let pure = sources("src");
    let pure: Vec<_> = pure
        .iter()
        .filter(|source| matches!(source.area(), "protocol" | "session"))
        .collect();
    assert!(pure.len() > 20);
    for source in pure {
        for line in source.code() {
            let code = line.split("//").next().unwrap();
            for word in [
                ".await",
                "async ",
                "SystemTime",
                "Instant::",
                "println!",
                "static mut",
            ] {
                assert!(!code.contains(word), "{}: {line}", source.path);
            }
        }
    }
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for source in sources("src") {
        let (code, all) = (source.code().len(), source.lines.len());
        if code > LONGEST_FILE || all > LONGEST_TEST_FILE {
            long.push(format!(
                "{}: {code} lines, {all} with its tests",
                source.path
            ));
        }
    }
    for source in sources("tests") {
        if source.lines.len() > LONGEST_TEST_FILE {
            long.push(format!("{}: {} lines", source.path, source.lines.len()));
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

/// Functions by name and length, from the line with `fn` to its closing brace at the same depth. rustfmt sees to it that
/// the brace stands where the function began.
fn functions(source: &Source) -> Vec<(String, usize)> {
    let code = source.code();
    let mut found = Vec::new();
    for (start, line) in code.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<_> = line.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| *word == "fn") else {
            continue;
        };
        let is_item = words[..at].iter().all(|word| {
            word.starts_with("pub")
                || matches!(*word, "const" | "async" | "unsafe" | "extern" | "\"C\"")
        });
        let head = code[start..]
            .iter()
            .find(|line| line.ends_with(['{', '}', ';']));
        // A declaration has no body.
        if !is_item || head.is_none_or(|line| line.ends_with(';')) {
            continue;
        }
        let end = code[start..]
            .iter()
            .position(|line| *line == format!("{}}}", " ".repeat(indent)));
        if let Some(end) = end {
            found.push((words[at + 1].to_owned(), end + 1));
        }
    }
    found
}

#[test]
fn functions_are_short() {
    let mut all: Vec<_> = sources("src")
        .iter()
        .flat_map(|source| {
            let path = source.path.clone();
            functions(source)
                .into_iter()
                .map(move |(name, lines)| (lines, format!("{path}: {name}")))
        })
        .collect();
    all.sort();
    assert!(all.len() > 300, "{} functions found", all.len());
    let long: Vec<_> = all
        .iter()
        .filter(|(lines, _)| *lines > LONGEST_FUNCTION)
        .collect();
    assert!(long.is_empty(), "{long:#?}");
    assert!(
        all[all.len() / 2].0 <= 10,
        "the median is {}",
        all[all.len() / 2].0
    );
    let tenth = &all[all.len() * 9 / 10];
    assert!(tenth.0 <= 30, "one in ten is longer than {}", tenth.0);
}

#[test]
fn no_provider_is_named_outside_the_entry_that_is_theirs() {
    let mut sources = files("src", ".rs");
    sources.extend(files("src", ".js"));
    sources.extend(files("pkg-template/src", ".ts"));
    let names = ["auth0", "upbond", "cidaas", "pagero"];
    for (path, text) in sources {
        let text = text.to_lowercase();
        for name in names {
            let own = path == "pkg-template/src/providers.ts";
            assert_eq!(text.contains(name), own, "{path}: {name}");
        }
    }
}
