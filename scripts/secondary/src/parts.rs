//! The two parts.

use crate::module::{Module, Problem};
use crate::names::Names;
use crate::reach::mentions;
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, ImportSection, Instruction,
    MemorySection, TableSection, TypeSection,
};
use wasmparser::{Operator, TypeRef};

/// From where the secondary imports what it shares.
const PRIMARY: &str = "p";

pub struct Parts {
    pub primary: Vec<u8>,
    pub secondary: Vec<u8>,
    /// What has another name now: what it is, the old name, the new one.
    pub renamed: Vec<(&'static str, String, String)>,
}

/// Where everything is in the table, from 1 on: 0 is no function.
struct Table {
    /// The new place of each function that has one.
    places: BTreeMap<u32, u32>,
    primary: Vec<u32>,
    secondary: Vec<u32>,
}

/// Cuts the module.
pub fn cut(module: &Module<'_>, moved: &BTreeSet<u32>) -> Result<Parts, Problem> {
    let table = table(module, moved)?;
    let names = Names::of(module)?;
    let (own, kept): (Vec<u32>, Vec<u32>) =
        (0..module.functions.len() as u32).partition(|function| moved.contains(function));
    Ok(Parts {
        primary: primary(module, &kept, &table, &names)?,
        secondary: secondary(module, &own, &table, &names)?,
        renamed: names.renamed,
    })
}

/// Whatever is pointed at, or called from the other part, has a place in the table.
fn table(module: &Module<'_>, moved: &BTreeSet<u32>) -> Result<Table, Problem> {
    let mut in_table: BTreeSet<u32> = module.slots.values().copied().collect();
    for function in module.imported as u32..module.functions.len() as u32 {
        for called in mentions(module, function)?.calls {
            if moved.contains(&called) != moved.contains(&function) {
                in_table.insert(called);
            }
        }
    }
    let (secondary, primary): (Vec<u32>, Vec<u32>) = in_table
        .into_iter()
        .partition(|function| moved.contains(function));
    let all = primary.iter().chain(&secondary);
    Ok(Table {
        places: all
            .zip(1..)
            .map(|(function, place)| (*function, place))
            .collect(),
        primary,
        secondary,
    })
}

fn primary(
    module: &Module<'_>,
    kept: &[u32],
    table: &Table,
    names: &Names,
) -> Result<Vec<u8>, Problem> {
    let mut part = Part::new(module, kept, table)?;
    let functions = module.function_table()?;

    let mut imports = ImportSection::new();
    for import in &module.imports {
        let TypeRef::Func(kind) = import.ty else {
            unreachable!()
        };
        let kind = EntityType::Function(part.types.index(kind));
        let (from, name) = names.import(import);
        imports.import(from, name, kind);
    }
    let mut tables = TableSection::new();
    for index in 0..module.tables.len() as u32 {
        tables.table(part.table(index)?);
    }
    let mut memories = MemorySection::new();
    for kind in &module.memories {
        memories.memory(part.memory_type(*kind)?);
    }
    let mut globals = GlobalSection::new();
    for global in &module.globals {
        part.parse_global(&mut globals, global.clone())?;
    }
    let mut exports = ExportSection::new();
    for export in &module.exports {
        let (kind, index) = (
            part.export_kind(export.kind)?,
            part.external_index(export.kind, export.index)?,
        );
        exports.export(names.export(export.name), kind, index);
    }
    exports.export(&names.table, ExportKind::Table, functions);
    exports.export(&names.stack, ExportKind::Global, stack(module)?);
    let elements = part.elements(functions, 1, &table.primary);
    let mut data = DataSection::new();
    let words = module.words();
    for (from, given) in &module.data {
        let new = |(byte, at): (&u8, u32)| {
            let place = words.get(&(at & !3)).and_then(|word| part.place(*word));
            place.map_or(*byte, |place| place.to_le_bytes()[(at & 3) as usize])
        };
        let bytes: Vec<u8> = given.data.iter().zip(*from..).map(new).collect();
        data.active(0, &ConstExpr::i32_const(*from as i32), bytes);
    }
    let (signatures, code) = part.code(kept)?;

    let mut whole = wasm_encoder::Module::new();
    whole
        .section(&part.types.section)
        .section(&imports)
        .section(&signatures);
    whole
        .section(&tables)
        .section(&memories)
        .section(&globals)
        .section(&exports);
    whole.section(&elements).section(&code).section(&data);
    Ok(whole.finish())
}

fn secondary(
    module: &Module<'_>,
    own: &[u32],
    table: &Table,
    names: &Names,
) -> Result<Vec<u8>, Problem> {
    let mut part = Part::new(module, own, table)?;
    let mut imports = ImportSection::new();
    let kind = module.memories.first().ok_or("no memory")?;
    imports.import(PRIMARY, "memory", part.memory_type(*kind)?);
    for index in 0..module.tables.len() as u32 {
        imports.import(PRIMARY, names.table(module, index)?, part.table(index)?);
    }
    let stack = module
        .globals
        .get(stack(module)? as usize)
        .ok_or("no stack")?;
    imports.import(PRIMARY, &names.stack, part.global_type(stack.ty)?);
    let from = 1 + table.primary.len() as i32;
    let elements = part.elements(module.function_table()?, from, &table.secondary);
    part.is_secondary = true;
    let (signatures, code) = part.code(own)?;

    let mut whole = wasm_encoder::Module::new();
    whole
        .section(&part.types.section)
        .section(&imports)
        .section(&signatures);
    whole.section(&elements).section(&code);
    Ok(whole.finish())
}

/// The one global that code of both parts writes to.
fn stack(module: &Module<'_>) -> Result<u32, Problem> {
    let mutable: Vec<usize> = (0..module.globals.len())
        .filter(|index| {
            module
                .globals
                .get(*index)
                .is_some_and(|global| global.ty.mutable)
        })
        .collect();
    match mutable.as_slice() {
        [stack] => Ok(*stack as u32),
        _ => Err(format!("{} globals that change, not one", mutable.len()).into()),
    }
}

/// One part while it is written.
struct Part<'a> {
    module: &'a Module<'a>,
    table: &'a Table,
    /// The functions of this part by their numbers in the module.
    functions: BTreeMap<u32, u32>,
    types: Types<'a>,
    is_secondary: bool,
}

