//! Short names in place of those to which wasm-bindgen gives a hash each: the glue and the wasm have both to tell them.

use crate::module::{Module, Problem};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use wasmparser::{ExternalKind, Import};

pub struct Names {
    modules: BTreeMap<String, String>,
    imports: BTreeMap<String, String>,
    exports: BTreeMap<String, String>,
    /// That of the table of functions tells of the build: a secondary of another one is refused by the engine.
    pub table: String,
    /// That of the stack.
    pub stack: String,
    pub renamed: Vec<(&'static str, String, String)>,
}

impl Names {
    pub fn of(module: &Module<'_>) -> Result<Self, Problem> {
        let mut renamed = Vec::new();
        let mut rename = |what, old: &str, index: usize| {
            let new = letters(index);
            renamed.push((what, old.to_owned(), new.clone()));
            (old.to_owned(), new)
        };
        let mut modules = BTreeMap::new();
        let mut imports = BTreeMap::new();
        for import in &module.imports {
            if !modules.contains_key(import.module) {
                let index = modules.len();
                modules.extend([rename("module", import.module, index)]);
            }
            if has_hash(import.name) {
                let index = imports.len();
                imports.extend([rename("import", import.name, index)]);
            }
        }
        let mut exports = BTreeMap::new();
        for export in &module.exports {
            if has_hash(export.name) {
                let index = exports.len();
                exports.extend([rename("export", export.name, index)]);
            }
        }
        let mut hasher = DefaultHasher::new();
        for body in &module.bodies {
            body.as_bytes().hash(&mut hasher);
        }
        Ok(Self {
            table: format!("{:x}", hasher.finish() >> 32),
            stack: "stack".into(),
            modules,
            imports,
            exports,
            renamed,
        })
    }

    /// From where something is imported, and as what.
    pub fn import<'a>(&'a self, import: &Import<'a>) -> (&'a str, &'a str) {
        let name = self.imports.get(import.name);
        let from = self.modules.get(import.module);
        (
            from.map_or(import.module, String::as_str),
            name.map_or(import.name, String::as_str),
        )
    }

    pub fn export<'a>(&'a self, name: &'a str) -> &'a str {
        self.exports.get(name).map_or(name, String::as_str)
    }

    /// As what the primary exports a table.
    pub fn table<'a>(&'a self, module: &Module<'a>, index: u32) -> Result<&'a str, Problem> {
        if index == module.function_table()? {
            return Ok(&self.table);
        }
        let mut exports = module.exports.iter();
        let table = exports
            .find(|export| export.kind == ExternalKind::Table && export.index == index)
            .ok_or("a table that is not exported")?;
        Ok(self.export(table.name))
    }
}

/// 64 bits in hexadecimal.
fn has_hash(name: &str) -> bool {
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_hexdigit);
    name.as_bytes().windows(16).any(digits)
}

/// `a` to `z`, then `aa` and so on.
fn letters(index: usize) -> String {
    let last = char::from(b'a' + (index % 26) as u8);
    match index / 26 {
        0 => last.into(),
        before => letters(before - 1) + &String::from(last),
    }
}
