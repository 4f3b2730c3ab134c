//! Unpacks an image into a sparse file, and prints its SHA-256: `unpack CARD.img.xz CARD.img`.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use imgbuild::unpack;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (from, into) = (arguments.next(), arguments.next());
    let (from, into) = from.zip(into).context("usage: unpack FROM INTO")?;
    let mut reader = unpack::open(&from)?;
    let file = File::create(&into).context("making the file")?;
    let extracted = unpack::into_sparse(&mut reader, &file, u64::MAX, |_, _| ())?;
    let digest: String = extracted.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(std::io::stdout(), "{digest}  {}", into.display())?;
    Ok(())
}
