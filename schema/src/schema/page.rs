//! The reference page: every key and every code, in Markdown.

use std::fmt::Write as _;

use super::{Key, keys};
use crate::Code;

/// The page as it lies in the repository.
pub fn page() -> String {
    let mut page = String::from(
        "# Every key of a profile\n\n\
         Written by `cargo xtask gen` from the doc comments in `schema/`; `imgbuild explain KEY` says the same.\n\
         Keys that begin with `x-` may stand at the top for sharing, by way of YAML's anchors. `[]` marks the\n\
         items of a list. Texts may be looked up: `!secret NAME`, `!env NAME`, `!file PATH`; any value may be\n\
         taken from another file: `!include PATH`.\n",
    );
    let mut section = String::new();
    for key in keys() {
        let top = key.path.split(['.', '[']).next().unwrap_or_default();
        if top != section {
            write!(page, "\n## {top}\n").expect("a string takes everything");
            top.clone_into(&mut section);
        }
        entry(&key, &mut page).expect("a string takes everything");
    }
    page.push_str("\n# Every code\n");
    for code in Code::ALL {
        write!(page, "\n## {code}\n\n{}", code.explanation()).expect("a string takes everything");
    }
    page
}

fn entry(key: &Key, page: &mut String) -> std::fmt::Result {
    let required = if key.required { ", required" } else { "" };
    write!(page, "\n### `{}`\n\n{}{required}. {}\n", key.path, key.kind, key.doc)?;
    if let Some(default) = &key.default {
        write!(page, "\nDefault: `{default}`\n")?;
    }
    if !key.choices.is_empty() {
        page.push('\n');
        for (word, meaning) in &key.choices {
            if meaning.is_empty() {
                writeln!(page, "- `{word}`")?;
            } else {
                writeln!(page, "- `{word}`: {meaning}")?;
            }
        }
    }
    if let Some(example) = key.example.as_ref().filter(|it| Some(*it) != key.default.as_ref()) {
        write!(page, "\nExample: `{example}`\n")?;
    }
    Ok(())
}
