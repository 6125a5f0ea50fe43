//! Layer 0: what the specifications say.
//!
//! Values, requests, responses and checks, pure: no clock, no randomness, no network of their own. Each exchange with
//! the authorization server is a pair, `x_request(…) -> HttpRequest` and `x_response(…, &HttpResponse) -> Result<…>`.
//! The rule of a clause stands beside its number; search for `RFC 7636 §4.6` or `OIDC Core §3.1.3.7, 11`.

pub mod authorization;
pub mod base64url;
pub mod bearer;
pub(crate) mod digest;
pub mod discovery;
pub mod entropy;
pub mod error;
pub mod form;
pub mod http;
pub mod id_token;
pub mod issuer;
pub mod jose;
pub mod json;
pub mod logout;
pub mod metadata;
pub mod pkce;
pub mod revocation;
pub mod scope;
pub mod secret;
pub(crate) mod text;
pub mod time;
pub mod token;
pub mod uri;
pub mod userinfo;
