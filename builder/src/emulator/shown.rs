//! The lines that a console has shown, made of the bytes that came.

use std::time::Duration;

use super::ansi;

/// One line of a console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was seen, counted from power-on.
    pub at: Duration,
    /// What it says, without colours and control characters.
    pub text: String,
}

/// All that was shown so far.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) lines: Vec<Line>,
    /// What came after the last line's end: a prompt stays here.
    pending: Vec<u8>,
    /// When something was last added.
    at: Duration,
    /// Nothing will come any more.
    pub(super) over: bool,
}

impl Shown {
    pub(super) fn add(&mut self, bytes: &[u8], at: Duration) {
        self.pending.extend_from_slice(bytes);
        // a carriage return ends a line too: systemd draws its waiting line anew with it
        while let Some(end) = self.pending.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            let text = plain(&line);
            if !text.is_empty() {
                self.lines.push(Line { at, text });
            }
        }
        self.at = at;
    }

    /// The first line from number `next` on that holds one of `patterns`; `next` moves past what was
    /// searched.
    pub(super) fn find(&self, next: &mut usize, patterns: &[&str]) -> Option<Line> {
        let wanted = |line: &Line| patterns.iter().any(|pattern| line.text.contains(pattern));
        let found = self.lines.iter().skip(*next).find(|line| wanted(line)).cloned();
        *next = self.lines.len().max(*next);
        found.or_else(|| self.prompt().filter(wanted))
    }

    /// The line that has no end yet.
    pub(super) fn prompt(&self) -> Option<Line> {
        let text = plain(&self.pending);
        (!text.is_empty()).then_some(Line { at: self.at, text })
    }

    pub(super) fn last(&self, count: usize) -> Vec<String> {
        let mut last: Vec<String> =
            self.lines.iter().rev().take(count).rev().map(|line| line.text.clone()).collect();
        last.extend(self.prompt().map(|line| line.text));
        last
    }
}

fn plain(bytes: &[u8]) -> String {
    ansi::strip(&String::from_utf8_lossy(bytes)).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(shown: &Shown) -> Vec<&str> {
        shown.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn a_line_counts_when_it_ends_however_it_comes() {
        let mut shown = Shown::default();
        for (second, piece) in
            (1..).zip(["Welc", "ome\r\n\r\n\x1b[0;3", "2mfine\x1b[0m\rdrawn anew\n"])
        {
            shown.add(piece.as_bytes(), Duration::from_secs(second));
        }
        assert_eq!(texts(&shown), ["Welcome", "fine", "drawn anew"]);
        assert_eq!(shown.lines[0].at, Duration::from_secs(2));
        assert_eq!(shown.prompt(), None);
    }

    #[test]
    fn a_letter_cut_in_two_is_whole_again() {
        let mut shown = Shown::default();
        let bytes = "23 °C\n".as_bytes();
        shown.add(&bytes[..4], Duration::ZERO);
        shown.add(&bytes[4..], Duration::ZERO);
        assert_eq!(texts(&shown), ["23 °C"]);
    }

    #[test]
    fn the_last_lines_end_with_the_prompt() {
        let mut shown = Shown::default();
        shown.add(b"one\ntwo\nthree\ntrial login: ", Duration::ZERO);
        assert_eq!(shown.last(2), ["two", "three", "trial login:"]);
        let mut next = 0;
        assert_eq!(shown.find(&mut next, &["login:"]).unwrap().text, "trial login:");
        assert_eq!((shown.find(&mut next, &["one"]), next), (None, 3));
    }
}
