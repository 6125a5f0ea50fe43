//! Takes a module apart.

use crate::{BEFORE, BEHIND, Kind, LastUsed, MAX_LOCALS, STREAMS, Steps, walk};

/// Why a module cannot be taken apart.
pub type SplitError = String;

const CODE_SECTION: u8 = 10;

struct Split<'a> {
    module: &'a [u8],
    at: usize,
    streams: [Vec<u8>; STREAMS],
    last_used: LastUsed,
}

/// Takes a module apart.
///
/// # Errors
///
/// It has no code, or an instruction that the walk does not know.
pub fn split(module: &[u8]) -> Result<Vec<u8>, SplitError> {
    let mut split = Split {
        module,
        at: 8,
        streams: [const { Vec::new() }; STREAMS],
        last_used: LastUsed::NONE,
    };
    while split.next() != CODE_SECTION {
        let length = split.number();
        split.at += length;
        if split.at >= module.len() {
            return Err("there is no code in it".into());
        }
    }
    let length = split.number();
    let end = split.at + length;
    let bodies = split.number();
    split.streams[BEFORE] = module[..split.at].into();
    split.streams[BEHIND] = module[end..].into();
    for body in 0..bodies {
        let length = split.number();
        let next = split.at + length;
        split.last_used.known = 0;
        walk(&mut split);
        if split.at != next {
            return Err(format!("function {body} has an unknown instruction"));
        }
    }
    let lengths = split.streams.iter().map(Vec::len);
    let header = std::iter::once(module.len()).chain(lengths);
    let mut container: Vec<u8> = header
        .flat_map(|length| u32::try_from(length).unwrap_or(0).to_le_bytes())
        .collect();
    container.extend(split.streams.concat());
    Ok(container)
}

impl Split<'_> {
    fn next(&mut self) -> u8 {
        self.at += 1;
        self.module[self.at - 1]
    }

    fn number(&mut self) -> usize {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = self.next();
            value |= usize::from(byte & 127) << shift;
            if byte < 128 {
                break;
            }
        }
        value
    }
}

impl Steps for Split<'_> {
    fn byte(&mut self, stream: usize) -> u8 {
        let byte = self.next();
        self.streams[stream].push(byte);
        byte
    }

    fn local(&mut self, kind: Kind) {
        let local = self.number();
        assert!(
            local < MAX_LOCALS,
            "a function has more than {MAX_LOCALS} locals"
        );
        self.last_used.know(local);
        let known = &self.last_used.locals[..self.last_used.known];
        let place = known
            .iter()
            .position(|&one| usize::from(one) == local)
            .unwrap_or(0);
        self.last_used.take(place);
        if place > 127 {
            self.streams[kind].push(place as u8 | 128);
            self.streams[kind + 1].push((place >> 7) as u8);
        } else {
            self.streams[kind].push(place as u8);
        }
    }

    fn bare(&mut self, op: u8) {
        assert!(
            matches!(
                op,
                0x00 | 0x01 | 0x05 | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 | 0xd1
            ),
            "instruction {op:#x} is not known"
        );
    }

    fn known(&mut self, alignment: u8) {
        let there = self.next();
        assert!(
            there <= alignment,
            "{there} is no alignment: the walk lost its way"
        );
    }
}
