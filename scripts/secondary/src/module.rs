//! A module as far as the cut has to know it.

use std::collections::BTreeMap;
use wasm_encoder::reencode;
use wasmparser::{
    BinaryReaderError, CompositeInnerType, Data, Element, ElementItems, ElementKind, Export,
    FuncType, FunctionBody, Global, Import, KnownCustom, MemoryType, Operator, Parser, Payload,
    TableType, TypeRef,
};

/// Why a module cannot be cut.
#[derive(Debug)]
pub struct Problem(String);

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

impl From<&str> for Problem {
    fn from(problem: &str) -> Self {
        Self(problem.to_owned())
    }
}

impl From<String> for Problem {
    fn from(problem: String) -> Self {
        Self(problem)
    }
}

impl From<BinaryReaderError> for Problem {
    fn from(error: BinaryReaderError) -> Self {
        Self(error.to_string())
    }
}

impl From<reencode::Error<Self>> for Problem {
    fn from(error: reencode::Error<Self>) -> Self {
        Self(error.to_string())
    }
}

#[derive(Default)]
pub struct Module<'a> {
    pub types: Vec<FuncType>,
    pub imports: Vec<Import<'a>>,
    /// The type of each function, imported ones first.
    pub functions: Vec<u32>,
    pub imported: usize,
    pub tables: Vec<TableType>,
    pub memories: Vec<MemoryType>,
    pub globals: Vec<Global<'a>>,
    pub exports: Vec<Export<'a>>,
    /// What a pointer to a function stands for: the place in the table by its number.
    pub slots: BTreeMap<u32, u32>,
    pub bodies: Vec<FunctionBody<'a>>,
    /// Where data go, and what.
    pub data: Vec<(u32, Data<'a>)>,
    pub names: BTreeMap<u32, String>,
}

impl<'a> Module<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Problem> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            module.take(payload?)?;
        }
        Ok(module)
    }

    fn take(&mut self, payload: Payload<'a>) -> Result<(), Problem> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    for kind in group?.into_types() {
                        let CompositeInnerType::Func(kind) = kind.composite_type.inner else {
                            return Err("a type that is none of a function".into());
                        };
                        self.types.push(kind);
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let TypeRef::Func(kind) = import.ty else {
                        return Err("an import that is no function".into());
                    };
                    self.functions.push(kind);
                    self.imports.push(import);
                }
                self.imported = self.functions.len();
            }
            Payload::FunctionSection(section) => {
                for kind in section {
                    self.functions.push(kind?);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    self.tables.push(table?.ty);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memories.push(memory?);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    self.globals.push(global?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    self.exports.push(export?);
                }
            }
            Payload::ElementSection(section) => {
                for element in section {
                    self.element(element?)?;
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    let wasmparser::DataKind::Active { offset_expr, .. } = &data.kind else {
                        return Err("data without a place".into());
                    };
                    let place = constant(offset_expr)?;
                    self.data.push((place, data));
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    for name in names {
                        if let wasmparser::Name::Function(map) = name? {
                            for naming in map {
                                let naming = naming?;
                                self.names.insert(naming.index, naming.name.to_owned());
                            }
                        }
                    }
                }
            }
            Payload::StartSection { .. } => return Err("a start function".into()),
            _ => {}
        }
        Ok(())
    }

    fn element(&mut self, element: Element<'_>) -> Result<(), Problem> {
        let ElementKind::Active {
            table_index,
            offset_expr,
        } = element.kind
        else {
            return Err("elements without a place".into());
        };
        let ElementItems::Functions(functions) = element.items else {
            return Err("elements that are no functions".into());
        };
        if self
            .tables
            .get(table_index.unwrap_or(0) as usize)
            .is_none_or(|table| !table.element_type.is_func_ref())
        {
            return Err("elements of another table than that of functions".into());
        }
        let mut slot = constant(&offset_expr)?;
        for function in functions {
            self.slots.insert(slot, function?);
            slot += 1;
        }
        Ok(())
    }

    /// The body of a function that is not imported.
    pub fn body(&self, function: u32) -> Option<&FunctionBody<'a>> {
        self.bodies
            .get((function as usize).checked_sub(self.imported)?)
    }

    /// The words of the memory by their places. A segment may end within one: zeros are left out.
    pub fn words(&self) -> BTreeMap<u32, u32> {
        let mut words = BTreeMap::new();
        for (place, data) in &self.data {
            for (byte, at) in data.data.iter().zip(*place..) {
                let word: &mut u32 = words.entry(at & !3).or_default();
                *word |= u32::from(*byte) << (8 * (at & 3));
            }
        }
        words
    }

    /// The table of functions.
    pub fn function_table(&self) -> Result<u32, Problem> {
        let place = self
            .tables
            .iter()
            .position(|table| table.element_type.is_func_ref());
        Ok(place.ok_or("no table of functions")? as u32)
    }
}

fn constant(expression: &wasmparser::ConstExpr<'_>) -> Result<u32, Problem> {
    match expression.get_operators_reader().read()? {
        Operator::I32Const { value } => Ok(value as u32),
        _ => Err("a place that is no constant".into()),
    }
}
