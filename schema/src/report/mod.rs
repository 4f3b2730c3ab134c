//! Draws problems into the user's own files.

mod conceal;
mod formats;

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

pub use formats::Format;

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
    /// The text, with stars where a secret is written out.
    text: String,
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
        let text = conceal::conceal(text);
        Self { files: vec![SourceFile { path: path.to_owned(), written: String::new(), text }] }
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
                self.files.push(SourceFile {
                    path: path.display().to_string(),
                    written: written.to_owned(),
                    text: conceal::conceal(text),
                });
                self.files.len() - 1
            }
        };
        u16::try_from(at).ok().map(FileId)
    }

    /// A file's path as the profile has it.
    pub(crate) fn written(&self, file: FileId) -> &str {
        &self.files[usize::from(file.0)].written
    }

    /// Replaces what is written at a place by stars.
    pub(crate) fn hide(&mut self, span: Span) {
        let Some(file) = self.files.get_mut(usize::from(span.file.0)) else { return };
        if let Some(written) = file.text.get(span.start..span.end) {
            let hidden: String = written.chars().map(conceal::stars).collect();
            file.text.replace_range(span.start..span.end, &hidden);
        }
    }

    fn file(&self, file: FileId) -> &SourceFile {
        self.files.get(usize::from(file.0)).unwrap_or(&self.files[0])
    }

    /// A place by path, line and column, both from 1, the column in characters.
    pub fn place(&self, span: Span) -> (&str, usize, usize) {
        let file = self.file(span.file);
        let before = &file.text[..span.start.min(file.text.len())];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        (&file.path, line, before[line_start..].chars().count() + 1)
    }
}

/// Texts that must not be seen, and what is shown in their place.
#[derive(Clone, Default)]
pub struct Redactions {
    texts: Vec<(zeroize::Zeroizing<String>, String)>,
}

impl fmt::Debug for Redactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.texts.iter().map(|(_, shown)| shown)).finish()
    }
}

/// Shorter texts are words of everyday, and hiding them would hide everything.
const SHORTEST: usize = 4;

impl Redactions {
    /// Hides `text`, and each of its lines if it has several, behind `shown`.
    pub fn add(&mut self, text: &str, shown: &str) {
        let known = |part: &str| self.texts.iter().any(|(text, _)| text.as_str() == part);
        let parts =
            text.lines().map(str::trim).filter(|part| part.len() >= SHORTEST && !known(part));
        // the armour of a PEM file is no secret
        let parts: Vec<_> = parts.filter(|part| !part.starts_with("-----")).collect();
        self.texts.extend(parts.into_iter().map(|it| (it.to_owned().into(), shown.to_owned())));
        // what holds another is hidden first
        self.texts.sort_by_key(|(part, _)| std::cmp::Reverse(part.len()));
    }

    /// The text without what must not be seen.
    pub fn apply(&self, text: &str) -> String {
        let hidden = |text: String, (part, shown): &(zeroize::Zeroizing<String>, String)| {
            if text.contains(part.as_str()) { text.replace(part.as_str(), shown) } else { text }
        };
        self.texts.iter().fold(text.to_owned(), hidden)
    }
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
                problem.message = redactions.apply(&problem.message);
                problem.label = redactions.apply(&problem.label);
                problem.help = problem.help.map(|help| redactions.apply(&help));
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

    fn draw(&self, problem: &Problem, renderer: &Renderer) -> String {
        let level = if problem.is_error() { Level::ERROR } else { Level::WARNING };
        let title = level.primary_title(&*problem.message).id(problem.code.as_str());
        let mut primary = Group::with_title(title);
        let marks = problem.span.iter().map(|span| (*span, &*problem.label, true));
        let related = problem.related.iter().map(|(span, label)| (*span, &**label, false));
        let marks: Vec<(Span, &str, bool)> = marks.chain(related).collect();
        let mut files: Vec<FileId> = marks.iter().map(|(span, ..)| span.file).collect();
        files.dedup();
        for file in &files {
            let SourceFile { path, text, .. } = self.sources.file(*file);
            let here = marks.iter().filter(|(span, ..)| span.file == *file);
            primary = primary.element(here.fold(
                Snippet::source(&**text).path(&**path),
                |snippet, (span, label, is_primary)| {
                    let kind =
                        if *is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                    let end = span.end.min(text.len());
                    let mark = kind.span(span.start.min(end)..end);
                    snippet.annotation(if label.is_empty() { mark } else { mark.label(*label) })
                },
            ));
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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}
