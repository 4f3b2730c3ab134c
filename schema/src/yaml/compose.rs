//! From a text to a tree: aliases followed, merge keys merged, other files included.
//!
//! A profile is small; the limits here are far above any real one and far below what would hurt.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};

use super::node::{Entry, Key, Kind, Node, Scalar, Tag};
use crate::problem::{Code, Problem};
use crate::{FileId, Span};

/// The most bytes in one file.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting.
const MAX_DEPTH: usize = 24;
/// The most nodes, those that aliases repeat included.
const MAX_NODES: usize = 20_000;
/// The most files that include each other.
const MAX_INCLUDES: usize = 8;

/// Where included files come from.
pub(crate) trait Include {
    /// The file that `path` names when it is written in `from`, and its text.
    fn include(&mut self, path: &str, from: FileId) -> Result<(FileId, String), (String, String)>;
}

/// For documents that include no other file.
pub(crate) struct Nothing;

impl Include for Nothing {
    fn include(&mut self, _: &str, _: FileId) -> Result<(FileId, String), (String, String)> {
        Err(("no other file can be included here".into(), "write it out".into()))
    }
}

/// Reads one document. What is wrong but can be read past is noted in `problems`; what cannot ends it.
pub(crate) fn compose(
    text: &str,
    file: FileId,
    include: &mut dyn Include,
    problems: &mut Vec<Problem>,
) -> Result<Node, Problem> {
    let mut state = State { include, problems, nodes: 0, open: vec![file] };
    document(text, file, &mut state)
}

/// What all files of one profile have in common.
struct State<'a> {
    include: &'a mut dyn Include,
    problems: &'a mut Vec<Problem>,
    nodes: usize,
    /// The files that are being read, the outermost first.
    open: Vec<FileId>,
}

fn document(text: &str, file: FileId, state: &mut State<'_>) -> Result<Node, Problem> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {} KiB", MAX_BYTES >> 10);
        return Err(Problem::new(Code::Syntax, None, message).help("is it a profile at all?"));
    }
    if let Some(at) = text.find('\0') {
        let span = Span { file, start: at, end: at + 1 };
        return Err(Problem::new(Code::Syntax, Some(span), "there is a NUL byte in the file")
            .label("here")
            .help(
                "is it a profile at all? A text has none; some editors save UTF-16, which has many",
            ));
    }
    let mut composer =
        Composer { events: Parser::new_from_str(text), text, file, anchors: HashMap::new(), state };
    composer.document()
}

/// Reads one file.
struct Composer<'a, 's, 'i> {
    events: Parser<'a, StrInput<'a>>,
    text: &'a str,
    file: FileId,
    anchors: HashMap<usize, Node>,
    state: &'s mut State<'i>,
}

/// An event of the parser with its place.
struct Token<'a> {
    event: Event<'a>,
    span: Span,
    tag_span: Option<Span>,
}

impl<'a> Composer<'a, '_, '_> {
    fn document(&mut self) -> Result<Node, Problem> {
        loop {
            match self.next()?.event {
                Event::DocumentStart(..) => break,
                Event::StreamEnd => {
                    return Err(Problem::new(Code::Syntax, None, "the file is empty")
                        .help("a profile begins with `version: 1`"));
                }
                _ => {}
            }
        }
        let first = self.next()?;
        let node = self.node(first, 0)?;
        loop {
            let Token { event, span, .. } = self.next()?;
            match event {
                Event::StreamEnd => return Ok(node),
                Event::DocumentStart(..) => {
                    return Err(syntax(span, "there is a second document in the file")
                        .label("begins here")
                        .help("a profile is one document: one device, one file"));
                }
                _ => {}
            }
        }
    }

