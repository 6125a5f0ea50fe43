//! `streams INPUT OUTPUT STREAMS`: takes a module apart, and writes it with natural alignments and as streams.

use std::error::Error;
use std::{env, fs};

use streams::{join, split};

fn main() -> Result<(), Box<dyn Error>> {
    let [input, output, streams] = env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "three paths are expected")?;
    let module = fs::read(input)?;
    let mut aligned = vec![0; module.len() + 2];
    let container = split(&module)?;
    // SAFETY: the container was made of a module of this size, and there are two octets more.
    unsafe { join(container.as_ptr(), aligned.as_mut_ptr()) };
    aligned.truncate(module.len());
    if split(&aligned)? != container {
        return Err("the module is not put together as it was taken apart".into());
    }
    fs::write(output, aligned)?;
    fs::write(streams, container)?;
    Ok(())
}
