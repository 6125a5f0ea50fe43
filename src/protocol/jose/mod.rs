//! Signed tokens: compact JWS, the algorithms that we take, and key selection (RFC 7515, 7517, 7518, 8725).

pub mod alg;
pub mod jwk;
pub mod jws;
