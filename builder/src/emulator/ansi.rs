//! Escape sequences of terminals, taken out of what a console shows.

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';

/// `text` without escape sequences and control characters.
pub(super) fn strip(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            ESCAPE => skip_sequence(&mut rest),
            '\t' => plain.push(' '),
            character if character.is_control() => {}
            character => plain.push(character),
        }
    }
    plain
}

fn skip_sequence(rest: &mut impl Iterator<Item = char>) {
    match rest.next() {
        // control sequence: parameters, then one letter
        Some('[') => {
            rest.find(|character| ('@'..='~').contains(character));
        }
        // a command to the terminal, such as its title or systemd's context marks
        Some(']' | 'P' | '^' | '_') => skip_command(rest),
        // choice of a character set: one more character
        Some('(' | ')' | '#' | '%') => {
            rest.next();
        }
        _ => {}
    }
}

fn skip_command(rest: &mut impl Iterator<Item = char>) {
    while let Some(character) = rest.next() {
        match character {
            BELL => return,
            ESCAPE => {
                rest.next();
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn colours_titles_and_cursor_moves_go() {
        assert_eq!(
            strip("[\u{1b}[0;32m  OK  \u{1b}[0m] Reached target"),
            "[  OK  ] Reached target"
        );
        assert_eq!(strip("\u{1b}]0;pi@trial\u{7}$ \u{1b}[?2004hls"), "$ ls");
        assert_eq!(strip("\u{1b}]3008;start=1\u{1b}\\login:"), "login:");
        assert_eq!(strip("\u{1b}(Bplain\u{1b}c"), "plain");
    }

    #[test]
    fn a_sequence_cut_short_is_no_harm() {
        assert_eq!(strip("a\u{1b}"), "a");
        assert_eq!(strip("a\u{1b}[0;3"), "a");
        assert_eq!(strip("a\u{1b}]0;title"), "a");
    }
}
