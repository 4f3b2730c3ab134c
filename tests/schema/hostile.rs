//! Files that would hurt a reader, and files at which readers of YAML go wrong: each is read as it was meant, or
//! refused clearly, quickly, and at a place inside the file.

use std::fmt::Write as _;

use imgbuild_schema::values::Secret;
use imgbuild_schema::{Code, DeviceSpec, Lookup, LookupError, read};

use crate::support::{PROFILE, outcome, resolve};

/// The device and the codes of what is wrong with it, after a look at every place and every form of the report.
fn examined(text: &str) -> (Option<DeviceSpec>, Vec<Code>) {
    let outcome = outcome(text);
    let report = outcome.report(outcome.problems.clone());
    let lines: Vec<&str> = text.split('\n').collect();
    for record in report.records().iter().filter(|record| record.file == "kitchen.yaml") {
        let places = [(record.line, record.column), (record.end_line, record.end_column)];
        for (line, column) in places.into_iter().filter_map(|(line, column)| line.zip(column)) {
            let length = lines.get(line - 1).map(|line| line.chars().count() + 1);
            assert!(length.is_some_and(|it| (1..=it).contains(&column)), "{record:?}");
        }
    }
    assert!(outcome.problems.len() <= 100, "{} are too many to read", outcome.problems.len());
    assert!(report.to_string().len() < 1 << 18, "the report is longer than anybody reads");
    assert_eq!(report.github().lines().count(), report.records().len());
    let codes = outcome.problems.iter().map(|problem| problem.code).collect();
    (outcome.spec, codes)
}

/// The codes of what is wrong with a file that is refused.
fn codes(text: &str) -> Vec<Code> {
    let (spec, codes) = examined(text);
    assert!(spec.is_none(), "{:?} was taken", text.get(..200).unwrap_or(text));
    codes
}

/// The first of them.
fn refused(text: &str) -> Code {
    codes(text)[0]
}

/// Where the first problem is: line and column.
fn place(text: &str) -> (usize, usize) {
    let outcome = outcome(text);
    let report = outcome.report(outcome.problems.clone());
    let record = &report.records()[0];
    (record.line.unwrap(), record.column.unwrap())
}

fn with(right: &str, other: &str) -> String {
    assert!(PROFILE.contains(right), "the profile has no {right:?}");
    PROFILE.replacen(right, other, 1)
}

fn spec(right: &str, other: &str) -> DeviceSpec {
    resolve(&with(right, other)).unwrap_or_else(|report| panic!("{report}"))
}

/// The first network's name.
fn ssid(written: &str) -> String {
    spec("ssid: Greenhouse", &format!("ssid: {written}")).wifi.unwrap().networks[0].ssid.to_string()
}

/// The first network's passphrase.
fn psk(written: &str) -> String {
    let wifi = spec("!secret wifi.greenhouse", written).wifi.unwrap();
    wifi.networks[0].passphrase.as_ref().unwrap().expose().to_owned()
}

// --- too much of something ---

#[test]
fn a_file_that_is_larger_than_any_profile_is_refused() {
    let size = 10_000_000;
    for text in [
        "a".repeat(size),
        (0..500_000).fold(String::new(), |mut text, key| {
            writeln!(text, "key{key}: {key}").unwrap();
            text
        }),
        "- item\n".repeat(size / 7),
        format!("{PROFILE}x-a: \"{}\"\n", "a ".repeat(size / 2)),
        "psk: !a ".repeat(size / 8),
    ] {
        assert_eq!(refused(&text), Code::Syntax);
    }
}

#[test]
fn one_endless_line_key_or_value_is_refused() {
    let long = "pi-".repeat(300_000);
    assert_eq!(refused(&long), Code::WrongType);
    assert_eq!(refused(&with("pi-3", &long)), Code::UnknownChoice);
    assert_eq!(refused(&with("id: greenhouse-01", &format!("id: {long}"))), Code::InvalidValue);
    assert_eq!(refused(&format!("{PROFILE}? {long}\n: a\n")), Code::UnknownKey);
    assert_eq!(refused(&format!("{PROFILE}{long}: a\n")), Code::Syntax);
    assert_eq!(refused(&with("pi-3", &format!("!{long} pi-3"))), Code::UnknownChoice);
    assert_eq!(refused(&format!("{PROFILE}x-a: {}", "psk: !a ".repeat(100_000))), Code::Syntax);
}

