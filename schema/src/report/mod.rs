//! Draws problems into the user's own files.

mod conceal;
mod formats;

use std::fmt;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

pub use formats::Format;

use crate::yaml::compose::MAX_BYTES;
use crate::{FileId, Problem, Span};

/// The files that a profile is made of: itself, and what it includes.
#[derive(Clone, Debug)]
pub struct Sources {
    files: Vec<SourceFile>,
}

#[derive(Clone)]
struct SourceFile {
    /// As it is to be shown.
    path: String,
    /// As the profile has it.
    written: String,
    /// The text, with stars where a secret is written out; nothing if it is too large to be a profile.
    text: String,
    /// Where its lines begin.
    lines: Vec<usize>,
}

impl SourceFile {
    fn new(path: String, written: String, text: &str) -> Self {
        let text = if text.len() > MAX_BYTES { String::new() } else { conceal::conceal(text) };
        // of two bytes as well; those of one byte are drawn as pictures
        let text = text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "·");
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(starts.map(|(at, _)| at + 1)).collect();
        Self { path, written, text, lines }
    }

    /// The line in which a byte lies, from 0.
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at) - 1
    }

    /// The lines from one byte to another, the first of them from 0, and where it begins.
    fn between(&self, start: usize, end: usize) -> (&str, usize, usize) {
        let first = self.line(start);
        let begin = self.lines[first];
        let after = self.lines.get(self.line(end) + 1).copied().unwrap_or(self.text.len());
        (&self.text[begin..after], first, begin)
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// The most files that one profile may be made of.
const MOST_FILES: usize = 100;

impl Sources {
    /// A profile of one file.
    pub fn new(path: &str, text: &str) -> Self {
        Self { files: vec![SourceFile::new(path.to_owned(), String::new(), text)] }
    }

    /// Adds an included file, or finds it again; none if there are too many.
    pub(crate) fn add(&mut self, written: &str, text: &str) -> Option<FileId> {
        let found = self.files.iter().skip(1).position(|file| file.written == written);
        let at = match found {
            Some(at) => at + 1,
            None if self.files.len() >= MOST_FILES => return None,
            None => {
                let folder = std::path::Path::new(&self.files[0].path).parent();
                let path = folder.unwrap_or(std::path::Path::new("")).join(written);
                let path = path.display().to_string();
                self.files.push(SourceFile::new(path, written.to_owned(), text));
                self.files.len() - 1
            }
        };
        u16::try_from(at).ok().map(FileId)
    }

    /// A file's path as the profile has it.
    pub(crate) fn written(&self, file: FileId) -> &str {
        &self.files[usize::from(file.0)].written
    }

    /// Every file: its path as the profile has it, none for the profile itself, and its text, with stars where a
    /// secret is written out.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|file| (file.written.as_str(), file.text.as_str()))
    }

    /// Replaces what is written at a place by stars.
    pub(crate) fn hide(&mut self, span: Span) {
        let Some(file) = self.files.get_mut(usize::from(span.file.0)) else { return };
        if let Some(written) = file.text.get(span.start..span.end) {
            let mut hidden = String::with_capacity(written.len());
            conceal::stars(written, &mut hidden);
            file.text.replace_range(span.start..span.end, &hidden);
        }
    }

    fn file(&self, file: FileId) -> &SourceFile {
        self.files.get(usize::from(file.0)).unwrap_or(&self.files[0])
    }

    /// A place by path, line and column, both from 1, the column in characters.
    pub fn place(&self, span: Span) -> (&str, usize, usize) {
        let file = self.file(span.file);
        let at = span.start.min(file.text.len());
        let line = file.line(at);
        (&file.path, line + 1, file.text[file.lines[line]..at].chars().count() + 1)
    }
}

/// Texts that must not be seen, and what is shown in their place.
#[derive(Clone, Default)]
pub struct Redactions {
    /// The longest first.
    texts: Vec<(zeroize::Zeroizing<String>, String)>,
    /// Were there more than are kept?
    too_many: bool,
}

impl fmt::Debug for Redactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.texts.iter().map(|(_, shown)| shown)).finish()
    }
}

/// Shorter texts are words of everyday, and hiding them would hide everything.
const SHORTEST: usize = 4;
/// The most texts that are looked for, one by one, in all that is shown.
const MOST_TEXTS: usize = 10_000;
/// The most characters of a message: it may quote what the user wrote.
const LONGEST: usize = 1_000;

impl Redactions {
    /// Hides `text`, and each of its lines if it has several, behind `shown`.
    pub fn add(&mut self, text: &str, shown: &str) {
        let parts = text.lines().map(str::trim).filter(|part| part.len() >= SHORTEST);
        // the armour of a PEM file is no secret
        for part in parts.filter(|part| !part.starts_with("-----")) {
            // what holds another is hidden first
            let place = self.texts.binary_search_by(|(text, _)| {
                part.len().cmp(&text.len()).then((**text).as_str().cmp(part))
            });
            match place {
                Ok(_) => {}
                Err(_) if self.texts.len() >= MOST_TEXTS => return self.too_many = true,
                Err(at) => self.texts.insert(at, (part.to_owned().into(), shown.to_owned())),
            }
        }
    }

