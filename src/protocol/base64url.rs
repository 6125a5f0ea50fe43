//! Base64url without padding, strict: no padding, no white space, no spare bits (RFC 7515 §2, RFC 4648 §5).

use base64ct::{Base64UrlUnpadded, Encoding};

/// Encodes bytes. RFC 7515 §2.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Decodes text; `None` for anything that [`encode`] would not have written. RFC 7515 §2.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7515_appendix_c() {
        assert_eq!(encode(&[3, 236, 255, 224, 193]), "A-z_4ME");
        assert_eq!(decode("A-z_4ME").unwrap(), [3, 236, 255, 224, 193]);
    }

    #[test]
    fn padding_white_space_and_spare_bits_are_refused() {
        for text in ["A-z_4ME=", "A-z_4M E", "A-z_4MF", "A+z/4ME", "A"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
