//! Edits of the firmware's two files that leave alone what they do not mean.

/// `config.txt` with every line of `wanted` in force for all boards.
///
/// A line that is there already stays; one that is there as a comment is uncommented; else it goes to
/// the end, below `[all]` if the file ends inside a section for some board.
pub(super) fn config_txt(text: &str, wanted: &[&str]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for wanted in wanted {
        let for_all = for_all_boards(&lines);
        let find = |shape: &str| {
            (0..lines.len()).find(|line| for_all[*line] && lines[*line].trim() == shape)
        };
        if find(wanted).is_some() {
            continue;
        }
        if let Some(line) = find(&format!("#{wanted}")) {
            (*wanted).clone_into(&mut lines[line]);
            continue;
        }
        if for_all.last() == Some(&false) {
            lines.push("[all]".to_owned());
        }
        lines.push((*wanted).to_owned());
    }
    let mut edited = lines.join("\n");
    if text.ends_with('\n') || !wanted.is_empty() {
        edited.push('\n');
    }
    edited
}

/// Which lines hold for every board: those before the first section, and those of `[all]`.
fn for_all_boards(lines: &[String]) -> Vec<bool> {
    let mut for_all = true;
    lines
        .iter()
        .map(|line| {
            if let Some(section) = line.trim().strip_prefix('[') {
                for_all = section.starts_with("all]");
            }
            for_all
        })
        .collect()
}

/// The kernel's command line with every word of `wanted` and none of `without`. A word `key=value` takes the place
/// of others of that key. One line, without a newline at its end, which the firmware would pass on.
pub(super) fn cmdline(text: &str, wanted: &[&str], without: &[&str]) -> String {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if wanted.is_empty() && !words.iter().any(|word| without.contains(word)) {
        return text.to_owned();
    }
    words.retain(|word| !without.contains(word));
    for wanted in wanted {
        let key = wanted.split_once('=').map(|(key, _)| key);
        words.retain(|word| match key {
            Some(key) => word.split_once('=').is_none_or(|(other, _)| other != key),
            None => word != wanted,
        });
        words.push(wanted);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_in_force_once_and_for_all_boards() {
        let wanted = ["dtparam=i2c_arm=on"];
        for (before, after) in [
            ("a=1\n", "a=1\ndtparam=i2c_arm=on\n"),
            ("a=1", "a=1\ndtparam=i2c_arm=on\n"),
            ("#dtparam=i2c_arm=on\na=1\n", "dtparam=i2c_arm=on\na=1\n"),
            ("dtparam=i2c_arm=on\n", "dtparam=i2c_arm=on\n"),
            (
                "[pi5]\ndtparam=i2c_arm=on\n",
                "[pi5]\ndtparam=i2c_arm=on\n[all]\ndtparam=i2c_arm=on\n",
            ),
            ("[pi4]\nb=2\n[all]\n", "[pi4]\nb=2\n[all]\ndtparam=i2c_arm=on\n"),
            ("", "dtparam=i2c_arm=on\n"),
        ] {
            assert_eq!(config_txt(before, &wanted), after, "{before:?}");
            assert_eq!(config_txt(after, &wanted), after, "twice is once");
        }
        assert_eq!(config_txt("a=1", &[]), "a=1");
    }

    #[test]
    fn a_word_replaces_others_of_its_key_and_the_line_stays_one() {
        let line = "root=PARTUUID=1-02 cfg80211.ieee80211_regdom=DE rootwait\n";
        assert_eq!(
            cmdline(line, &["cfg80211.ieee80211_regdom=NL"], &[]),
            "root=PARTUUID=1-02 rootwait cfg80211.ieee80211_regdom=NL"
        );
        assert_eq!(cmdline("a quiet", &["quiet"], &[]), "a quiet");
        assert_eq!(cmdline("a\n", &[], &["resize"]), "a\n");
        assert_eq!(cmdline("a resize resized\n", &[], &["resize"]), "a resized");
    }
}
