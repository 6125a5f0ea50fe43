//! The wasm of the default entry travels taken apart, in one stream for each kind of thing in its code: what is alike
//! stands together, and deflate makes a fifth less of it. The build takes it apart, the page puts it together, and both
//! walk over the code by the same function.
//!
//! The container: the module's size and the length of each stream (`u32`, little-endian), then the streams.

#![cfg_attr(target_arch = "wasm32", no_std)]

#[cfg(not(target_arch = "wasm32"))]
mod split;
#[cfg(not(target_arch = "wasm32"))]
pub use split::{SplitError, split};

/// One kind of number in the code. It has two streams, the second for what follows the first byte of a LEB128.
type Kind = usize;

const OP: Kind = 0;
const LOCALS: Kind = 2;
const BLOCK: Kind = 4;
const BRANCH: Kind = 6;
const TABLE: Kind = 8;
const CALL: Kind = 10;
const GET: Kind = 12;
const SET: Kind = 14;
const TEE: Kind = 16;
const GLOBAL: Kind = 18;
const OFFSET: Kind = 20;
const INT: Kind = 22;
const LONG: Kind = 24;
const OTHER: Kind = 26;
/// What stands before the bodies of the functions, and behind them.
const BEFORE: usize = 28;
const BEHIND: usize = 29;

const STREAMS: usize = 30;
/// The size of what stands before the streams.
pub const HEADER: usize = 4 * (1 + STREAMS);
/// So many locals a function may have.
const MAX_LOCALS: usize = 1 << 12;

/// What a walk does at each step: from the module to the streams, or from the streams to the module.
trait Steps {
    /// Carries the next byte over, and gives it.
    fn byte(&mut self, stream: usize) -> u8;
    /// Carries the index of a local over. In its stream it is told by its place among those that were used last.
    fn local(&mut self, kind: Kind);
    /// A byte that the streams need not have.
    fn known(&mut self, byte: u8);
    /// An instruction with nothing behind its opcode.
    fn bare(&mut self, _op: u8) {}
}

/// Walks over the body of a function, from behind its length to its end (WebAssembly 2.0 §5.4).
fn walk(steps: &mut impl Steps) {
    let groups = number(steps, LOCALS);
    numbers(steps, LOCALS, 2 * groups);
    let mut depth = 1;
    while depth > 0 {
        let op = steps.byte(OP);
        let kind = match op {
            0x0b => {
                depth -= 1;
                continue;
            }
            0x02..=0x04 => {
                depth += 1;
                BLOCK
            }
            0x0c | 0x0d => BRANCH,
            0x0e => TABLE,
            0x10 => CALL,
            0x20 => {
                steps.local(GET);
                continue;
            }
            0x21 => {
                steps.local(SET);
                continue;
            }
            0x22 => {
                steps.local(TEE);
                continue;
            }
            0x23 | 0x24 => GLOBAL,
            0x28..=0x3e => {
                steps.known(alignment(op));
                OFFSET
            }
            0x41 => INT,
            0x42 => LONG,
            0x43 | 0x44 => {
                for _ in 0..(if op == 0x43 { 4 } else { 8 }) {
                    steps.byte(LONG);
                }
                continue;
            }
            0x11 | 0x1c | 0x25 | 0x26 | 0x3f | 0x40 | 0xd0 | 0xd2 | 0xfc => OTHER,
            _ => {
                steps.bare(op);
                continue;
            }
        };
        let value = number(steps, kind);
        let more = match op {
            // br_table
            0x0e => value + 1,
            // select
            0x1c => value,
            // call_indirect
            0x11 => 1,
            // data.drop, memory.fill, elem.drop, table.grow, table.size, table.fill
            0xfc if matches!(value, 9 | 11 | 13 | 15..) => 1,
            // memory.init, memory.copy, table.init, table.copy
            0xfc if value > 7 => 2,
            _ => 0,
        };
        numbers(steps, kind, more);
    }
}

fn numbers(steps: &mut impl Steps, kind: Kind, count: u32) {
    for _ in 0..count {
        number(steps, kind);
    }
}

fn number(steps: &mut impl Steps, kind: Kind) -> u32 {
    let mut byte = steps.byte(kind);
    let mut value = u32::from(byte & 127);
    let mut shift = 7;
    while byte > 127 {
        byte = steps.byte(kind + 1);
        value |= u32::from(byte & 127).wrapping_shl(shift);
        shift += 7;
    }
    value
}

