//! Reads a document from its first byte to its last.

use super::Json;

/// A stranger's nesting beyond this is refused.
pub(super) const MAX_DEPTH: usize = 32;
/// Members of one object beyond this are refused; it bounds the search for duplicates.
pub(super) const MAX_MEMBERS: usize = 1024;

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// Nesting beyond this is refused.
    pub(super) deepest: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    pub(super) fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > self.deepest {
            return None;
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Json::String),
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        self.text.get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            value
        })
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        let mut members: Vec<(String, Json)> = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.take(b'}') {
            return Some(Json::Object(members));
        }
        loop {
            let name = self.string()?;
            // RFC 8259 §4 leaves duplicates open, RFC 7519 §4 lets us refuse them: two readers could see two documents.
            if members.len() >= MAX_MEMBERS || members.iter().any(|(known, _)| *known == name) {
                return None;
            }
            self.skip_space();
            if !self.take(b':') {
                return None;
            }
            self.skip_space();
            members.push((name, self.value(depth + 1)?));
            self.skip_space();
            if self.take(b'}') {
                return Some(Json::Object(members));
            }
            if !self.take(b',') {
                return None;
            }
            self.skip_space();
        }
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        let mut elements = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.take(b']') {
            return Some(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Some(Json::Array(elements));
            }
            if !self.take(b',') {
                return None;
            }
            self.skip_space();
        }
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        self.text
            .get(start..self.at)
            .map(|text| Json::Number(text.to_owned()))
    }

    fn string(&mut self) -> Option<String> {
        if !self.take(b'"') {
            return None;
        }
        let mut string = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek()?, b'"' | b'\\' | 0..=0x1F) {
                self.at += 1;
            }
            string.push_str(self.text.get(start..self.at)?);
            if self.take(b'"') {
                return Some(string);
            }
            if !self.take(b'\\') {
                return None;
            }
            string.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\x08',
            b'f' => '\x0C',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex4()?;
                if !(0xD800..0xDC00).contains(&unit) {
                    // A lone low surrogate is no character: `from_u32` refuses it.
                    return char::from_u32(unit);
                }
                if !(self.take(b'\\') && self.take(b'u')) {
                    return None;
                }
                let low = self.hex4()?;
                if !(0xDC00..0xE000).contains(&low) {
                    return None;
                }
                char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))?
            }
            _ => return None,
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + char::from(self.peek()?).to_digit(16)?;
            self.at += 1;
        }
        Some(unit)
    }
}
