//! Carries the built-in overlays inside the program: writes a table of every file below `overlays/`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let overlays = Path::new(env!("CARGO_MANIFEST_DIR")).join("../overlays").canonicalize()?;
    println!("cargo::rerun-if-changed={}", overlays.display());
    let mut files = Vec::new();
    collect(&overlays, &mut files)?;
    files.sort();
    let mut table = String::from("pub(super) static FILES: &[(&str, &[u8])] = &[\n");
    for file in &files {
        let name = file.strip_prefix(&overlays).expect("it was found below it").display();
        let (name, path) = (name.to_string(), file.display().to_string());
        writeln!(table, "    ({name:?}, include_bytes!({path:?})),")
            .expect("a string takes everything");
    }
    table.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("overlays.rs"), table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
