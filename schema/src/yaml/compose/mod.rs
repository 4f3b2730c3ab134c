//! From a text to a tree: aliases followed, merge keys merged, other files included.
//!
//! A profile is small; the limits here are far above any real one and far below what would hurt.

mod tokens;
mod tree;

use super::node::Node;
use crate::problem::{Code, Problem};
use crate::{FileId, Span};
use tokens::Tokens;

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
    tree::document(Tokens::new(text, file), depth, state)
}

fn too_deep(span: Span) -> Problem {
    syntax(span, "this is nested too deeply for a profile")
        .label("too deep")
        .help("look for brackets that are not closed")
}

fn syntax(span: Span, message: impl Into<String>) -> Problem {
    Problem::new(Code::Syntax, Some(span), message)
}
