//! Cross-compiles the agent: one static program for each kind of processor.
//!
//! Zig is the C compiler and the linker of all targets. The Rust standard library for them comes with the
//! toolchain, where rustup has brought it; else Debian's own compiler builds it from its sources,
//! which needs `RUSTC_BOOTSTRAP` since building it is not yet a stable feature of cargo.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, bail, ensure};

use crate::project;

/// The targets, and what they are for: 64-bit boards, 32-bit systems on the Pi 2 and later, the Pi 1 and
/// Zero.
pub(crate) const TARGETS: [&str; 3] = [
    "aarch64-unknown-linux-musl",
    "armv7-unknown-linux-musleabihf",
    "arm-unknown-linux-musleabihf",
];

/// Where Debian's compiler lies, whatever else is on the `PATH`.
const DEBIAN_FOLDER: &str = "/usr/bin";

/// Builds the agents and puts them where the builder looks for them: `target/agents/TARGET/`.
pub(crate) fn build(targets: &[String]) -> anyhow::Result<()> {
    let root = project::root()?;
    let wanted: Vec<&str> = if targets.is_empty() {
        TARGETS.to_vec()
    } else {
        targets.iter().map(String::as_str).collect()
    };
    for target in wanted {
        ensure!(
            TARGETS.contains(&target),
            "there is no agent for {target}; known are {}",
            TARGETS.join(", ")
        );
        one(&root, target).with_context(|| format!("cross-compiling the agent for {target}"))?;
    }
    Ok(())
}

fn one(root: &Path, target: &str) -> anyhow::Result<()> {
    let folder = root.join("target");
    let mut path = vec![virtual_environment(root).join("bin")];
    let mut command = project::command("cargo-zigbuild");
    command.arg("zigbuild");
    if !has_std(target)? {
        path.push(PathBuf::from(DEBIAN_FOLDER));
        with_debian(&mut command)?;
    }
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let status = command
        .current_dir(root)
        .env("PATH", env::join_paths(path)?)
        .args(["--package", "imgbuild-agent", "--bin", "imgbuild-agent", "--profile", "agent"])
        .args(["--locked", "--quiet", "--target", target, "--target-dir"])
        // a folder of its own: another compiler's work in the same one would be done again and again
        .arg(folder.join("cross"))
        .status()
        .context("starting cargo-zigbuild; `make setup` installs it")?;
    ensure!(status.success(), "cargo zigbuild: {status}");
    let built = folder.join("cross").join(target).join("agent/imgbuild-agent");
    let place = folder.join("agents").join(target);
    list_crates(root, target, &place)?;
    put(&built, &place)
}

/// Writes beside the agent which crates it is made of, for the bill of materials of a card: a line each with name,
/// version, `registry` or `own`, and licence.
fn list_crates(root: &Path, target: &str, folder: &Path) -> anyhow::Result<()> {
    let output = project::cargo()
        .args(["tree", "--locked", "--package", "imgbuild-agent", "--target", target])
        // what is compiled in; a macro runs on this machine alone
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}|{l}"])
        .current_dir(root)
        .output()
        .context("starting cargo tree")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo tree: {complaint}");
    let tree = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<String> = tree.lines().filter_map(crate_line).collect();
    lines.sort_unstable();
    lines.dedup();
    ensure!(!lines.is_empty(), "cargo tree lists no crates");
    fs::create_dir_all(folder)?;
    fs::write(folder.join("imgbuild-agent.crates"), lines.join("\n") + "\n")
        .context("writing the list of crates")
}

/// `ring v0.17.14|Apache-2.0 AND ISC (*)`, or with `(/path)` after the version.
fn crate_line(line: &str) -> Option<String> {
    let (package, licence) = line.trim_end_matches(" (*)").split_once('|')?;
    let mut words = package.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    let place = if words.next().is_some() { "own" } else { "registry" };
    // the older way to write an expression
    let licence = licence.replace('/', " OR ");
    Some(format!("{name} {version} {place} {licence}").trim_end().to_owned())
}

/// Copies the program beside, then into place, and leaves alone one that is the same already.
fn put(built: &Path, folder: &Path) -> anyhow::Result<()> {
    let agent = folder.join("imgbuild-agent");
    let content = fs::read(built).with_context(|| format!("reading {}", built.display()))?;
    if fs::read(&agent).is_ok_and(|there| there == content) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let beside = folder.join("imgbuild-agent.new");
    fs::write(&beside, &content)?;
    fs::set_permissions(&beside, fs::metadata(built)?.permissions())?;
    fs::rename(&beside, &agent)?;
    tell(&agent, content.len());
    Ok(())
}

#[expect(clippy::print_stderr, reason = "this is what the task has to say")]
fn tell(agent: &Path, bytes: usize) {
    eprintln!("{}: {} KiB", agent.display(), bytes.div_ceil(1024));
}

/// Does the toolchain that runs us have the target's standard library?
fn has_std(target: &str) -> anyhow::Result<bool> {
    let output = project::command("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .output()?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let mut names = fs::read_dir(folder).into_iter().flatten().flatten();
    Ok(names.any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}

/// Has Debian's compiler build the standard library and the agent.
fn with_debian(command: &mut Command) -> anyhow::Result<()> {
    for program in ["rustc", "cargo"] {
        let path = Path::new(DEBIAN_FOLDER).join(program);
        if !path.exists() {
            bail!(
                "{} is not there; the Debian package {program}-web brings it (`make setup`)",
                path.display()
            );
        }
    }
    command
        .arg("-Zbuild-std=std,panic_abort")
        .env("CARGO", format!("{DEBIAN_FOLDER}/cargo"))
        .env("RUSTC", format!("{DEBIAN_FOLDER}/rustc"))
        .env("RUSTC_BOOTSTRAP", "1")
        // else rustc hands the linker start files that only a rustup target would have
        .env("RUSTFLAGS", "-Clink-self-contained=no")
        .env_remove("RUSTUP_TOOLCHAIN");
    Ok(())
}

/// Where the Python tools are (`xtask/setup/install.sh`).
fn virtual_environment(root: &Path) -> PathBuf {
    env::var_os("IMGBUILD_VENV").map_or_else(|| root.join("target/venv"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::crate_line;

    #[test]
    fn a_line_of_cargo_s_tree_becomes_one_of_the_list() {
        let own = "imgbuild-agent v0.1.0 (/home/me/imgbuild/agent)|MIT OR Apache-2.0";
        for (line, listed) in [
            (
                "ring v0.17.14|Apache-2.0 AND ISC (*)",
                Some("ring 0.17.14 registry Apache-2.0 AND ISC"),
            ),
            ("cast v0.3.0|MIT/Apache-2.0", Some("cast 0.3.0 registry MIT OR Apache-2.0")),
            (own, Some("imgbuild-agent 0.1.0 own MIT OR Apache-2.0")),
            ("nameless v1.0.0|", Some("nameless 1.0.0 registry")),
            ("", None),
        ] {
            assert_eq!(crate_line(line).as_deref(), listed, "{line}");
        }
    }
}