#[test]
fn too_many_of_anything_are_refused() {
    let sensors = |sensor: &str| with("sensors:\n", &format!("sensors:\n{}", sensor.repeat(4000)));
    for (text, code) in [
        (format!("{PROFILE}{}", "colour: red\n".repeat(9000)), Code::Duplicate),
        (
            (0..9000).fold(PROFILE.to_owned(), |text, key| text + &format!("key{key}: 1\n")),
            Code::UnknownKey,
        ),
        (sensors("  - {id: a}\n"), Code::Duplicate),
        (sensors("  - {id: a, cpu-temperature: 5}\n"), Code::WrongType),
        (sensors("  - {id: !env NONE}\n"), Code::UnsetVariable),
        (format!("{PROFILE}x-a: [{}]\n", "a, ".repeat(100_000)), Code::Syntax),
        (format!("{PROFILE}{}colour: red\n", "#\n".repeat(400_000)), Code::UnknownKey),
        ("---\n".repeat(200_000), Code::Syntax),
        ("...\n".repeat(200_000), Code::Syntax),
    ] {
        assert!(codes(&text).contains(&code), "{code} of {}", &text[text.len() - 40..]);
    }
}

#[test]
fn what_is_nested_too_deeply_is_refused() {
    let block: String = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    for text in [
        "[".repeat(100_000),
        "{".repeat(100_000),
        "{a: [".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        format!("{}{}", "[".repeat(30), "]".repeat(30)),
        block,
    ] {
        assert_eq!(refused(&text), Code::Syntax);
    }
    assert!(outcome(&"[".repeat(100_000)).problems[0].message.contains("nested too deeply"));
}

#[test]
fn aliases_that_multiply_are_refused() {
    let level = |n: usize, item: &str| {
        format!("x-{n}: &x{n} {}\n", item.replace("PREVIOUS", &format!("*x{}", n - 1)))
    };
    let bomb = |first: &str, item: &str| {
        let levels: String = (1..30).map(|n| level(n, item)).collect();
        format!("x-0: &x0 {first}\n{levels}{PROFILE}")
    };
    let nine = format!("[{}]", ["PREVIOUS"; 9].join(", "));
    for text in [
        bomb("[a]", &nine),
        bomb("{a: b}", "{a: PREVIOUS, b: PREVIOUS}"),
        format!(
            "x-a: &a \"{}\"\n{PROFILE}overlays: [{}]\n",
            "a".repeat(500_000),
            "*a, ".repeat(9000)
        ),
    ] {
        assert_eq!(refused(&text), Code::Syntax);
    }
    // what is merged is there once
    assert!(resolve(&bomb("{a: b}", &format!("{{<<: {nine}}}"))).is_ok());
    // few nodes, each of them wrong in the same place
    let text = format!("x-a: &a {{id: a b}}\n{PROFILE}inputs: [{}]\n", "*a, ".repeat(4000));
    assert_eq!(refused(&text), Code::InvalidValue);
}

/// Finds large files under every name, and a text of its own under every other name.
struct Plenty;

impl Lookup for Plenty {
    fn file(&self, path: &std::path::Path) -> Result<String, LookupError> {
        let path = path.to_str().unwrap();
        match path.rsplit('/').next().unwrap() {
            "twice" => Ok(format!("[!include ./{path}, !include ././{path}]")),
            // a file in a file, each as deep as one may be
            name if name.starts_with("deep") => {
                Ok(format!("{}!include {name}p{}", "[".repeat(22), "]".repeat(22)))
            }
            _ => Ok(format!("a: \"{}\"", "a".repeat(1_000_000))),
        }
    }

