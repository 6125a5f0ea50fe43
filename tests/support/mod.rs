//! What the flows have in common: an authorization server that does as it is told, and a tab that signs in.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::exhaustive_structs,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    missing_docs,
    reason = "shared by test files that each use a part of it"
)]

mod callback;

pub use callback::*;

use countersign::client::{Auth, CallbackResult, Config, ConfigBuilder, Error, Event, State};
use countersign::client::{LoginOptions, LogoutOptions, Subscription, TokenOptions};
use countersign::protocol::base64url;
use countersign::protocol::error::Endpoint;
use countersign::protocol::form;
use countersign::protocol::json::Json;
use countersign::protocol::time::Now;
use countersign::session::record::{Record, Stored};
use countersign::session::state::SignedIn;
use countersign::testing::{FakePlatform, Reply, Request, World};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

pub const ISSUER: &str = "https://as.example";
pub const CLIENT: &str = "spa";
pub const REDIRECT: &str = "https://app.example/callback";
pub const SESSION_KEY: &str = "countersign:session:https://as.example spa";
pub const LOGIN_PREFIX: &str = "countersign:login:";
pub const METADATA_KEY: &str = "countersign:metadata:https://as.example";

/// The authorization server: what it says next can be set member by member.
#[derive(Clone)]
pub struct Provider(Rc<Inner>);