/// The natural alignment of a load or a store. Another one changes nothing (WebAssembly 2.0 §2.4.7).
fn alignment(op: u8) -> u8 {
    b"\x02\x03\x02\x03\0\0\x01\x01\0\0\x01\x01\x02\x02\x02\x03\x02\x03\0\x01\0\x01\x02"
        [usize::from(op - 0x28)]
}

/// The locals of a function; the one that was used last stands first.
struct LastUsed {
    locals: [u16; MAX_LOCALS],
    known: usize,
}

impl LastUsed {
    const NONE: Self = Self {
        locals: [0; MAX_LOCALS],
        known: 0,
    };

    /// Makes sure that there is something at `place`: from there on they stand by their numbers.
    fn know(&mut self, place: usize) {
        while self.known <= place {
            self.locals[self.known] = self.known as u16;
            self.known += 1;
        }
    }

    /// Takes the local at `place` to the front.
    fn take(&mut self, place: usize) -> u16 {
        self.know(place);
        let local = self.locals[place];
        self.locals.copy_within(..place, 1);
        self.locals[0] = local;
        local
    }
}

/// Puts a module together.
struct Join {
    at: [*const u8; STREAMS],
    to: *mut u8,
    last_used: LastUsed,
}

/// Puts the module together that was taken apart into `streams`, at `module`.
///
/// # Safety
///
/// `streams` is what `split` made, and at `module` there is room for the size that stands in it and two octets more, which
/// the last body may need until its length is known.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub unsafe extern "C" fn join(streams: *const u8, module: *mut u8) {
    // SAFETY: the caller's; all that is read and written lies where `split` measured it.
    unsafe {
        let length = |at: usize| streams.add(4 * at).cast::<u32>().read_unaligned() as usize;
        let mut join = Join {
            at: [streams; STREAMS],
            to: module,
            last_used: LastUsed::NONE,
        };
        let mut from = streams.add(HEADER);
        for stream in 0..STREAMS {
            join.at[stream] = from;
            from = from.add(length(1 + stream));
        }
        let code = join.at[OP].add(length(1 + OP));
        join.copy(BEFORE, length(1 + BEFORE));
        while join.at[OP] < code {
            join.body();
        }
        join.copy(BEHIND, length(1 + BEHIND));
    }
}

impl Join {
    fn write(&mut self, byte: u8) {
        // SAFETY: `join`'s.
        unsafe {
            *self.to = byte;
            self.to = self.to.add(1);
        }
    }

    fn write_number(&mut self, mut value: usize) {
        while value > 127 {
            self.write(value as u8 | 128);
            value >>= 7;
        }
        self.write(value as u8);
    }

    fn read(&mut self, stream: usize) -> u8 {
        // SAFETY: `join`'s.
        unsafe {
            let at = self.at.get_unchecked_mut(stream);
            let byte = **at;
            *at = at.add(1);
            byte
        }
    }

    /// # Safety
    ///
    /// That of `join`.
    unsafe fn copy(&mut self, stream: usize, length: usize) {
        // SAFETY: the caller's.
        unsafe {
            self.to.copy_from_nonoverlapping(self.at[stream], length);
            self.to = self.to.add(length);
        }
    }

    /// The length of a body stands before it, and is known behind it.
    fn body(&mut self) {
        let start = self.to;
        self.last_used.known = 0;
        // SAFETY: `join`'s; a length takes one octet at the least, so two more are enough.
        unsafe {
            let body = start.add(3);
            self.to = body;
            walk(self);
            let length = self.to.offset_from_unsigned(body);
            self.to = start;
            self.write_number(length);
            self.to.copy_from(body, length);
            self.to = self.to.add(length);
        }
    }
}

impl Steps for Join {
    fn byte(&mut self, stream: usize) -> u8 {
        let byte = self.read(stream);
        self.write(byte);
        byte
    }

    fn local(&mut self, kind: Kind) {
        let mut place = usize::from(self.read(kind));
        if place > 127 {
            place += 128 * usize::from(self.read(kind + 1)) - 128;
        }
        let local = self.last_used.take(place);
        self.write_number(usize::from(local));
    }

    fn known(&mut self, byte: u8) {
        self.write(byte);
    }
}

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
