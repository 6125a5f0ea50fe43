//! Rust, TypeScript and the documents say the same: error codes with their sentences, reasons, warnings, endpoints.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

use countersign::client::ErrorCode;
use countersign::protocol::error::{Endpoint, IdTokenProblem, MetadataProblem};
use countersign::session::error::StaleProblem;
use countersign::session::login_loop::LikelyCause;
use countersign::session::state::{SignedOutReason, Via, Warning};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Codes that only the TypeScript side has.
const FACADE_ONLY: [&str; 4] = [
    "wasm_load_failed",
    "forbidden_origin",
    "disposed",
    "aborted",
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text between two marks.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("{from:?} is not there"));
    rest.split_once(to)
        .unwrap_or_else(|| panic!("{from:?} has no {to:?}"))
        .0
}

/// The string literals of a piece of TypeScript, in order.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some((_, literal)) = rest.split_once('"') {
        let (literal, after) = literal.split_once('"').expect("the literal ends");
        found.push(literal.to_owned());
        rest = after;
    }
    found
}

/// `errors.ts` and `texts.ts`: message and hint by code.
fn typescript_texts() -> BTreeMap<String, (String, String)> {
    let mut texts = BTreeMap::new();
    let (errors, later) = (
        read("pkg-template/src/errors.ts"),
        read("pkg-template/src/texts.ts"),
    );
    let tables = [
        between(&errors, "const TEXTS", "};"),
        between(&later, "const ERRORS", "};"),
    ];
    for entry in tables.into_iter().flat_map(entries) {
        let Some((code, values)) = entry.split_once(": [") else {
            continue;
        };
        let values = literals(values);
        assert_eq!(
            values.len(),
            2,
            "errors.ts: {code} has not a message and a hint"
        );
        let known = texts.insert(
            code.trim().to_owned(),
            (values[0].clone(), values[1].clone()),
        );
        assert!(known.is_none(), "errors.ts: {code} stands there twice");
    }
    texts
}

/// The entries of a table, each as `name: [ values`.
fn entries(table: &str) -> impl Iterator<Item = &str> {
    let (_, table) = table.split_once('{').expect("the table begins");
    table.split("],")
}

/// The members of a union of `types.ts`.
fn union(name: &str) -> BTreeSet<String> {
    let types = read("pkg-template/src/types.ts");
    let code: String = types
        .lines()
        .filter(|line| !line.trim_start().starts_with("/**"))
        .map(|line| format!("{line}\n"))
        .collect();
    literals(between(&code, &format!("export type {name} ="), ";"))
        .into_iter()
        .collect()
}

fn codes() -> BTreeSet<String> {
    let codes: BTreeSet<_> = ErrorCode::ALL
        .into_iter()
        .map(|code| code.as_str().to_owned())
        .collect();
    assert_eq!(
        codes.len(),
        ErrorCode::ALL.len(),
        "two codes have the same spelling"
    );
    codes
}

/// What the one side has and the other lacks, in words.
fn differences(rust: &BTreeSet<String>, other: &BTreeSet<String>, name: &str) -> Vec<String> {
    let lacks = rust
        .difference(other)
        .map(|code| format!("{name} lacks {code}"));
    let extra = other
        .difference(rust)
        .filter(|code| !FACADE_ONLY.contains(&code.as_str()))
        .map(|code| format!("Rust lacks {code}, which {name} has"));
    lacks.chain(extra).collect()
}

#[test]
fn errors_ts_has_every_code_with_its_sentence() {
    let texts = typescript_texts();
    let found = differences(&codes(), &texts.keys().cloned().collect(), "errors.ts");
    assert!(found.is_empty(), "{found:#?}");
    for code in ErrorCode::ALL {
        let (message, hint) = &texts[code.as_str()];
        assert_eq!(message, code.message(), "errors.ts: {}", code.as_str());
        assert!(!hint.is_empty(), "errors.ts: {} has no hint", code.as_str());
    }
}

#[test]
fn types_ts_has_every_code_and_its_details() {
    let types = read("pkg-template/src/types.ts");
    let details = between(&types, "export interface AuthErrorDetails {", "\n}");
    let found: BTreeSet<_> = details
        .lines()
        .filter_map(|line| line.strip_prefix("  readonly ")?.split_once(':'))
        .map(|(code, _)| code.to_owned())
        .collect();
    let found = differences(&codes(), &found, "types.ts");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_documents_have_a_heading_for_every_code() {
    let errors = read("docs/errors.md");
    let headings: Vec<_> = errors
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|heading| heading.trim().trim_matches('`').to_owned())
        .collect();
    let expected: BTreeSet<_> = typescript_texts().into_keys().collect();
    let found: BTreeSet<_> = headings
        .iter()
        .filter(|heading| !heading.contains(' '))
        .cloned()
        .collect();
    let lacks: Vec<_> = expected.difference(&found).collect();
    let extra: Vec<_> = found.difference(&expected).collect();
    assert!(
        lacks.is_empty() && extra.is_empty(),
        "docs/errors.md lacks {lacks:?} and has {extra:?} too many"
    );
    for code in &expected {
        let at = format!("## {code}");
        let section = errors
            .split("\n## ")
            .find(|section| {
                section
                    .lines()
                    .next()
                    .is_some_and(|line| line.trim_matches(['#', ' ', '`']) == code)
            })
            .unwrap_or_else(|| panic!("{at}"));
        assert!(
            section.lines().skip(1).any(|line| line.trim().len() > 20),
            "docs/errors.md: {code} says nothing"
        );
    }
}