    /// The text without what must not be seen.
    pub fn apply(&self, text: &str) -> String {
        if self.too_many {
            return "‹hidden: there are too many secrets to tell them apart›".to_owned();
        }
        let hidden = |text: String, (part, shown): &(zeroize::Zeroizing<String>, String)| {
            if text.contains(part.as_str()) { text.replace(part.as_str(), shown) } else { text }
        };
        self.texts.iter().fold(text.to_owned(), hidden)
    }

    /// The same, no longer than somebody reads, and without what a terminal would obey.
    fn told(&self, text: &str) -> String {
        let text = self.apply(text);
        let shown = |c: char| if obeyed(c) { char::REPLACEMENT_CHARACTER } else { c };
        let mut told: String = text.chars().take(LONGEST).map(shown).collect();
        if text.chars().nth(LONGEST).is_some() {
            told.push('…');
        }
        told
    }
}

/// Does a terminal do something at this character, such as change the direction of what follows?
fn obeyed(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Everything that is wrong with one profile, ready to be shown.
#[derive(Debug)]
pub struct Report {
    sources: Sources,
    problems: Vec<Problem>,
}

impl Report {
    /// The problems of a profile that is made of `sources`, in the order of their places.
    pub fn new(sources: Sources, redactions: &Redactions, problems: Vec<Problem>) -> Self {
        let mut problems: Vec<Problem> = problems
            .into_iter()
            .map(|mut problem| {
                problem.message = redactions.told(&problem.message);
                problem.label = redactions.told(&problem.label);
                problem.help = problem.help.map(|help| redactions.told(&help));
                problem
            })
            .collect();
        problems.sort_by_key(|problem| problem.span);
        Self { sources, problems }
    }

    /// One problem of a file that is no profile.
    pub fn of(path: &str, text: &str, problem: Problem) -> Self {
        Self { sources: Sources::new(path, text), problems: vec![problem] }
    }

    /// The problems.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Is there anything that keeps the profile from being built?
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    /// The report as text; with colours for a terminal.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let drawn: Vec<String> =
            self.problems.iter().map(|problem| self.draw(problem, &renderer)).collect();
        drawn.join("\n\n")
    }

    /// A place without its text.
    fn origin(&self, span: Span) -> Origin<'_> {
        let (path, line, column) = self.sources.place(span);
        Origin::path(path).line(line).char_column(column)
    }

    fn draw(&self, problem: &Problem, renderer: &Renderer) -> String {
        let level = if problem.is_error() { Level::ERROR } else { Level::WARNING };
        let title = level.primary_title(&*problem.message).id(problem.code.as_str());
        let mut primary = Group::with_title(title);
        let marks = problem.span.iter().map(|span| (*span, &*problem.label, true));
        let related = problem.related.iter().map(|(span, label)| (*span, &**label, false));
        let marks: Vec<Mark<'_>> = marks.chain(related).collect();
        let mut files: Vec<FileId> = marks.iter().map(|(span, ..)| span.file).collect();
        files.dedup();
        for file in &files {
            let file = (*file, self.sources.file(*file));
            let here = marks.iter().filter(|(span, ..)| span.file == file.0).copied();
            let here: Vec<Mark<'_>> = here.collect();
            for marks in near(&here) {
                primary = match snippet(file.1, marks) {
                    Some(snippet) => primary.element(snippet),
                    None => primary.element(self.origin(marks[0].0)),
                };
            }
        }
        if files.is_empty() {
            primary = primary.element(Origin::path(&*self.sources.files[0].path));
        }
        let mut groups = vec![primary];
        if let Some(help) = &problem.help {
            groups.push(Group::with_title(Level::HELP.secondary_title(&**help)));
        }
        renderer.render(&groups).clone()
    }
}

/// A place, what is written beside it, and whether the problem is there.
type Mark<'a> = (Span, &'a str, bool);

/// The most text that is drawn at once: all of it is gone through for each problem.
const MOST_DRAWN: usize = 32 << 10;

/// The marks, together if they are near each other, else each alone.
fn near<'m, 'a>(marks: &'m [Mark<'a>]) -> impl Iterator<Item = &'m [Mark<'a>]> {
    let start = marks.iter().map(|(span, ..)| span.start).min().unwrap_or_default();
    let end = marks.iter().map(|(span, ..)| span.end).max().unwrap_or_default();
    let most = if end - start > MOST_DRAWN { 1 } else { marks.len() };
    marks.chunks(most.max(1))
}

/// The lines of a file that hold the marks; none if they are too long to be drawn.
fn snippet<'a>(file: &'a SourceFile, marks: &[Mark<'a>]) -> Option<Snippet<'a, Annotation<'a>>> {
    let length = file.text.len();
    let start = marks.iter().map(|(span, ..)| span.start).min().unwrap_or_default().min(length);
    let end = marks.iter().map(|(span, ..)| span.end).max().unwrap_or_default().min(length);
    let (text, line, begin) = file.between(start, end.max(start));
    if text.len() > MOST_DRAWN {
        return None;
    }
    let snippet = Snippet::source(text).path(&*file.path).line_start(line + 1);
    Some(marks.iter().fold(snippet, |snippet, (span, label, is_primary)| {
        let kind = if *is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let end = span.end.min(length);
        let mark = kind.span(span.start.min(end) - begin..end - begin);
        snippet.annotation(if label.is_empty() { mark } else { mark.label(*label) })
    }))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}
