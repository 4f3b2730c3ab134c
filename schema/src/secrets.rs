//! A file of secrets: names and what must not be seen.

use std::collections::BTreeMap;

use crate::values::Secret;
use crate::yaml::compose;
use crate::yaml::node::{Kind, Node};
use crate::{FileId, Problem, Span};

/// The names and texts of a file of secrets: a map of texts, nested as deep as one likes; `wifi: {home: …}` is
/// `wifi.home`. The error is the line where it is wrong, and nothing else of the text.
pub fn parse(text: &str) -> Result<BTreeMap<String, Secret>, Option<usize>> {
    let mut found = BTreeMap::new();
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(found);
    }
    let line = |span: Option<Span>| {
        span.map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1)
    };
    let mut problems: Vec<Problem> = Vec::new();
    let tree = compose::compose(text, FileId::default(), &mut compose::Nothing, &mut problems)
        .map_err(|problem| line(problem.span))?;
    if let Some(problem) = problems.first() {
        return Err(line(problem.span));
    }
    collect("", tree, &mut found).map_err(|span| line(Some(span)))?;
    Ok(found)
}

fn collect(name: &str, node: Node, found: &mut BTreeMap<String, Secret>) -> Result<(), Span> {
    match node.kind {
        Kind::Map(entries) => {
            for entry in entries {
                let key = &entry.key.text;
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                collect(&name, entry.value, found)?;
            }
            Ok(())
        }
        // as it was written: `0123` is four digits
        Kind::Scalar(scalar) if !name.is_empty() && node.tag.is_none() && !scalar.is_null() => {
            found.insert(name.to_owned(), Secret::new(scalar.text));
            Ok(())
        }
        _ => Err(node.span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_nested_and_texts_stay_what_was_written() {
        let text = "wifi: {home: 0123, lab: 'a: b'}\npi.password: 1e3\nlong: |\n  two\n  lines\n";
        let found = parse(text).unwrap();
        let text = |name: &str| found[name].expose().to_owned();
        assert_eq!(text("wifi.home"), "0123");
        assert_eq!(text("wifi.lab"), "a: b");
        assert_eq!(text("pi.password"), "1e3");
        assert_eq!(text("long"), "two\nlines\n");
        assert!(parse("# nothing yet\n").unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_alone() {
        for (text, line) in [
            ("wifi: [a]\n", 1),
            ("a: b\nc:\n", 2),
            ("a: b\n\"c", 2),
            ("a: 1\na: 2\n", 2),
            ("just a text\n", 1),
            ("a: !include b\n", 1),
        ] {
            assert_eq!(parse(text).unwrap_err(), Some(line), "{text}");
        }
    }
}
