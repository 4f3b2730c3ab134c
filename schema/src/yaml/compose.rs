//! From a text to a tree: aliases followed, merge keys merged, other files included.
//!
//! A profile is small; the limits here are far above any real one and far below what would hurt.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};

use super::node::{Entry, Key, Kind, Node, Scalar, Tag};
use crate::problem::{Code, MOST_PROBLEMS, Problem};
use crate::{FileId, Span};

/// The most bytes in one file.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting.
const MAX_DEPTH: usize = 24;
/// The most nodes, those that aliases repeat included.
const MAX_NODES: usize = 20_000;
/// The most bytes that aliases and anchors repeat, and that included files have, all together.
const MAX_REPEATED: usize = 4 << 20;
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
    let mut state = State { include, problems, nodes: 0, repeated: 0, open: vec![file] };
    document(text, file, 0, &mut state)
}

/// What all files of one profile have in common.
struct State<'a> {
    include: &'a mut dyn Include,
    problems: &'a mut Vec<Problem>,
    nodes: usize,
    repeated: usize,
    /// The files that are being read, the outermost first.
    open: Vec<FileId>,
}

impl State<'_> {
    /// Counts what is repeated; a problem if that is more than any profile needs.
    fn repeat(&mut self, nodes: usize, bytes: usize, span: Span) -> Result<(), Problem> {
        self.nodes += nodes;
        self.repeated += bytes;
        if self.nodes <= MAX_NODES && self.repeated <= MAX_REPEATED {
            return Ok(());
        }
        let problem = syntax(span, "aliases and included files repeat more than any profile needs");
        Err(problem.label("too much").help("write once what is needed once"))
    }
}

/// Reads what stands `depth` deep in the profile.
fn document(
    text: &str,
    file: FileId,
    depth: usize,
    state: &mut State<'_>,
) -> Result<Node, Problem> {
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
    composer.document(depth)
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
    fn document(&mut self, depth: usize) -> Result<Node, Problem> {
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
        let node = self.node(first, depth)?;
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
        if error.info().contains("recursion limit") {
            return too_deep(span);
        }
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
        if depth > MAX_DEPTH {
            return Err(too_deep(span));
        }
        if self.state.nodes > MAX_NODES {
            let problem = syntax(span, format!("there are more than {MAX_NODES} values"));
            return Err(problem.label("one too many").help("is it a profile at all?"));
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
            node = self.included(&node, depth)?;
        }
        if anchor > 0 {
            self.state.repeat(0, node.bytes(), span)?;
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
        let mut seen: HashMap<String, Span> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let token = self.next()?;
            if token.event == Event::MappingEnd {
                let last = entries.last().map_or(0, |entry| entry.value.span.end);
                let end = closing(&token, last);
                Self::merge(merged, &mut entries, seen)?;
                return Ok((entries, end));
            }
            let key = self.key(token)?;
            let token = self.next()?;
            let value = self.node(token, depth + 1)?;
            if key.text == "<<" {
                merged.push(value);
                continue;
            }
            if let Some(first) = seen.get(&key.text) {
                self.twice(&key, *first);
            } else {
                seen.insert(key.text.clone(), key.span);
                entries.push(Entry { key, value });
            }
        }
    }

    /// Notes a key that is there for the second time.
    fn twice(&mut self, key: &Key, first: Span) {
        // there may be as many as there are nodes
        if self.state.problems.len() >= MOST_PROBLEMS {
            return;
        }
        self.state.problems.push(
            Problem::new(
                Code::Duplicate,
                Some(key.span),
                format!("the key `{}` is there twice", key.text),
            )
            .label("for the second time")
            .related(first, "for the first time")
            .help("keep one of them"),
        );
    }

    fn key(&mut self, token: Token<'a>) -> Result<Key, Problem> {
        let Token { event, span, tag_span } = token;
        let Event::Scalar(text, _, anchor, tag) = event else {
            return Err(syntax(span, "a key must be a word")
                .label("is none")
                .help("a text that begins with `{`, `[`, `*` or `&` needs quotes"));
        };
        if tag.is_some_and(|tag| tag.core_suffix().is_none()) {
            return Err(syntax(tag_span.unwrap_or(span), "a key has no tag")
                .label("belongs to a value")
                .help("write it behind the key's colon"));
        }
        if anchor > 0 {
            self.state.repeat(0, text.len(), span)?;
            self.anchors.insert(anchor, Node::scalar(span, text.as_ref(), false));
        }
        Ok(Key { text: text.into_owned(), span })
    }

    /// `<<: *other`: what the map does not say itself is as in the other.
    fn merge(
        merged: Vec<Node>,
        entries: &mut Vec<Entry>,
        mut seen: HashMap<String, Span>,
    ) -> Result<(), Problem> {
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
                for entry in others {
                    if seen.insert(entry.key.text.clone(), entry.key.span).is_none() {
                        entries.push(entry);
                    }
                }
            }
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, Problem> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(syntax(span, "this alias stands inside what it names").label("never ends"));
        };
        self.state.repeat(node.count(), node.bytes(), span)?;
        Ok(node.clone())
    }

    /// What stands in the file that an `!include` names.
    fn included(&mut self, node: &Node, depth: usize) -> Result<Node, Problem> {
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
        self.state.repeat(0, text.len(), node.span)?;
        self.state.open.push(file);
        let node = document(&text, file, depth, self.state);
        self.state.open.pop();
        node
    }
}

/// Where a list or a map ends: with its bracket, or with the last thing in it.
fn closing(token: &Token<'_>, last: usize) -> usize {
    if token.span.end > token.span.start { token.span.end } else { last }
}

fn too_deep(span: Span) -> Problem {
    syntax(span, "this is nested too deeply for a profile")
        .label("too deep")
        .help("look for brackets that are not closed")
}

fn syntax(span: Span, message: impl Into<String>) -> Problem {
    Problem::new(Code::Syntax, Some(span), message)
}

/// A tag as it is written: `!secret`; YAML's own as `!!str`.
fn tag_name(tag: &granit_parser::Tag) -> String {
    tag.core_suffix().map_or_else(|| tag.original(), |suffix| format!("!!{suffix}"))
}