    /// The next event that is not a comment.
    fn next(&mut self) -> Result<Token<'a>, Problem> {
        loop {
            match self.events.next_event() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, span))) => {
                    let tag_span = span.tag_span().map(|span| self.place(&span));
                    return Ok(Token { event, span: self.place(&span), tag_span });
                }
                Some(Err(error)) => return Err(self.unreadable(&error)),
                None => {
                    return Err(Problem::new(Code::Syntax, None, "the file ends in the middle"));
                }
            }
        }
    }

    fn place(&self, span: &granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or_default();
        Span { file: self.file, start: range.start, end: range.end }
    }

    /// The parser's complaint, at a place that can be marked.
    fn unreadable(&self, error: &ScanError) -> Problem {
        let start = error.marker().byte_offset().unwrap_or_default().min(self.text.len());
        let mut span = Span { file: self.file, start, end: start };
        let rest = &self.text[start..];
        span.end += rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        let problem = if error.info().contains("unknown anchor") {
            syntax(span, "no anchor of this name stands before it").label("an alias of nothing").help(
                "an anchor is written `&name`, its alias `*name`; a text that begins with `*` needs quotes",
            )
        } else {
            syntax(span, error.info()).label("here")
        };
        if self.text[..start].lines().last().is_some_and(|line| line.trim_start().starts_with('\t'))
            || rest.starts_with('\t')
        {
            return problem.help("YAML is indented with spaces, never with tabs");
        }
        problem
    }

    fn node(&mut self, token: Token<'a>, depth: usize) -> Result<Node, Problem> {
        let Token { event, span, tag_span } = token;
        self.state.nodes += 1;
        if depth > MAX_DEPTH || self.state.nodes > MAX_NODES {
            return Err(syntax(
                span,
                "this is nested too deeply, or repeated too often, for a profile",
            )
            .label("too much")
            .help("look for brackets that are not closed, or aliases that repeat each other"));
        }
        let (anchor, tag, kind, end) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                // the parser writes what is not there as `~`
                let text = if plain && span.start == span.end { "".into() } else { text };
                (anchor, tag, Kind::Scalar(Scalar { text: text.into_owned(), plain }), span.end)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let (items, end) = self.items(depth)?;
                (anchor, tag, Kind::List(items), end)
            }
            Event::MappingStart(_, anchor, tag) => {
                let (entries, end) = self.entries(depth)?;
                (anchor, tag, Kind::Map(entries), end)
            }
            Event::Alias(anchor) => return self.alias(anchor, span),
            _ => return Err(syntax(span, "there is nothing to read here")),
        };
        let tag = tag.map(|tag| Tag { name: tag_name(&tag), span: tag_span.unwrap_or(span) });
        let span = Span { end: end.max(span.end), ..span };
        let mut node = Node { span, tag, origin: None, kind };
        if node.tag.as_ref().is_some_and(|tag| tag.name == "!include") {
            node = self.included(&node)?;
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn items(&mut self, depth: usize) -> Result<(Vec<Node>, usize), Problem> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let token = self.next()?;
            if token.event == Event::SequenceEnd {
                let last = items.last().map_or(0, |item| item.span.end);
                return Ok((items, closing(&token, last)));
            }
            items.push(self.node(token, depth + 1)?);
        }
    }

    fn entries(&mut self, depth: usize) -> Result<(Vec<Entry>, usize), Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let token = self.next()?;
            if token.event == Event::MappingEnd {
                let last = entries.last().map_or(0, |entry| entry.value.span.end);
                let end = closing(&token, last);
                Self::merge(merged, &mut entries)?;
                return Ok((entries, end));
            }
            let key = Self::key(token)?;
            let token = self.next()?;
            let value = self.node(token, depth + 1)?;
            if key.text == "<<" {
                merged.push(value);
                continue;
            }
            match entries.iter().find(|entry| entry.key.text == key.text) {
                Some(first) => self.state.problems.push(
                    Problem::new(
                        Code::Duplicate,
                        Some(key.span),
                        format!("the key `{}` is there twice", key.text),
                    )
                    .label("for the second time")
                    .related(first.key.span, "for the first time")
                    .help("keep one of them"),
                ),
                None => entries.push(Entry { key, value }),
            }
        }
    }

    fn key(token: Token<'a>) -> Result<Key, Problem> {
        match token.event {
            Event::Scalar(text, ..) => Ok(Key { text: text.into_owned(), span: token.span }),
            _ => Err(syntax(token.span, "a key must be a word")
                .label("is none")
                .help("a text that begins with `{`, `[`, `*` or `&` needs quotes")),
        }
    }

    /// `<<: *other`: what the map does not say itself is as in the other.
    fn merge(merged: Vec<Node>, entries: &mut Vec<Entry>) -> Result<(), Problem> {
        for node in merged {
            let span = node.span;
            let maps = match node.kind {
                Kind::List(items) => items,
                _ => vec![node],
            };
            for map in maps {
                let Kind::Map(others) = map.kind else {
                    return Err(Problem::new(
                        Code::WrongType,
                        Some(span),
                        "only maps can be merged",
                    )
                    .label("is no map"));
                };
                let own: Vec<String> = entries.iter().map(|entry| entry.key.text.clone()).collect();
                entries.extend(others.into_iter().filter(|it| !own.contains(&it.key.text)));
            }
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, Problem> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(syntax(span, "this alias stands inside what it names").label("never ends"));
        };
        self.state.nodes += node.count();
        if self.state.nodes > MAX_NODES {
            return Err(
                syntax(span, "the aliases repeat more than any profile needs").label("too much")
            );
        }
        Ok(node.clone())
    }

    /// What stands in the file that an `!include` names.
    fn included(&mut self, node: &Node) -> Result<Node, Problem> {
        let refuse = |message: String, help: &str| {
            Problem::new(Code::UnreadableFile, Some(node.span), message)
                .label("cannot be included")
                .help(help)
        };
        let Some(path) = node.text().filter(|path| !path.is_empty()) else {
            return Err(refuse(
                "`!include` takes the path of a file".into(),
                "write it like `!include wifi.yaml`",
            ));
        };
        let (file, text) = self
            .state
            .include
            .include(path, self.file)
            .map_err(|(message, help)| refuse(message, &help))?;
        if self.state.open.contains(&file) || self.state.open.len() > MAX_INCLUDES {
            return Err(refuse(
                format!("`{path}` includes itself, by whatever way"),
                "leave one of the two out",
            ));
        }
        self.state.open.push(file);
        let node = document(&text, file, self.state);
        self.state.open.pop();
        node
    }
}

/// Where a list or a map ends: with its bracket, or with the last thing in it.
fn closing(token: &Token<'_>, last: usize) -> usize {
    if token.span.end > token.span.start { token.span.end } else { last }
}

fn syntax(span: Span, message: impl Into<String>) -> Problem {
    Problem::new(Code::Syntax, Some(span), message)
}

/// A tag as it is written: `!secret`; YAML's own as `!!str`.
fn tag_name(tag: &granit_parser::Tag) -> String {
    tag.core_suffix().map_or_else(|| tag.original(), |suffix| format!("!!{suffix}"))
}