pub struct Inner {
    world: World,
    issuer: String,
    issued: Cell<u32>,
    nonce: RefCell<String>,
    /// Every code, token and ID Token that it gave out.
    pub secrets: RefCell<Vec<String>>,
    /// `expires_in`; `None` leaves it out.
    pub lifetime: Cell<Option<i64>>,
    pub gives_refresh_tokens: Cell<bool>,
    pub rotates: Cell<bool>,
    pub gives_id_token_on_refresh: Cell<bool>,
    pub announces_iss: Cell<bool>,
    pub subject: RefCell<String>,
    /// Claims that replace those of an honest ID Token; `null` removes one.
    pub claims: RefCell<Vec<(&'static str, String)>>,
    pub header: RefCell<String>,
    /// Members that replace those of an honest token answer; `null` removes one.
    pub members: RefCell<Vec<(&'static str, String)>>,
    /// How long each endpoint takes, in milliseconds.
    pub delays: RefCell<Vec<(Endpoint, i64)>>,
    pub key_ids: RefCell<Vec<String>>,
}

impl Provider {
    pub fn new(world: &World) -> Self {
        Self::at(world, ISSUER)
    }

    pub fn at(world: &World, issuer: &str) -> Self {
        let provider = Self(Rc::new(Inner {
            world: world.clone(),
            issuer: issuer.to_owned(),
            issued: Cell::new(0),
            nonce: RefCell::default(),
            secrets: RefCell::default(),
            lifetime: Cell::new(Some(3600)),
            gives_refresh_tokens: Cell::new(true),
            rotates: Cell::new(true),
            gives_id_token_on_refresh: Cell::new(false),
            announces_iss: Cell::new(false),
            subject: RefCell::new("alice-the-subject-of-claims".to_owned()),
            claims: RefCell::default(),
            header: RefCell::new(r#"{"alg":"ES256","kid":"k1"}"#.to_owned()),
            members: RefCell::default(),
            delays: RefCell::default(),
            key_ids: RefCell::new(vec!["k1".to_owned()]),
        }));
        let server = provider.clone();
        world.on_request(move |request| server.answer(request));
        provider
    }

    /// Signs the user in, as the page of the server does, and gives the URI of the callback.
    pub fn authorize(&self, uri: &str) -> String {
        let query = uri.split_once('?').unwrap().1;
        let parameter = |name| form::find(query, name).unwrap().unwrap();
        self.0.nonce.replace(parameter("nonce"));
        let code = self.secret("code");
        let mut answer = form::encode(&[("code", &code), ("state", &parameter("state"))]);
        if self.0.announces_iss.get() {
            form::append(&mut answer, "iss", &self.0.issuer);
        }
        format!("{}?{answer}", parameter("redirect_uri"))
    }

    pub fn discovery(&self) -> String {
        let issuer = &self.0.issuer;
        format!(
            r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/authorize","token_endpoint":"{issuer}/token",
               "jwks_uri":"{issuer}/jwks","end_session_endpoint":"{issuer}/logout","userinfo_endpoint":"{issuer}/userinfo",
               "authorization_response_iss_parameter_supported":{}}}"#,
            self.0.announces_iss.get()
        )
    }

    pub fn jwks(&self) -> String {
        let keys = self.0.key_ids.borrow();
        let keys = keys
            .iter()
            .map(|kid| format!(r#"{{"kty":"EC","crv":"P-256","kid":"{kid}","x":"AQ","y":"Ag"}}"#));
        format!(r#"{{"keys":[{}]}}"#, keys.collect::<Vec<_>>().join(","))
    }

    pub fn set_claim(&self, name: &'static str, json: &str) {
        self.0.claims.borrow_mut().push((name, json.to_owned()));
    }

    pub fn set_member(&self, name: &'static str, json: &str) {
        self.0.members.borrow_mut().push((name, json.to_owned()));
    }

    pub fn set_delay(&self, endpoint: Endpoint, millis: i64) {
        self.0.delays.borrow_mut().push((endpoint, millis));
    }

    /// A new code or token, which no other text of this world contains.
    fn secret(&self, kind: &str) -> String {
        let number = self.0.issued.get() + 1;
        self.0.issued.set(number);
        let mut state = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5555;
        let mut secret = format!("{kind}{number}.");
        for _ in 0..3 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            secret.push_str(&format!("{state:016x}"));
        }
        self.0.secrets.borrow_mut().push(secret.clone());
        secret
    }

    pub fn answer(&self, request: &Request) -> Reply {
        let body = match request.endpoint {
            Endpoint::Discovery => self.discovery(),
            Endpoint::Jwks => self.jwks(),
            Endpoint::Userinfo => object(vec![("sub", quoted(&self.0.subject.borrow()))], &[]),
            _ => self.tokens(request),
        };
        let delays = self.0.delays.borrow();
        let delay = delays
            .iter()
            .rev()
            .find(|(endpoint, _)| *endpoint == request.endpoint);
        Reply::json(&body).delayed(delay.map_or(0, |(_, delay)| *delay))
    }

    fn tokens(&self, request: &Request) -> String {
        let refreshes = request.parameter("grant_type").as_deref() == Some("refresh_token");
        let mut members = vec![
            ("access_token", quoted(&self.secret("at"))),
            ("token_type", quoted("Bearer")),
        ];
        if let Some(lifetime) = self.0.lifetime.get() {
            members.push(("expires_in", lifetime.to_string()));
        }
        if self.0.gives_refresh_tokens.get() && (!refreshes || self.0.rotates.get()) {
            members.push(("refresh_token", quoted(&self.secret("rt"))));
        }
        if !refreshes || self.0.gives_id_token_on_refresh.get() {
            members.push(("id_token", quoted(&self.id_token())));
        }
        object(members, &self.0.members.borrow())
    }

    fn id_token(&self) -> String {
        let now = self.0.world.now().wall.as_seconds();
        let claims = vec![
            ("iss", quoted(&self.0.issuer)),
            ("sub", quoted(&self.0.subject.borrow())),
            ("aud", quoted(CLIENT)),
            ("iat", now.to_string()),
            ("exp", (now + 300).to_string()),
            ("nonce", quoted(&self.0.nonce.borrow())),
            ("email", quoted("claim-value-of@user.example")),
        ];
        let claims = object(claims, &self.0.claims.borrow());
        let part = |text: &str| base64url::encode(text.as_bytes());
        let signature = base64url::encode(&[7; 64]);
        let header = self.0.header.borrow();
        let id_token = [part(&header), part(&claims), signature].join(".");
        self.0.secrets.borrow_mut().push(id_token.clone());
        id_token
    }
}

impl std::ops::Deref for Provider {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

fn quoted(text: &str) -> String {
    Json::from(text).to_text()
}

fn object(members: Vec<(&'static str, String)>, replaced: &[(&'static str, String)]) -> String {
    let latest = |name: &str| replaced.iter().rev().find(|(known, _)| *known == name);
    let mut all: Vec<(&str, String)> = members
        .into_iter()
        .filter(|(name, _)| latest(name).is_none())
        .collect();
    for (index, (name, json)) in replaced.iter().enumerate() {
        let is_last = replaced[index + 1..].iter().all(|(later, _)| later != name);
        if is_last && json != "null" {
            all.push((name, json.clone()));
        }
    }
    let members = all
        .iter()
        .map(|(name, json)| format!("{}:{json}", quoted(name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// A page: a tab, and the client that runs in it.
pub struct Page {
    pub world: World,
    pub tab: FakePlatform,
    pub auth: Auth<FakePlatform>,
    pub states: Rc<RefCell<Vec<State>>>,
    pub events: Rc<RefCell<Vec<Event>>>,
    _subscriptions: [Subscription; 2],
}

pub fn config() -> ConfigBuilder {
    Config::builder(ISSUER, CLIENT, REDIRECT).scope("openid offline_access")
}

impl Page {
    pub fn new(world: &World) -> Self {
        Self::with(world, world.tab(), config())
    }

    pub fn with(world: &World, tab: FakePlatform, config: ConfigBuilder) -> Self {
        let auth = Auth::new(config.build().unwrap(), tab.clone());
        let states: Rc<RefCell<Vec<State>>> = Rc::default();
        let events: Rc<RefCell<Vec<Event>>> = Rc::default();
        let (heard, seen) = (states.clone(), events.clone());
        let subscriptions = [
            auth.subscribe(move |state| heard.borrow_mut().push(state.clone())),
            auth.on_event(move |event| seen.borrow_mut().push(event.clone())),
        ];
        Self {
            world: world.clone(),
            tab,
            auth,
            states,
            events,
            _subscriptions: subscriptions,
        }
    }

    /// The same page after a reload.
    pub fn reload(&self) -> Self {
        Self::with(&self.world, self.tab.reload(), config())
    }

    pub fn start(&self) -> State {
        let auth = self.auth.clone();
        self.world
            .run(async move { auth.start(None).await })
            .expect("start ends")
    }

    /// As by a click.
    pub fn begin_login(&self) -> Result<String, Error> {
        let mut options = LoginOptions::default();
        options.by_user = true;
        self.begin_login_with(options)
    }

    pub fn begin_login_with(&self, options: LoginOptions) -> Result<String, Error> {
        let auth = self.auth.clone();
        self.world
            .run(async move { auth.begin_login(options).await })
            .expect("a login begins or is refused")
    }

    pub fn callback(&self, uri: &str) -> Result<CallbackResult, Error> {
        let (auth, uri) = (self.auth.clone(), uri.to_owned());
        self.world
            .run(async move { auth.handle_callback(&uri).await })
            .expect("a callback ends")
    }

    /// Begins a login, has it answered, and comes back in the same page.
    pub fn sign_in(&self, provider: &Provider) -> Result<CallbackResult, Error> {
        let uri = provider.authorize(&self.begin_login()?);
        self.callback(&uri)
    }

    pub fn access_token(&self) -> Result<String, Error> {
        self.access_token_with(TokenOptions::default())
    }

    pub fn access_token_with(&self, options: TokenOptions) -> Result<String, Error> {
        let auth = self.auth.clone();
        let token = self
            .world
            .run(async move { auth.access_token(options).await })
            .expect("a wish for a token is answered");
        token.map(|token| token.expose().to_owned())
    }

    pub fn logout(&self, options: LogoutOptions) -> Result<Option<String>, Error> {
        let auth = self.auth.clone();
        self.world
            .run(async move { auth.begin_logout(options).await })
            .expect("a logout ends")
    }

    pub fn signed_in(&self) -> Arc<SignedIn> {
        match self.auth.state() {
            State::SignedIn(signed_in) => signed_in,
            other => panic!("not signed in: {other:?}"),
        }
    }

    pub fn stored(&self) -> Option<String> {
        self.tab.storage().texts().get(SESSION_KEY).cloned()
    }

    pub fn record(&self) -> Box<Record> {
        record(
            &self.stored().expect("a session is stored"),
            self.world.now(),
        )
    }

    /// The access token as it is stored.
    pub fn stored_token(&self) -> String {
        access_token(&self.record())
    }

    pub fn stored_refresh_token(&self) -> String {
        let record = self.record();
        record.refresh_token.expect("a grant").expose().to_owned()
    }

    pub fn token_requests(&self) -> usize {
        self.world.requests_to(Endpoint::Token).len()
    }

    pub fn has_event(&self, event: &Event) -> bool {
        self.events.borrow().contains(event)
    }
}

/// A page with a session of an hour, in a world of its own.
pub fn signed_in() -> (World, Provider, Page) {
    signed_in_for(3600)
}

/// The same with an access token of so many seconds.
pub fn signed_in_for(seconds: i64) -> (World, Provider, Page) {
    let world = World::new();
    let provider = Provider::new(&world);
    provider.lifetime.set(Some(seconds));
    let page = Page::new(&world);
    page.start();
    page.sign_in(&provider).expect("an honest login");
    (world, provider, page)
}

pub fn record(text: &str, now: Now) -> Box<Record> {
    match Record::decode(text, now) {
        Stored::Record(record) => record,
        other => panic!("not a record: {other:?}"),
    }
}

pub fn access_token(record: &Record) -> String {
    let token = record.token(&Default::default()).expect("a token");
    token.value.expose().to_owned()
}

/// Code and details of an error, as the TypeScript side gets them.
pub fn told(error: &Error) -> String {
    format!("{} {}", error.code().as_str(), error.details().to_text())
}

/// A wish for a token that was not there before.
pub fn forced() -> TokenOptions {
    let mut options = TokenOptions::default();
    options.force_refresh = true;
    options
}
