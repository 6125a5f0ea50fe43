//! Which functions only the secondary needs: those that nothing reaches but through the doors.
//!
//! A pointer to a function is a constant in the code or a word in the data. The linker begins the table at a number that
//! nothing else is, so both are known for what they are; and its map tells where one datum ends and the next begins, so
//! that a virtual table is reached as a whole, and only by who has its address.

use crate::module::{Module, Problem};
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{Instruction, MemArg};
use wasmparser::Operator;

/// Data by where they begin: how long they are.
pub type Objects = BTreeMap<u32, u32>;

/// The data of a linker's map: `address offset size`, in hexadecimal, and what is there.
pub fn objects(map: &str) -> Objects {
    let mut objects = Objects::new();
    for line in map.lines() {
        let mut words = line.split_whitespace();
        let (Some(address), Some(_), Some(size), Some(what)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        // Code has no address; a section as a whole stands on its line without an object file.
        let (Ok(address), Ok(size)) = (
            u32::from_str_radix(address, 16),
            u32::from_str_radix(size, 16),
        ) else {
            continue;
        };
        if address > 0 && size > 0 && what.contains(":(.") {
            objects.insert(address, size);
        }
    }
    objects
}

/// The functions by which the secondary is entered. A name is that of a method, without its type.
pub fn doors(module: &Module<'_>, names: &[String]) -> Result<BTreeSet<u32>, Problem> {
    let door = |name: &String| {
        let end = format!(">::{name}");
        let mut named = module.names.iter().filter(|(_, full)| full.ends_with(&end));
        match (named.next(), named.next()) {
            (Some((index, _)), None) => Ok(*index),
            (None, _) => Err(format!("there is no function {name}").into()),
            (Some(_), Some(_)) => Err(format!("there is more than one function {name}").into()),
        }
    };
    names.iter().map(door).collect()
}

/// What each function has in its code: functions that it calls, and constants.
pub struct Mentions {
    pub calls: BTreeSet<u32>,
    numbers: BTreeSet<u32>,
}

/// The functions that nothing reaches from outside of the doors.
pub fn moved(
    module: &Module<'_>,
    objects: &Objects,
    doors: &BTreeSet<u32>,
) -> Result<BTreeSet<u32>, Problem> {
    let words = module.words();
    let mut reached = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut left: Vec<u32> = module
        .exports
        .iter()
        .filter(|export| export.kind == wasmparser::ExternalKind::Func)
        .map(|export| export.index)
        .collect();
    // A pointer that belongs to no datum we know of may be anybody's.
    for (at, word) in &words {
        if object_of(objects, *at).is_none()
            && let Some(function) = module.slots.get(word)
        {
            eprintln!("secondary: a pointer at {at} belongs to nobody");
            left.push(*function);
        }
    }
    while let Some(function) = left.pop() {
        if doors.contains(&function) || !reached.insert(function) {
            continue;
        }
        let mentions = mentions(module, function)?;
        left.extend(mentions.calls);
        let mut numbers: Vec<u32> = mentions.numbers.into_iter().collect();
        while let Some(number) = numbers.pop() {
            if let Some(function) = module.slots.get(&number) {
                left.push(*function);
            } else if let Some((from, to)) = object_of(objects, number)
                && seen.insert(from)
            {
                numbers.extend(words.range(from..to).map(|(_, word)| *word));
            }
        }
    }
    let all = module.imported as u32..module.functions.len() as u32;
    Ok(all.filter(|function| !reached.contains(function)).collect())
}

/// The datum that has this address.
fn object_of(objects: &Objects, address: u32) -> Option<(u32, u32)> {
    let (from, size) = objects.range(..=address).next_back()?;
    (address - from < *size).then_some((*from, from + size))
}

pub fn mentions(module: &Module<'_>, function: u32) -> Result<Mentions, Problem> {
    let mut mentions = Mentions {
        calls: BTreeSet::new(),
        numbers: BTreeSet::new(),
    };
    if let Some(body) = module.body(function) {
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            mentions.instruction(operators.read()?)?;
        }
    }
    Ok(mentions)
}

/// Reads the operands of every instruction; what it writes is of no use.
impl Reencode for Mentions {
    type Error = Problem;

    fn instruction<'a>(
        &mut self,
        operator: Operator<'a>,
    ) -> Result<Instruction<'a>, reencode::Error<Problem>> {
        match operator {
            Operator::I32Const { value } => {
                self.numbers.insert(value as u32);
            }
            // Two words may be written at once.
            Operator::I64Const { value } => {
                self.numbers.insert(value as u32);
                self.numbers.insert((value >> 32) as u32);
            }
            _ => {}
        }
        reencode::utils::instruction(self, operator)
    }

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<Problem>> {
        self.calls.insert(function);
        Ok(function)
    }

    /// What stands at a known place may be read without a constant.
    fn mem_arg(&mut self, operand: wasmparser::MemArg) -> Result<MemArg, reencode::Error<Problem>> {
        self.numbers.insert(operand.offset as u32);
        reencode::utils::mem_arg(self, operand)
    }
}
