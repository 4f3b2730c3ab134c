use std::process::ExitCode;

use imgbuild_schema::Code;
use imgbuild_schema::problem::nearest;
use imgbuild_schema::schema::{self, Key};

use super::arguments::Explain;
use super::output;
use crate::fault::Usage;

/// `imgbuild schema`
pub(super) fn schema() -> anyhow::Result<ExitCode> {
    print(&format!("{:#}\n", schema::profile()))
}

/// `imgbuild explain`
pub(super) fn explain(arguments: &Explain) -> anyhow::Result<ExitCode> {
    match &arguments.what {
        None => print(&schema::page()),
        Some(what) => print(&explained(what)?),
    }
}

fn print(text: &str) -> anyhow::Result<ExitCode> {
    output::data(text)?;
    Ok(ExitCode::SUCCESS)
}

fn explained(what: &str) -> Result<String, Usage> {
    if let Some(code) = Code::ALL.iter().find(|code| code.as_str().eq_ignore_ascii_case(what)) {
        let severity = if code.is_warning() { "a warning" } else { "an error" };
        return Ok(format!("{code}, {severity}\n\n{}", code.explanation()));
    }
    let keys = schema::keys();
    let found: Vec<String> = keys.iter().filter(|key| is_meant(key, what)).map(entry).collect();
    if !found.is_empty() {
        return Ok(found.join("\n"));
    }
    let names = keys.iter().filter_map(|key| key.path.rsplit('.').next());
    let hint = match nearest(what.rsplit('.').next().unwrap_or(what), names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`imgbuild explain` without a key prints all of them".to_owned(),
    };
    Err(Usage(format!("no key and no code is called `{what}`; {hint}")))
}

/// Is it the key's whole path, or the end of it? `[]` may be left out.
fn is_meant(key: &Key, what: &str) -> bool {
    let (path, what) = (key.path.replace("[]", ""), what.replace("[]", ""));
    path.strip_suffix(&what).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn entry(key: &Key) -> String {
    let required = if key.required { ", required" } else { "" };
    let mut lines = vec![format!("{}: {}{required}", key.path, key.kind), format!("  {}", key.doc)];
    lines.extend(key.default.iter().map(|default| format!("  default: {default}")));
    lines.extend(key.choices.iter().map(|(word, meaning)| match meaning.as_str() {
        "" => format!("  - {word}"),
        meaning => format!("  - {word}: {meaning}"),
    }));
    if let Some(snippet) = key.snippet() {
        lines.push("  example:".to_owned());
        lines.extend(snippet.lines().map(|line| format!("    {line}")));
    }
    lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}
