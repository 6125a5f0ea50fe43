//! The few URI operations that the protocol needs (RFC 3986); comparison is always exact, as the specifications ask.

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
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))?;
        let authority = rest.split(['/', '?', '#']).next()?;
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
        let dotted = |host: &str| {
            host.split('.').count() == 4 && host.split('.').all(|part| part.parse::<u8>().is_ok())
        };
        host.eq_ignore_ascii_case("localhost")
            || host == "[::1]"
            || (host.starts_with("127.") && dotted(host))
    }

    /// Scheme, host and port, as written.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.text.get(..self.path_at).unwrap_or_default()
    }

    /// What stands before `?`: the part by which a redirect is recognised.
    #[must_use]
    pub fn without_query(&self) -> &str {
        self.text.split('?').next().unwrap_or_default()
    }

    /// The query, without `?`.
    #[must_use]
    pub fn query(&self) -> &str {
        self.text.split_once('?').map_or("", |(_, query)| query)
    }

    fn authority(&self) -> Option<&str> {
        self.origin()
            .split_once("://")
            .map(|(_, authority)| authority)
    }
}

/// The host of an authority; `None` with user information, which only ever deceives, or a port that is none.
fn host_of(authority: &str) -> Option<&str> {
    if authority.contains('@') {
        return None;
    }
    let port_at = match authority.rfind(']') {
        Some(bracket) => authority.get(bracket..)?.find(':').map(|at| at + bracket),
        None => authority.find(':'),
    };
    let Some(port_at) = port_at else {
        return Some(authority);
    };
    let port = authority.get(port_at + 1..)?;
    (port.is_empty() || port.parse::<u16>().is_ok()).then(|| authority.get(..port_at))?
}

#[cfg(test)]
mod tests {
    use super::*;

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
