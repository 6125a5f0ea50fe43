//! The few URI operations that the protocol needs (RFC 3986); comparison is always exact, as the specifications ask.

use super::text::{before, cut, number};

/// An absolute `https:` or `http:` URI without user information and without a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUri {
    text: String,
    /// Where the authority ends and the path begins.
    path_at: usize,
}

impl HttpUri {
    /// Parses, and changes nothing: `as_str` gives the very text back, since servers compare it byte by byte.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = without_scheme(text)?;
        let authority_ends = rest.bytes().position(|b| matches!(b, b'/' | b'?' | b'#'));
        let authority = rest.get(..authority_ends.unwrap_or(rest.len()))?;
        let host = host_of(authority)?;
        let clean = text
            .bytes()
            .all(|b| matches!(b, 0x21..=0x7E) && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'#'));
        let path_at = text.len() - rest.len() + authority.len();
        (clean && !host.is_empty()).then(|| Self {
            text: text.to_owned(),
            path_at,
        })
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `[::1]` (RFC 8252 §7.3, RFC 6761 §6.3).
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.authority().and_then(host_of).unwrap_or_default();
        host.eq_ignore_ascii_case("localhost")
            || host == "[::1]"
            || (host.starts_with("127.") && is_dotted(host))
    }

    /// Scheme, host and port, as written.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.text.get(..self.path_at).unwrap_or_default()
    }

    /// What stands before `?`: the part by which a redirect is recognised.
    #[must_use]
    pub fn without_query(&self) -> &str {
        before(&self.text, b'?')
    }

    /// The query, without `?`.
    #[must_use]
    pub fn query(&self) -> &str {
        cut(&self.text, b'?').map_or("", |(_, query)| query)
    }

    fn authority(&self) -> Option<&str> {
        without_scheme(self.origin())
    }
}

fn without_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
}

/// Four numbers below 256.
fn is_dotted(mut host: &str) -> bool {
    let is_byte = |part| number(part).is_some_and(|byte| byte < 256);
    for _ in 0..3 {
        match cut(host, b'.') {
            Some((part, rest)) if is_byte(part) => host = rest,
            _ => return false,
        }
    }
    is_byte(host)
}

/// The host of an authority; `None` with user information, which only ever deceives, or a port that is none.
fn host_of(authority: &str) -> Option<&str> {
    if cut(authority, b'@').is_some() {
        return None;
    }
    // A colon within brackets belongs to the address (RFC 3986 §3.2.2).
    let address_ends = authority.bytes().rposition(|b| b == b']').unwrap_or(0);
    let Some((_, port)) = cut(authority.get(address_ends..)?, b':') else {
        return Some(authority);
    };
    let host_ends = authority.len() - port.len() - 1;
    let is_port = port.is_empty() || number(port).is_some_and(|port| port < 1 << 16);
    authority.get(..host_ends).filter(|_| is_port)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn parts_are_found_and_the_text_is_kept() {
        let uri = HttpUri::parse("https://as.example:8443/a/b?x=1&y").unwrap();
        assert_eq!(uri.as_str(), "https://as.example:8443/a/b?x=1&y");
        assert_eq!(uri.origin(), "https://as.example:8443");
        assert_eq!(uri.without_query(), "https://as.example:8443/a/b");
        assert_eq!(uri.query(), "x=1&y");
        assert!(uri.is_https());
    }

    #[test]
    fn what_is_no_http_uri_is_refused() {
        for text in [
            "",
            "/a",
            "as.example",
            "javascript:alert(1)",
            "data:,x",
            "file:///a",
            "ftp://a/",
            "https://",
            "https:///a",
            "https://user@as.example/",
            "https://as.example@evil/",
            "https://as.example/#f",
            "https://as.example/\\evil",
            "https://as.example/a b",
            "https://as.example:99999/",
            "https://as.example:1a/",
            "https://é/",
            "HTTPS://a\n",
        ] {
            assert_eq!(HttpUri::parse(text), None, "{text}");
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for text in [
            "http://localhost/",
            "http://LOCALHOST:80",
            "http://127.0.0.1:8080/a",
            "http://127.9.9.9",
            "http://[::1]:1/",
        ] {
            assert!(HttpUri::parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in [
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil/",
            "http://10.0.0.1/",
            "http://[::2]/",
            "http://127.1/",
        ] {
            assert!(!HttpUri::parse(text).unwrap().is_loopback(), "{text}");
        }
    }
}
