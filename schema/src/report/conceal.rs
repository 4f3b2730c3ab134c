//! Hides the secrets that are written out in a profile.

/// The keys whose values are not shown, wherever they stand.
const SECRET_KEYS: [&str; 6] =
    ["psk", "password", "private_key", "key", "group_key", "service_account"];

/// The source with every secret that is written out in it replaced by stars, byte for byte, so that
/// positions stay right. What is looked up (`!secret …`) is not in the source.
///
/// It errs on the safe side: the source may not be YAML at all.
pub(super) fn conceal(source: &str) -> String {
    let mut concealed = String::with_capacity(source.len());
    // the indentation of the key whose value goes on in the lines below, and whether a key is being shown
    let mut block: Option<usize> = None;
    let mut armoured = false;
    for line in source.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if block.is_some_and(|parent| indent <= parent && !line.trim().is_empty()) {
            block = None;
        }
        armoured |= line.contains("-----BEGIN ");
        if block.is_some() || armoured {
            armoured &= !line.contains("-----END ");
            stars(line, &mut concealed);
            continue;
        }
        // most lines have nothing to hide, and files may have a million of them
        if !line.as_bytes().contains(&b':') {
            concealed.push_str(line);
            continue;
        }
        let (text, goes_on) = conceal_line(line);
        if goes_on {
            block = Some(indent);
        }
        concealed += &text;
    }
    concealed
}

/// As many stars as each character has bytes; white space stays.
pub(super) fn stars(text: &str, into: &mut String) {
    for c in text.chars() {
        if c.is_whitespace() { into.push(c) } else { into.push_str(&"****"[..c.len_utf8()]) }
    }
}

/// A line without its secrets, and whether the last of them goes on below.
fn conceal_line(line: &str) -> (String, bool) {
    let mut text = line.to_owned();
    let mut goes_on = false;
    // found once: a line may be as long as a file, with a secret every few bytes
    let bracket = line.find(['{', '[']).unwrap_or(line.len());
    let length = line.trim_end().len();
    for key in SECRET_KEYS {
        let mut from = 0;
        while let Some(found) = text[from..].find(key) {
            let start = from + found;
            from = start + key.len();
            let inside_word =
                text[..start].ends_with(|c: char| c.is_alphanumeric() || "_-".contains(c));
            let after = text[from..].trim_start_matches(['"', '\'', ' ']);
            let Some(value) = after.strip_prefix(':').map(str::trim_start).filter(|_| !inside_word)
            else {
                continue;
            };
            let at = text.len() - value.len();
            let in_flow = bracket < start;
            // what a tag of ours is about is a name; `!!str` is YAML's own, and what it is about is the text
            let looked_up =
                value.starts_with('*') || (value.starts_with('!') && !value.starts_with("!!"));
            goes_on |= value.is_empty() || (!in_flow && !looked_up);
            if !looked_up {
                let end = at + value_length(&value[..length.saturating_sub(at)], in_flow);
                let mut hidden = String::with_capacity(end - at);
                stars(&text[at..end], &mut hidden);
                text.replace_range(at..end, &hidden);
            }
        }
    }
    (text, goes_on)
}

/// How far the value goes that `text`, the rest of a line, begins with: to the end, or, inside braces, to what ends it
/// there. A quoted one may hold what would.
fn value_length(text: &str, in_flow: bool) -> usize {
    if !in_flow {
        return text.len();
    }
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if matches!(c, ',' | '}' | ']') => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_are_written_out_are_not_shown() {
        for (source, shown) in [
            ("psk: hunter22\n", "psk: ********\n"),
            ("psk : hunter22\n", "psk : ********\n"),
            ("psk: !!str hunter22\n", "psk: ***** ********\n"),
            (
                "- {ssid: a, psk: hunter22, hidden: true}\n",
                "- {ssid: a, psk: ********, hidden: true}\n",
            ),
            ("- {psk: \"a\\\", b\", ssid: c}\n", "- {psk: ***** **, ssid: c}\n"),
            ("- {psk: 'a'', b', ssid: c}\n", "- {psk: ***** **, ssid: c}\n"),
            ("password: abc,d}f # mine\n", "password: ******* * ****\n"),
            ("password: pässwörd\n", "password: **********\n"),
            ("psk: !secret wifi\nnext: 1\n", "psk: !secret wifi\nnext: 1\n"),
            ("psk:\n  hunter22\nnext: 1\n", "psk:\n  ********\nnext: 1\n"),
            ("psk: \"hun\n  ter\"\nnext: 1\n", "psk: ****\n  ****\nnext: 1\n"),
            (
                "private_key: |\n  löne\n  two\nnext: 1\n",
                "private_key: *\n  *****\n  ***\nnext: 1\n",
            ),
            (
                "ssh_keys: [\"-----BEGIN KEY-----\"]\nb: 1\n-----END KEY-----\nc: 1\n",
                "********* ************ **********\n** *\n******** ********\nc: 1\n",
            ),
            ("wpapsk: shown\n", "wpapsk: shown\n"),
            ("ssid: psk\n", "ssid: psk\n"),
        ] {
            assert_eq!(conceal(source), shown);
            assert_eq!(shown.len(), source.len(), "positions stay right");
        }
    }
}
