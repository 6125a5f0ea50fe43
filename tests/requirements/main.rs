//! One test for each requirement that has none elsewhere, named after its row in docs/conformance.md: what is to be
//! accepted, and its twin that is to be refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod authorization;
mod callback;
mod id_token;
mod metadata;
#[path = "../support/mod.rs"]
mod support;
mod threats;
mod token;

use countersign::client::LoginOptions;
use countersign::protocol::form;
use countersign::session::transaction::{self, Stored, Transaction};
use countersign::testing::World;
use support::*;

/// The query of a URI, or the fragment of a response that came in one.
fn query(uri: &str) -> &str {
    uri.split_once('?').map_or("", |(_, query)| query)
}

/// A parameter of a URI, if it stands there once.
fn parameter(uri: &str, name: &str) -> Option<String> {
    form::find(query(uri), name).unwrap()
}

/// A page that has begun nothing yet.
fn page() -> (World, Provider, Page) {
    let world = World::new();
    let provider = Provider::new(&world);
    let page = Page::new(&world);
    (world, provider, page)
}

/// A login that asks for this.
fn asking(parameters: &[(&str, &str)]) -> LoginOptions {
    let mut options = LoginOptions::default();
    options.by_user = true;
    options.parameters = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    options
}

/// The pending login that an authorization request belongs to.
fn stored_login(page: &Page, uri: &str) -> Transaction {
    let key = transaction::key(&parameter(uri, "state").unwrap());
    match transaction::decode(&page.tab.storage().texts()[&key]) {
        Stored::Pending(login) => login,
        other => panic!("not pending: {other:?}"),
    }
}

/// The option that an error blames.
fn blamed<T: std::fmt::Debug>(result: Result<T, countersign::client::Error>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.code().as_str(), "invalid_config", "{error:?}");
    error.details().get_str("option").unwrap().to_owned()
}
