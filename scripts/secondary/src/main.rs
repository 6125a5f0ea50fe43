//! Cuts a module in two: the primary, and a secondary that the page loads when it needs it.
//!
//! The secondary shares memory and table of the primary. Across the cut every call goes through the table, in both
//! directions: an export for each function would be a JavaScript object each.

mod module;
mod names;
mod parts;
mod reach;

use module::Module;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, map, primary, secondary, doors @ ..] = arguments.as_slice() else {
        eprintln!(
            "usage: secondary <in.wasm> <linker.map> <primary.wasm> <secondary.wasm> <function>..."
        );
        return ExitCode::from(2);
    };
    match run(input, map, primary, secondary, doors) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("secondary: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(
    input: &str,
    map: &str,
    primary: &str,
    secondary: &str,
    doors: &[String],
) -> Result<(), Box<dyn std::error::Error>> {
    let bytes = std::fs::read(input)?;
    let module = Module::parse(&bytes)?;
    let objects = reach::objects(&std::fs::read_to_string(map)?);
    let doors = reach::doors(&module, doors)?;
    let moved = reach::moved(&module, &objects, &doors)?;
    let parts = parts::cut(&module, &moved)?;
    for (what, old, new) in parts.renamed {
        println!("{what} {old} {new}");
    }
    std::fs::write(primary, parts.primary)?;
    std::fs::write(secondary, parts.secondary)?;
    Ok(())
}