#[test]
fn unions_of_types_ts_have_the_spellings_of_rust() {
    let cases: [(&str, Vec<&str>); 4] = [
        (
            "SignedOutReason",
            SignedOutReason::ALL.map(SignedOutReason::as_str).to_vec(),
        ),
        ("WarningCode", Warning::ALL.map(Warning::as_str).to_vec()),
        ("Endpoint", Endpoint::ALL.map(Endpoint::as_str).to_vec()),
        (
            "IdTokenProblem",
            IdTokenProblem::ALL.map(IdTokenProblem::as_str).to_vec(),
        ),
    ];
    for (name, spellings) in cases {
        let union = union(name);
        let lacks: Vec<_> = spellings
            .iter()
            .filter(|spelling| !union.contains(**spelling))
            .collect();
        assert!(lacks.is_empty(), "types.ts: {name} lacks {lacks:?}");
        assert_eq!(
            spellings.iter().collect::<BTreeSet<_>>().len(),
            spellings.len(),
            "{name}"
        );
    }
}

/// The names that a regular expression has, beside the empty one: `/^(|a|b)$/`.
fn alternatives(source: &str, name: &str) -> BTreeSet<String> {
    let expression = between(source, &format!("const {name} ="), "$/;");
    let (_, names) = expression
        .split_once("(|")
        .expect("the empty name is owned");
    names
        .trim_end_matches(')')
        .split('|')
        .map(str::to_owned)
        .collect()
}

#[test]
fn options_ts_and_rust_own_the_same_parameters() {
    let authorization = read("src/protocol/authorization.rs");
    let rust: BTreeSet<_> = literals(between(&authorization, "const OWNED: ", "];"))
        .into_iter()
        .collect();
    let options = read("pkg-template/src/options.ts");
    assert_eq!(alternatives(&options, "LOGIN_OWNED"), rust);
}

#[test]
fn every_warning_has_one_hint() {
    let later = read("pkg-template/src/texts.ts");
    let at_once = read("pkg-template/src/auth.ts");
    let tables = [
        between(&at_once, "const WARNINGS: ", "};"),
        between(&later, "const WARNINGS: ", "};"),
    ];
    let mut hinted: Vec<_> = tables
        .into_iter()
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("  ")?.split_once(':'))
        .filter(|(code, _)| !code.starts_with(' '))
        .map(|(code, _)| code.to_owned())
        .collect();
    let expected: Vec<_> = union("WarningCode").into_iter().collect();
    hinted.sort();
    assert_eq!(hinted, expected);
}

#[test]
fn words_inside_details_and_events_have_the_spellings_of_rust() {
    let types = read("pkg-template/src/types.ts");
    let has = |within: &str, spelling: &str| within.contains(&format!("\"{spelling}\""));
    let member = |name: &str| between(&types, &format!("readonly {name}: {{"), "\n  }").to_owned();
    for problem in MetadataProblem::ALL {
        assert!(
            has(&member("invalid_metadata"), problem.as_str()),
            "invalid_metadata: {problem:?}"
        );
    }
    for problem in StaleProblem::ALL {
        assert!(
            has(&member("stale_callback"), problem.as_str()),
            "stale_callback: {problem:?}"
        );
    }
    for likely in LikelyCause::ALL {
        assert!(
            has(&member("login_loop"), likely.as_str()),
            "login_loop: {likely:?}"
        );
    }
    for missing in ["crypto.getRandomValues", "crypto.subtle"] {
        assert!(
            has(&member("unsupported_environment"), missing),
            "unsupported_environment: {missing}"
        );
    }
    for via in Via::ALL {
        assert!(has(&types, via.as_str()), "via: {via:?}");
    }
}

/// How many spellings `as_str` of an enum has, in its source.
fn spellings(path: &str, name: &str) -> usize {
    let source = read(path);
    let implementation = between(&source, &format!("impl {name} {{"), "\n}");
    let as_str = between(implementation, "fn as_str(self)", "\n    }");
    as_str.lines().filter(|line| line.contains("=> \"")).count()
}

#[test]
fn every_list_is_whole() {
    for (path, name, all) in [
        (
            "src/session/error_code.rs",
            "ErrorCode",
            ErrorCode::ALL.len(),
        ),
        (
            "src/session/error.rs",
            "StaleProblem",
            StaleProblem::ALL.len(),
        ),
        (
            "src/session/state.rs",
            "SignedOutReason",
            SignedOutReason::ALL.len(),
        ),
        (
            "src/session/login_loop.rs",
            "LikelyCause",
            LikelyCause::ALL.len(),
        ),
        ("src/session/state.rs", "Warning", Warning::ALL.len()),
        ("src/session/state.rs", "Via", Via::ALL.len()),
        ("src/protocol/error.rs", "Endpoint", Endpoint::ALL.len()),
        (
            "src/protocol/error.rs",
            "IdTokenProblem",
            IdTokenProblem::ALL.len(),
        ),
        (
            "src/protocol/error.rs",
            "MetadataProblem",
            MetadataProblem::ALL.len(),
        ),
    ] {
        assert_eq!(spellings(path, name), all, "{name}::ALL");
    }
}
