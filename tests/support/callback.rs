//! A login that is on its way back.

use super::*;
use countersign::session::state::SignedOutReason;
use countersign::testing::Arithmetic;

pub fn state_of(uri: &str) -> String {
    form::find(uri.split_once('?').unwrap().1, "state")
        .unwrap()
        .unwrap()
}

/// A page that is signed in (or not), and a login that is on its way: what it has stored, and its callback.
pub struct Pending {
    pub world: World,
    pub provider: Provider,
    pub page: Page,
    pub uri: String,
}

pub fn pending(with_session: bool) -> Pending {
    let world = World::new();
    let provider = Provider::new(&world);
    let page = Page::new(&world);
    page.start();
    if with_session {
        page.sign_in(&provider).unwrap();
    }
    let uri = provider.authorize(&page.begin_login().unwrap());
    Pending {
        world,
        provider,
        page,
        uri,
    }
}

/// Asserts that what happens is refused so, that nobody is signed in by it, and that a session that was good stays good,
/// to the byte.
pub fn refuses(name: &str, expected: &str, happen: impl Fn(&Pending) -> Result<(), Error>) {
    for with_session in [false, true] {
        let pending = pending(with_session);
        let (stored, token) = (pending.page.stored(), pending.page.access_token().ok());
        let error = happen(&pending).unwrap_err();
        assert_eq!(told(&error), expected, "{name}");
        assert_eq!(pending.page.stored(), stored, "{name}");
        assert_eq!(pending.page.access_token().ok(), token, "{name}");
        match pending.page.auth.state() {
            State::SignedIn(state) => {
                assert!(with_session, "{name}");
                assert_eq!(state.error, Some(error), "{name}");
            }
            State::SignedOut(state) => {
                assert!(!with_session, "{name}");
                assert_eq!(
                    (state.reason, state.error),
                    (SignedOutReason::CallbackFailed, Some(error)),
                    "{name}"
                );
            }
            other => panic!("{name}: {other:?}"),
        }
        // And the next login is as good as any.
        pending.page.tab.set_arithmetic(Arithmetic::Right);
        pending.provider.claims.borrow_mut().clear();
        pending.provider.members.borrow_mut().clear();
        pending
            .provider
            .header
            .replace(r#"{"alg":"ES256","kid":"k1"}"#.to_owned());
        pending
            .page
            .sign_in(&pending.provider)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

pub fn handle(pending: &Pending, uri: &str) -> Result<(), Error> {
    pending.page.callback(uri).map(|_| ())
}
