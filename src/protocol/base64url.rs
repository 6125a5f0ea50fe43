//! Base64url without padding, strict: no padding, no white space, no spare bits (RFC 7515 §2, RFC 4648 §5).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes bytes. RFC 7515 §2.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - group.len()));
        let mut shift = 24;
        for _ in 0..=group.len() {
            shift -= 6;
            if let Some(byte) = ALPHABET.get(bits >> shift & 63) {
                text.push(char::from(*byte));
            }
        }
    }
    text
}

/// Decodes text; `None` for anything that [`encode`] would not have written. RFC 7515 §2.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut width) = (0_u32, 0);
    for byte in text.bytes() {
        bits = bits << 6 | value(byte)?;
        width += 6;
        if width >= 8 {
            width -= 8;
            bytes.extend(u8::try_from(bits >> width & 255));
        }
    }
    // A single character is half a byte, and spare bits are zero: one value has one spelling.
    (text.len() % 4 != 1 && bits & ((1 << width) - 1) == 0).then_some(bytes)
}

fn value(character: u8) -> Option<u32> {
    ALPHABET
        .iter()
        .position(|known| *known == character)
        .and_then(|at| u32::try_from(at).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

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
