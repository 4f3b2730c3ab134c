//! A profile's text: one entry a line, so that what is said about a line is said about one answer.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// A YAML document that is written from top to bottom.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    /// The keys of the maps that are being written, the outermost first; `-` is an item of a list.
    open: Vec<String>,
    /// Is the item that was opened last still empty?
    begun: bool,
    /// The path of each line, empty for a comment.
    paths: Vec<String>,
}

impl Page {
    /// A comment on a line of its own.
    pub(super) fn comment(&mut self, text: &str) {
        self.put(String::new(), &format!("# {text}"));
    }

    /// A value, which is YAML already, at the end of a path of keys such as `network.wifi.country`. The
    /// maps on the way are begun where they are not open yet; entries of one map follow each other.
    pub(super) fn entry(&mut self, path: &str, value: &str) {
        let keys: Vec<&str> = path.split('.').collect();
        let (last, parents) = keys.split_last().expect("a text that is split has a part");
        let shared = parents.iter().zip(&self.open).take_while(|(a, b)| *a == *b).count();
        self.open.truncate(shared);
        for depth in shared..parents.len() {
            let key = parents[depth];
            if key == "-" {
                self.begun = true;
            } else {
                self.put_at_depth(parents[..=depth].join("."), &format!("{key}:"));
            }
            self.open.push(key.to_owned());
        }
        self.put_at_depth(path.to_owned(), &format!("{last}: {value}"));
    }

    /// The next entry begins another item of the list.
    pub(super) fn end_item(&mut self) {
        if let Some(at) = self.open.iter().rposition(|key| key == "-") {
            self.open.truncate(at);
        }
    }

    fn put_at_depth(&mut self, path: String, line: &str) {
        let indent = 2 * self.open.len();
        let lead = if std::mem::take(&mut self.begun) {
            format!("{}- ", " ".repeat(indent - 2))
        } else {
            " ".repeat(indent)
        };
        self.put(path, &format!("{lead}{line}"));
    }

    fn put(&mut self, path: String, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.paths.push(path);
    }

    /// The text, and the path of each of its lines.
    pub(super) fn into_parts(self) -> (String, Vec<String>) {
        (self.text, self.paths)
    }
}

