//! Reports for programs.

use serde::Serialize;

use super::Report;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// An object a problem, all in one list.
    Json,
    /// Commands that GitHub shows beside the changed lines.
    Github,
}

/// A problem as programs get it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record<'a> {
    /// The file.
    pub file: &'a str,
    /// The line, from 1; none if it is about the file as a whole.
    pub line: Option<usize>,
    /// The column, from 1, in characters.
    pub column: Option<usize>,
    /// The line in which the marked place ends.
    pub end_line: Option<usize>,
    /// The column after its last character.
    pub end_column: Option<usize>,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The code, such as `P002`.
    pub code: &'static str,
    /// What is wrong.
    pub message: &'a str,
    /// What is written beside the marked place.
    pub label: &'a str,
    /// What to do about it.
    pub help: Option<&'a str>,
}

impl Report {
    /// The problems for programs.
    pub fn records(&self) -> Vec<Record<'_>> {
        let record = |problem| self.record(problem);
        self.problems.iter().map(record).collect()
    }

    fn record<'a>(&'a self, problem: &'a crate::Problem) -> Record<'a> {
        let start = problem.span.map(|span| self.sources.place(span));
        let end = problem.span.map(|span| {
            self.sources.place(crate::Span { start: span.end.max(span.start), ..span })
        });
        Record {
            file: start.map_or(&*self.sources.files[0].path, |(path, ..)| path),
            line: start.map(|(_, line, _)| line),
            column: start.map(|(.., column)| column),
            end_line: end.map(|(_, line, _)| line),
            end_column: end.map(|(.., column)| column),
            severity: if problem.is_error() { "error" } else { "warning" },
            code: problem.code.as_str(),
            message: &problem.message,
            label: &problem.label,
            help: problem.help.as_deref(),
        }
    }

    /// The problems as GitHub's workflow commands, a line each.
    pub fn github(&self) -> String {
        self.records().iter().map(|record| command(record) + "\n").collect()
    }
}

/// `::error file=…,line=…,col=…,title=…::message`, with what ends a property or a line escaped.
fn command(record: &Record<'_>) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut properties = vec![format!("file={}", property(record.file))];
    let number = |name: &str, number: Option<usize>| number.map(|it| format!("{name}={it}"));
    properties.extend(number("line", record.line));
    properties.extend(number("endLine", record.end_line));
    properties.extend(number("col", record.column));
    properties.extend(number("endColumn", record.end_column));
    properties.push(format!("title={}", property(record.code)));
    let help = record.help.map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    let message = data(&format!("{}{help}", record.message));
    format!("::{} {}::{message}", record.severity, properties.join(","))
}