    fn secret(&self, name: &str) -> Result<Secret, LookupError> {
        Ok(Secret::new(format!("{name} is secret")))
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn now(&self) -> u64 {
        0
    }
}

#[test]
fn what_is_looked_up_has_an_end_too() {
    for (item, code) in [
        ("!file large", Code::UnreadableFile),
        ("!include large", Code::Syntax),
        ("!include twice", Code::UnreadableFile),
        ("!include deep", Code::Syntax),
    ] {
        let text = format!("overlays: [{}]\n", format!("{item}, ").repeat(9000));
        let outcome = read("kitchen.yaml", &text, &Plenty);
        assert_eq!(outcome.problems[0].code, code, "{item}");
    }
    let names: String = (0..9000).map(|name| format!("!secret name{name}, ")).collect();
    let outcome = read("kitchen.yaml", &format!("{PROFILE}overlays: [{names}]\n"), &Plenty);
    assert!(!outcome.report(outcome.problems.clone()).to_string().contains("is secret"));
}

#[test]
fn a_template_that_grows_is_refused() {
    for template in [
        "{% for a in range(9999) %}{{ sensor.id }}{% endfor %}",
        "{% set a = 'a' %}",
        "{{ device.id | indent(99999999) }}",
        "{{ range(99999) }}",
        "{{ 'a' * 99999999 }}",
    ] {
        let text = with("{{ device.id }}/{{ sensor.id }}", template);
        assert_eq!(refused(&text), Code::BadTemplate, "{template}");
    }
}

// --- anchors, aliases, merge keys, includes ---

#[test]
fn aliases_and_merge_keys_mean_what_they_name() {
    let text = with(
        "  - {id: cpu, cpu-temperature: {}}\n",
        "  - &first {id: cpu, interval: 3s, cpu-temperature: {}}\n  - {<<: *first, id: second}\n",
    );
    let sensors = resolve(&text).unwrap().card.sensors;
    let told: Vec<_> = sensors.iter().map(|it| (it.id.as_str(), it.interval.to_string())).collect();
    assert_eq!(told[1..], [("cpu", "3s".into()), ("second", "3s".into())]);
    let shared = format!("x-room: &room 4s\n{}", with("interval: 2s", "interval: *room"));
    assert_eq!(resolve(&shared).unwrap().card.sensors[0].interval.to_string(), "4s");
}

#[test]
fn a_mistake_behind_an_alias_is_shown_where_it_is_written() {
    let text = format!("x-room: &room 4\n{}", with("interval: 2s", "interval: *room"));
    assert_eq!((refused(&text), place(&text)), (Code::InvalidValue, (1, 15)));
    let text = format!("x-a: &a {{intervall: 4s}}\n{}", with("interval: 2s", "<<: *a"));
    assert_eq!((refused(&text), place(&text)), (Code::UnknownKey, (1, 10)));
}

#[test]
fn loops_end() {
    for (text, code) in [
        ("a: &a [*a]\n", Code::Syntax),
        ("&a a: *a\n", Code::UnknownKey),
        ("a: &a {<<: *a}\n", Code::Syntax),
        ("a: &a {b: &b {c: *a}}\n", Code::Syntax),
        ("a: *b\nb: &b 1\n", Code::Syntax),
        ("a: !include loop.yaml\n", Code::UnreadableFile),
        ("!include loop.yaml\n", Code::UnreadableFile),
        ("a: !include\n", Code::UnreadableFile),
        ("a: !include [b]\n", Code::UnreadableFile),
    ] {
        assert_eq!(refused(text), code, "{text}");
    }
}

#[test]
fn an_unknown_tag_is_refused_wherever_it_stands() {
    for (right, wrong) in [
        ("sensors:", "sensors: !mine"),
        ("cloud:", "cloud: !mine"),
        ("device:", "device: !mine"),
        ("id: greenhouse", "id: !mine greenhouse"),
        ("model: pi-3", "model: !mine pi-3"),
    ] {
        assert_eq!(refused(&with(right, wrong)), Code::UnknownChoice, "{wrong}");
    }
    assert!(resolve(&with("device:", "device: !!map")).is_ok());
    assert!(resolve(&with("id: greenhouse-01", "id: !!str greenhouse-01")).is_ok());
}

// --- the file's own form ---

#[test]
fn lines_may_end_as_on_windows() {
    let text = PROFILE.replace('\n', "\r\n");
    assert_eq!(resolve(&text).unwrap().card, resolve(PROFILE).unwrap().card);
    let wrong = with("timezone:", "timezon:");
    assert_eq!(place(&wrong.replace('\n', "\r\n")), place(&wrong));
    let wrong = with("interval: 2s", "interval: 2");
    assert_eq!(place(&wrong.replace('\n', "\r\n")), place(&wrong));
    codes(&wrong.replace('\n', "\r\n"));
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_text() {
    assert!(resolve(&format!("\u{feff}{PROFILE}")).is_ok());
    let wrong = with("timezone:", "timezon:");
    assert_eq!(place(&format!("\u{feff}{wrong}")), place(&wrong));
    // what is marked is what is meant, also in the first line
    let outcome = outcome("\u{feff}colour: red\n");
    let report = outcome.report(outcome.problems.clone()).to_string();
    assert!(report.contains("colour: red"), "{report}");
    codes("\u{feff}");
    codes("\u{feff}colour: [");
}

#[test]
fn what_is_no_text_is_refused() {
    assert_eq!(refused("version: 1\n\0\n"), Code::Syntax);
    assert_eq!(place("version: 1\n\0\n"), (2, 1));
    for text in [
        "v\0e\0r\0s\0i\0o\0n\0",
        "\u{1}",
        "version: \u{7}1",
        "a: b\u{1b}[31mc",
        "\u{fffe}: 1",
        "a: \u{ffff}",
    ] {
        refused(text);
    }
}

#[test]
fn tabs_are_refused_where_they_would_indent() {
    let text = with("  id: green", "\tid: green");
    assert_eq!(refused(&text), Code::Syntax);
    assert!(resolve(&with("model: pi-3", "model:\tpi-3\t# tabs")).is_ok());
}

#[test]
fn one_file_is_one_document() {
    assert_eq!(refused(&format!("{PROFILE}---\n{PROFILE}")), Code::Syntax);
    assert_eq!(refused("---\n---\n"), Code::Syntax);
    assert!(resolve(&format!("%YAML 1.2\n---\n{PROFILE}...\n")).is_ok());
    for text in ["", "\n\n", "# nothing\n", "---\n", "...\n", "%YAML 1.2\n", "~", "a", "[]", "{}"] {
        refused(text);
    }
}

#[test]
fn a_tag_may_have_another_name() {
    let text = format!("%TAG !y! tag:yaml.org,2002:\n---\n{}", with("pi-3", "!y!str pi-3"));
    assert!(resolve(&text).is_ok());
    // what is written decides, not what it stands for
    let text = format!("%TAG ! tag:example.org,2000:\n---\n{PROFILE}");
    assert!(examined(&text).0.is_some());
}

#[test]
fn a_key_is_there_once() {
    for (right, wrong) in [
        ("version: 1\n", "version: 1\nversion: 1\n"),
        ("{id: cpu,", "{id: cpu, id: cpu,"),
        ("{id: cpu,", "{id: cpu, \"id\": cpu,"),
        ("version: 1\n", "x-a: 1\nx-a: 2\nversion: 1\n"),
    ] {
        assert_eq!(refused(&with(right, wrong)), Code::Duplicate, "{wrong}");
    }
}

#[test]
fn keys_that_nobody_knows_are_told_as_they_are() {
    for key in [
        "größe",
        "\"\"",
        "\"a b\"",
        "null",
        "1",
        "true",
        "😀",
        "\"\\u2028\"",
        "\"\\0\"",
        "\"\\e[31m\"",
    ] {
        let text = format!("{PROFILE}{key}: 1\n");
        assert_eq!(refused(&text), Code::UnknownKey, "{key}");
        assert_eq!(place(&text), (PROFILE.lines().count() + 1, 1), "{key}");
    }
    for key in ["[a]", "{a: b}", "? [a]\n"] {
        assert_eq!(refused(&format!("{PROFILE}{key}: 1\n")), Code::Syntax, "{key}");
    }
    assert!(resolve(&format!("{PROFILE}x-größe: {{a: [1]}}\nx-: 1\n")).is_ok());
}

#[test]
fn no_control_character_reaches_a_terminal() {
    for text in [
        format!("{PROFILE}\"\\e[31m\\x07\": 1\n"),
        with("pi-3", "\"\\e]0;title\\a\""),
        with("id: greenhouse-01", "id: \"a\\u202eb\""),
        format!("{PROFILE}x: \u{9b}31m\n"),
    ] {
        let report = resolve(&text).unwrap_err();
        let odd = report.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(odd, None, "{report:?}");
        assert!(!report.contains('\u{202e}'), "{report:?}");
    }
}

// --- scalars ---

#[test]
fn a_country_is_never_a_truth_value() {
    for written in ["NO", "\"NO\"", "'NO'", "!!str NO"] {
        let wifi = spec("country: NL", &format!("country: {written}")).wifi.unwrap();
        assert_eq!(wifi.country.as_str(), "NO");
    }
}

#[test]
fn a_text_is_what_was_written() {
    for (written, meant) in [
        ("0123", "0123"),
        ("0o17", "0o17"),
        ("1e3", "1e3"),
        ("1_000", "1_000"),
        ("true", "true"),
        ("no", "no"),
        (".inf", ".inf"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("\"null\"", "null"),
        ("'~'", "~"),
        ("'it''s'", "it's"),
        ("\"a\\tb\"", "a\tb"),
        ("\"\\u00fc\"", "ü"),
        ("\"\\U0001F600\"", "😀"),
        // as JSON has it
        ("\"\\ud83d\\ude00\"", "😀"),
        ("\"a\\u2028b\"", "a\u{2028}b"),
        ("\" a \"", " a "),
        ("a#b", "a#b"),
        ("'a # b'", "a # b"),
        ("\"a\\\n        b\"", "ab"),
        ("\"a\n        b\"", "a b"),
        ("a\n        b", "a b"),
    ] {
        assert_eq!(ssid(written), meant, "{written}");
    }
    for (written, meant) in
        [("01234567", "01234567"), ("12345678e10", "12345678e10"), ("!!str 12345678", "12345678")]
    {
        assert_eq!(psk(written), meant);
    }
}

#[test]
fn nothing_is_not_a_text() {
    for written in ["null", "~", "", "Null"] {
        assert_eq!(
            refused(&with("ssid: Greenhouse", &format!("ssid: {written}"))),
            Code::WrongType
        );
    }
    assert_eq!(refused(&with("ssid: Greenhouse", "ssid: ''")), Code::InvalidValue);
}

#[test]
fn a_text_may_go_over_lines() {
    let networks = |scalar: &str| {
        with(
            "      - {ssid: Greenhouse, psk: !secret wifi.greenhouse}\n",
            &format!("      - ssid: {scalar}        psk: !secret wifi.greenhouse\n"),
        )
    };
    for (scalar, meant) in [
        ("|-\n          a\n          b\n", "a\nb"),
        ("|\n          a\n", "a\n"),
        (">-\n          a\n          b\n", "a b"),
        ("|2-\n            a\n", "  a"),
        (">+\n          a\n\n", "a\n\n"),
    ] {
        let spec =
            resolve(&networks(scalar)).unwrap_or_else(|report| panic!("{scalar:?} {report}"));
        assert_eq!(spec.wifi.unwrap().networks[0].ssid.as_str(), meant, "{scalar:?}");
    }
}

#[test]
fn numbers_are_numbers_and_nothing_else() {
    for (written, code) in [
        ("1.0", Code::WrongType),
        ("1e0", Code::WrongType),
        ("'1'", Code::WrongType),
        ("2", Code::UnknownVersion),
        ("0x1_0", Code::WrongType),
        ("-1", Code::InvalidValue),
        ("99999999999999999999", Code::InvalidValue),
        ("999999999999999999999999999999999999999999999", Code::WrongType),
        (".nan", Code::WrongType),
        ("", Code::WrongType),
    ] {
        assert_eq!(refused(&with("version: 1", &format!("version: {written}"))), code, "{written}");
    }
    for written in ["0x1", "0o1", "+1", "01"] {
        assert!(resolve(&with("version: 1", &format!("version: {written}"))).is_ok(), "{written}");
    }
}

#[test]
fn escapes_of_half_a_character_are_refused() {
    for written in ["\"\\ud83d\"", "\"\\uZZZZ\"", "\"\\U99999999\"", "\"\\q\"", "\"open"] {
        assert_eq!(
            refused(&with("ssid: Greenhouse", &format!("ssid: {written}"))),
            Code::Syntax,
            "{written}"
        );
    }
}

#[test]
fn a_scientific_number_is_no_id_by_accident() {
    let spec = spec("id: greenhouse-01", "id: 1e3");
    assert_eq!((spec.card.device.id.as_str(), spec.hostname.as_str()), ("1e3", "1e3"));
}

// --- found by the fuzzer ---

#[test]
fn a_mistake_in_a_template_lies_between_characters() {
    for template in ["{{ é }}", "{{ device.id ü }}", "{{ 😀", "{{ sensor\u{fffd}id }}"] {
        let text = with("{{ device.id }}/{{ sensor.id }}", template);
        assert_eq!(refused(&text), Code::BadTemplate, "{template}");
        let span = outcome(&text).problems[0].span.unwrap();
        assert!(text.get(span.start..span.end).is_some(), "{span:?} of {template}");
    }
}

#[test]
fn a_part_of_a_secret_is_not_quoted() {
    for (right, key) in [("interval: 5s", "interval"), ("address: 192.168.1.20/24", "address")] {
        let text = with(right, &format!("{key}: !secret 1/2abc"));
        let outcome = read("kitchen.yaml", &text, &Plenty);
        let report = outcome.report(outcome.problems.clone()).to_string();
        assert!(report.contains("‹secret 1/2abc›") && !report.contains("is secret"), "{report}");
    }
}