/// The types that a part uses, in the order in which it does.
struct Types<'a> {
    module: &'a Module<'a>,
    indices: BTreeMap<u32, u32>,
    section: TypeSection,
}

impl Types<'_> {
    fn index(&mut self, kind: u32) -> u32 {
        let next = self.indices.len() as u32;
        *self.indices.entry(kind).or_insert_with(|| {
            let given = self.module.types.get(kind as usize).expect("a type");
            let values = |types: &[wasmparser::ValType]| -> Vec<wasm_encoder::ValType> {
                types
                    .iter()
                    .map(|kind| wasm_encoder::ValType::try_from(*kind).expect("a type of values"))
                    .collect()
            };
            let (parameters, results) = (values(given.params()), values(given.results()));
            self.section.ty().function(parameters, results);
            next
        })
    }
}

impl<'a> Part<'a> {
    fn new(module: &'a Module<'a>, own: &[u32], table: &'a Table) -> Result<Self, Problem> {
        let functions = own
            .iter()
            .zip(0..)
            .map(|(function, index)| (*function, index))
            .collect();
        Ok(Self {
            module,
            table,
            functions,
            types: Types {
                module,
                indices: BTreeMap::new(),
                section: TypeSection::new(),
            },
            is_secondary: false,
        })
    }

    /// A table; that of functions has room for all.
    fn table(&mut self, index: u32) -> Result<wasm_encoder::TableType, Problem> {
        let given = self
            .module
            .tables
            .get(index as usize)
            .ok_or("no such table")?;
        let mut kind = reencode::utils::table_type(self, *given)?;
        if index == self.module.function_table()? {
            kind.minimum = 1 + self.table.places.len() as u64;
            kind.maximum = Some(kind.minimum);
        }
        Ok(kind)
    }

    /// The new place of what a pointer points at, if it is one.
    fn place(&self, number: u32) -> Option<u32> {
        let function = self.module.slots.get(&number)?;
        self.table.places.get(function).copied()
    }

    fn elements(&self, table: u32, from: i32, functions: &[u32]) -> ElementSection {
        let own: Vec<u32> = functions
            .iter()
            .map(|function| self.functions[function])
            .collect();
        let mut section = ElementSection::new();
        let table = (table > 0).then_some(table);
        section.active(
            table,
            &ConstExpr::i32_const(from),
            Elements::Functions(own.into()),
        );
        section
    }

    fn code(&mut self, own: &[u32]) -> Result<(FunctionSection, CodeSection), Problem> {
        let (mut signatures, mut code) = (FunctionSection::new(), CodeSection::new());
        for function in own {
            let Some(body) = self.module.body(*function) else {
                continue;
            };
            let kind = self.module.functions[*function as usize];
            signatures.function(self.types.index(kind));
            let mut written = self.new_function_with_parsed_locals(body)?;
            let mut operators = body.get_operators_reader()?;
            while !operators.eof() {
                let operator = operators.read()?;
                self.write(operator, &mut written)?;
            }
            code.function(&written);
        }
        Ok((signatures, code))
    }

    fn write(&mut self, operator: Operator<'_>, written: &mut Function) -> Result<(), Problem> {
        match operator {
            Operator::Call { function_index } if !self.functions.contains_key(&function_index) => {
                let place = self.table.places[&function_index];
                let type_index = self
                    .types
                    .index(self.module.functions[function_index as usize]);
                let table_index = self.table_index(self.module.function_table()?)?;
                written.instruction(&Instruction::I32Const(place as i32));
                written.instruction(&Instruction::CallIndirect {
                    type_index,
                    table_index,
                });
            }
            Operator::I32Const { value } => {
                let place = self.place(value as u32).map_or(value, |place| place as i32);
                written.instruction(&Instruction::I32Const(place));
            }
            operator => {
                written.instruction(&self.instruction(operator)?);
            }
        }
        Ok(())
    }
}

impl Reencode for Part<'_> {
    type Error = Problem;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<Problem>> {
        let index = self.functions.get(&function).copied();
        index.ok_or_else(|| reencode::Error::UserError("a function of the other part".into()))
    }

    fn type_index(&mut self, kind: u32) -> Result<u32, reencode::Error<Problem>> {
        Ok(self.types.index(kind))
    }

    fn global_index(&mut self, global: u32) -> Result<u32, reencode::Error<Problem>> {
        if !self.is_secondary {
            return Ok(global);
        }
        match stack(self.module) {
            Ok(stack) if stack == global => Ok(0),
            _ => Err(reencode::Error::UserError(
                "a global that is not shared".into(),
            )),
        }
    }
}
