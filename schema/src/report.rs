//! Draws problems into the user's own file.

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::Problem;

/// The keys whose values are not shown, wherever they stand.
const SECRET_KEYS: [&str; 3] = ["psk", "password", "private_key"];

/// Everything that is wrong with one profile, ready to be shown.
#[derive(Debug)]
pub struct Report {
    path: String,
    source: String,
    problems: Vec<Problem>,
}

impl Report {
    /// The problems of the file at `path`, which holds `source`.
    pub fn new(path: impl Into<String>, source: &str, problems: Vec<Problem>) -> Self {
        Self { path: path.into(), source: conceal(source), problems }
    }

    /// The problems.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The report as text; with colours for a terminal.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let drawn: Vec<String> =
            self.problems.iter().map(|problem| self.draw(problem, &renderer)).collect();
        drawn.join("\n\n")
    }

    fn draw(&self, problem: &Problem, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(&*problem.message).id(problem.code.as_str());
        let snippet = Snippet::source(&*self.source).path(&*self.path);
        let mut groups = vec![match problem.span {
            Some(span) => {
                let span = span.start.min(self.source.len())..span.end.min(self.source.len());
                let annotation = AnnotationKind::Primary.span(span);
                title.element(snippet.annotation(if problem.label.is_empty() {
                    annotation
                } else {
                    annotation.label(&*problem.label)
                }))
            }
            None => title.element(annotate_snippets::Origin::path(&*self.path)),
        }];
        if let Some(help) = &problem.help {
            groups.push(Group::with_title(Level::HELP.secondary_title(&**help)));
        }
        renderer.render(&groups).clone()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// The source with every secret that is written out in it replaced by stars, byte for byte, so that
/// positions stay right. A secret that is looked up (`!secret …`) is not in the source.
fn conceal(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut block: Option<usize> = None;
    for line in source.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        match block {
            Some(parent) if indent > parent || line.trim().is_empty() => {
                out.extend(line.chars().map(|c| if c.is_whitespace() { c } else { '*' }));
                continue;
            }
            _ => block = None,
        }
        let concealed = conceal_line(line);
        if concealed.opens_block {
            block = Some(indent);
        }
        out.push_str(&concealed.text);
    }
    out
}

struct Concealed {
    text: String,
    opens_block: bool,
}

fn conceal_line(line: &str) -> Concealed {
    let mut text = line.to_owned();
    let mut opens_block = false;
    for key in SECRET_KEYS {
        let mut from = 0;
        while let Some(found) = text[from..].find(key) {
            let start = from + found;
            let after = start + key.len();
            from = after;
            let begins_word =
                !text[..start].ends_with(|c: char| c.is_alphanumeric() || "_-".contains(c));
            let rest = text[after..].trim_start_matches(['"', '\'']);
            if !begins_word || !rest.starts_with(':') {
                continue;
            }
            let value_at = text.len() - rest[1..].trim_start().len();
            let value = &text[value_at..];
            if value.starts_with(['|', '>']) {
                opens_block = true;
            } else if !value.starts_with(['!', '*', '{', '[']) {
                let end = value_at + value_length(value);
                let stars: String = text[value_at..end].bytes().map(|_| '*').collect();
                text.replace_range(value_at..end, &stars);
            }
        }
    }
    Concealed { text, opens_block }
}

/// How far the value goes that `text` begins with: to the closing quote, or to what ends a bare one.
fn value_length(text: &str) -> usize {
    let line = text.trim_end().len();
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].find(quote).map_or(line, |closing| closing + 2),
        _ => text[..line].find([',', '}']).unwrap_or(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_are_written_out_are_not_shown() {
        for (source, shown) in [
            ("psk: hunter22\n", "psk: ********\n"),
            (
                "- {ssid: a, psk: hunter22, hidden: true}\n",
                "- {ssid: a, psk: ********, hidden: true}\n",
            ),
            ("password: \"a, b\" # mine\n", "password: ****** # mine\n"),
            ("psk: !secret wifi\n", "psk: !secret wifi\n"),
            (
                "private_key: |\n  line\n  two\nnext: 1\n",
                "private_key: |\n  ****\n  ***\nnext: 1\n",
            ),
            ("wpapsk: shown\n", "wpapsk: shown\n"),
            ("ssid: psk\n", "ssid: psk\n"),
        ] {
            assert_eq!(conceal(source), shown);
        }
    }
}
