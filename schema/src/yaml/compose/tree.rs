use std::collections::HashMap;

use granit_parser::{Event, ScalarStyle};

use super::tokens::{Token, Tokens};
use super::{MAX_DEPTH, MAX_INCLUDES, MAX_NODES, State, syntax, too_deep};
use crate::Span;
use crate::problem::{Code, MOST_PROBLEMS, Problem};
use crate::yaml::node::{Entry, Key, Kind, Node, Scalar, Tag};

/// Reads the one document of a file, which stands `depth` deep in the profile.
pub(super) fn document(
    tokens: Tokens<'_>,
    depth: usize,
    state: &mut State<'_>,
) -> Result<Node, Problem> {
    Composer { tokens, anchors: HashMap::new(), state }.document(depth)
}

/// Reads one file.
struct Composer<'a, 's, 'i> {
    tokens: Tokens<'a>,
    anchors: HashMap<usize, Node>,
    state: &'s mut State<'i>,
}

impl<'a> Composer<'a, '_, '_> {
    fn document(&mut self, depth: usize) -> Result<Node, Problem> {
        loop {
            match self.tokens.next()?.event {
                Event::DocumentStart(..) => break,
                Event::StreamEnd => {
                    return Err(Problem::new(Code::Syntax, None, "the file is empty")
                        .help("a profile begins with `version: 1`"));
                }
                _ => {}
            }
        }
        let first = self.tokens.next()?;
        let node = self.node(first, depth)?;
        loop {
            let Token { event, span, .. } = self.tokens.next()?;
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
            let token = self.tokens.next()?;
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
            let token = self.tokens.next()?;
            if token.event == Event::MappingEnd {
                let last = entries.last().map_or(0, |entry| entry.value.span.end);
                let end = closing(&token, last);
                Self::merge(merged, &mut entries, seen)?;
                return Ok((entries, end));
            }
            let key = self.key(token)?;
            let token = self.tokens.next()?;
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
            .include(path, self.tokens.file)
            .map_err(|(message, help)| refuse(message, &help))?;
        if self.state.open.contains(&file) || self.state.open.len() > MAX_INCLUDES {
            return Err(refuse(
                format!("`{path}` includes itself, by whatever way"),
                "leave one of the two out",
            ));
        }
        self.state.repeat(0, text.len(), node.span)?;
        self.state.open.push(file);
        let node = super::document(&text, file, depth, self.state);
        self.state.open.pop();
        node
    }
}

/// Where a list or a map ends: with its bracket, or with the last thing in it.
fn closing(token: &Token<'_>, last: usize) -> usize {
    if token.span.end > token.span.start { token.span.end } else { last }
}

/// A tag as it is written: `!secret`; YAML's own as `!!str`.
fn tag_name(tag: &granit_parser::Tag) -> String {
    tag.core_suffix().map_or_else(|| tag.original(), |suffix| format!("!!{suffix}"))
}