/// A text as a YAML scalar: bare where every reader takes it for that very text, else in double quotes.
pub(super) fn quoted(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted += "\\n",
            '\r' => quoted += "\\r",
            '\t' => quoted += "\\t",
            c if is_seen(c) => quoted.push(c),
            c => {
                let number = u32::from(c);
                let written = if number > 0xffff {
                    write!(quoted, "\\U{number:08x}")
                } else {
                    write!(quoted, "\\u{number:04x}")
                };
                written.expect("a text takes what is written into it");
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Can this be read where it stands? Not so what breaks lines, joins or turns what is around it.
fn is_seen(c: char) -> bool {
    let hidden = c.is_control()
        || matches!(c, '\u{a0}' | '\u{ad}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2069}' | '\u{fff9}'..='\u{ffff}');
    !hidden && u32::from(c) & 0xfffe != 0xfffe
}

/// Narrower than YAML 1.2, section 7.3.3: what YAML 1.1 or an editor may take for something else is not plain.
fn is_plain(text: &str) -> bool {
    let begins = |c: char| c.is_alphanumeric() || "_/.".contains(c);
    let goes_on = |c: char| c.is_alphanumeric() || "_/.-+@=~".contains(c);
    let chars: Vec<char> = text.chars().collect();
    let joins = |at: usize| chars.get(at + 1).is_some_and(|next| goes_on(*next));
    let plain = |(at, c): (usize, &char)| goes_on(*c) || (" :".contains(*c) && joins(at));
    chars.first().is_some_and(|c| begins(*c) || text.starts_with("~/"))
        && chars.iter().enumerate().all(plain)
        && chars.iter().all(|c| is_seen(*c))
        && !is_word(text)
        && !is_number(text)
}

/// The words of YAML 1.1 and 1.2 that mean a truth value, nothing, or no number.
fn is_word(text: &str) -> bool {
    let words =
        ["true", "false", "yes", "no", "on", "off", "y", "n", "null", ".inf", ".nan", "...", "---"];
    words.contains(&text.to_ascii_lowercase().as_str())
}

/// What may be read as a number, a time or a date.
fn is_number(text: &str) -> bool {
    let digits = |c: char| c.is_ascii_digit() || "_:.-+ tTzZ".contains(c);
    let based = ["0x", "0o", "0b"].iter().any(|base| text.starts_with(base));
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let counted = begins && text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(digits);
    (based || counted || text.parse::<f64>().is_ok()) && text.parse::<Ipv4Addr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_and_lists_are_written_in_blocks() {
        let mut page = Page::default();
        page.comment("a device");
        page.entry("device.id", "a");
        page.entry("device.model", "pi-3");
        page.entry("network.wifi.networks.-.ssid", "b");
        page.entry("network.wifi.networks.-.psk", "c");
        for sensor in ["d", "e"] {
            page.entry("sensors.-.id", sensor);
            page.entry("sensors.-.cpu-temperature", "{}");
            page.end_item();
        }
        let (text, paths) = page.into_parts();
        let wanted = "# a device\ndevice:\n  id: a\n  model: pi-3\nnetwork:\n  wifi:\n    networks:\n      - ssid: b\n        psk: c\nsensors:\n  - id: d\n    cpu-temperature: {}\n  - id: e\n    cpu-temperature: {}\n";
        assert_eq!(text, wanted);
        assert_eq!(text.lines().count(), paths.len());
        assert_eq!(paths[7], "network.wifi.networks.-.ssid");
    }

    /// Judged by another reader of YAML than the profile's own.
    #[test]
    fn every_text_is_read_back_as_it_was() {
        let texts = [
            "Greenhouse",
            "Green house",
            "Bär",
            "",
            " ",
            " a",
            "a ",
            "a: b",
            "a:b",
            "a:",
            "a #b",
            "#a",
            "!a",
            "&a",
            "*a",
            "-",
            "- a",
            "-a",
            "?",
            "? a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "\"",
            "'",
            "a'b",
            "\\",
            "\\n",
            "a\nb",
            "\t",
            "\r\n",
            "{{ a }}",
            "{a}",
            "[a]",
            "a, b",
            "~",
            "~/a",
            "null",
            "Null",
            "NO",
            "yes",
            "on",
            "0123",
            "1e3",
            "0x1f",
            "0o7",
            "1_000",
            ".5",
            ".inf",
            "12:30:45",
            "2026-11-21",
            "10.0.0.1",
            "...",
            "---",
            "--- a",
            "=",
            "<<",
            "🌱 garden",
            "\u{feff}a",
            "a\u{2028}b",
            "\u{85}",
            "\u{0}",
            "\u{7f}",
            "a\u{202e}b",
            "\u{fffe}",
            "\u{10ffff}",
            "infinity",
        ];
        for text in texts {
            let page = format!("key: {}\n", quoted(text));
            let read: std::collections::BTreeMap<String, String> =
                imgbuild_schema::yaml::parse(&page)
                    .unwrap_or_else(|error| panic!("{page}: {error}"));
            assert_eq!(read["key"], text, "{page}");
            let secrets = imgbuild_schema::secrets::parse(&page).unwrap();
            assert_eq!(secrets["key"].expose(), text, "{page}");
        }
    }

    #[test]
    fn only_what_needs_quotes_has_them() {
        for text in
            ["Greenhouse", "Green house", "Bär", "certs/a.pem", "~/.ssh/id.pub", "10.0.0.1", "a:b"]
        {
            assert_eq!(quoted(text), text);
        }
        for text in ["NO", "0123", "1e3", "a: b", "~", "2026-11-21", "!a", "a\u{202e}b", ""] {
            assert!(quoted(text).starts_with('"'), "{text}");
        }
    }
}
