//! What a stranger may send, and what must hold of our answer: one function per fuzz target.
//!
//! libFuzzer drives them (`npm run fuzz`); `tests/fuzz_corpus.rs` replays what is committed on the stable toolchain, and
//! `tests/parser_properties` feeds them what proptest thinks of.

pub mod callback_url;
pub mod json_reader;
pub mod jwk_set;
pub mod jws;
pub mod stored_records;
pub mod token_answer;
pub mod www_authenticate;

use std::borrow::Cow;

/// A target: total, and asserts what must hold.
pub type Target = fn(&[u8]);

/// Every target by its name, which is its corpus folder's, too.
pub const TARGETS: [(&str, Target); 7] = [
    ("callback_url", callback_url::run),
    ("json_reader", json_reader::run),
    ("jwk_set", jwk_set::run),
    ("jws", jws::run),
    ("stored_records", stored_records::run),
    ("token_answer", token_answer::run),
    ("www_authenticate", www_authenticate::run),
];

/// Whatever comes reaches Rust as text: the port refuses a body that is no UTF-8.
fn text(data: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(data)
}
