use granit_parser::{Event, Parser, ScanError, StrInput};

use super::{syntax, too_deep};
use crate::problem::{Code, Problem};
use crate::{FileId, Span};

/// An event of the parser with its place.
pub(super) struct Token<'a> {
    pub(super) event: Event<'a>,
    pub(super) span: Span,
    pub(super) tag_span: Option<Span>,
}

/// The events of one file.
pub(super) struct Tokens<'a> {
    events: Parser<'a, StrInput<'a>>,
    text: &'a str,
    /// The file.
    pub(super) file: FileId,
}

impl<'a> Tokens<'a> {
    /// The events of a text, which stands in `file`.
    pub(super) fn new(text: &'a str, file: FileId) -> Self {
        Self { events: Parser::new_from_str(text), text, file }
    }

    /// The next event that is not a comment.
    pub(super) fn next(&mut self) -> Result<Token<'a>, Problem> {
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
}
