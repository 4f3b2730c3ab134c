//! Feeds the profile's reader with profiles that were damaged at random, and stops at the first that it does not
//! take well.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use imgbuild_schema::values::Secret;
use imgbuild_schema::{
    CardProfile, FileId, Lookup, LookupError, Outcome, Span, read, schema, yaml,
};

use crate::random::Random;

/// The longest that reading and reporting may take, of a processor's time: the machine may be busy with other things.
const LONGEST: Duration = Duration::from_secs(1);
/// The most bytes of an input; larger ones are refused unread.
const MOST_BYTES: usize = 300_000;
/// A part of every secret, which must not be in what is printed.
const CANARY: &str = "canary7f3a";

#[test]
fn damaged_profiles_are_taken_well() {
    let material = Material::gather();
    let mut random = Random::new(1);
    for run in 0..1000 {
        let input = material.damaged(&mut random);
        if let Err(finding) = examine(&input) {
            panic!("run {run}: {finding}: {input}");
        }
    }
}

#[test]
fn no_value_quotes_a_part_of_a_secret() {
    for profile in &Material::gather().profiles {
        for (at, _) in profile.match_indices(": ") {
            let end = |c: char| ",}]\n".contains(c);
            let start = at + 2;
            let written = profile[start..].find(end).unwrap_or(profile.len() - start);
            // each length is another form
            for length in 1..9 {
                let name = format!("!secret {}", "a".repeat(length));
                let input = profile[..start].to_owned() + &name + &profile[start + written..];
                if let Err(finding) = examine(&input) {
                    panic!("{finding}: {input}");
                }
            }
        }
    }
}

/// The long form, which `cargo xtask fuzz` starts: for `IMGBUILD_FUZZ_SECONDS`, from `IMGBUILD_FUZZ_SEED`, with
/// what was found in `IMGBUILD_FUZZ_FOLDER`.
#[test]
#[ignore = "started by `cargo xtask fuzz`"]
fn damaged_profiles_are_taken_well_for_long() {
    let number = |name: &str| env::var(name).unwrap().parse::<u64>().unwrap();
    let (seconds, seed) = (number("IMGBUILD_FUZZ_SECONDS"), number("IMGBUILD_FUZZ_SEED"));
    let folder = PathBuf::from(env::var("IMGBUILD_FUZZ_FOLDER").unwrap());
    let material = Material::gather();
    let mut random = Random::new(seed);
    let begin = Instant::now();
    let mut runs = 0_u64;
    while begin.elapsed().as_secs() < seconds {
        let input = material.damaged(&mut random);
        // a stack that overflows ends the process: then this is what it ended with
        fs::write(folder.join("current.yaml"), &input).unwrap();
        if let Err(finding) = examine(&input) {
            let path = folder.join(format!("finding-{seed}-{runs}.yaml"));
            fs::write(&path, &input).unwrap();
            panic!("run {runs}: {finding}; the input is in {}", path.display());
        }
        runs += 1;
    }
    say(&format!("{runs} runs in {seconds} s from seed {seed}, nothing found"));
}

#[expect(clippy::print_stdout, reason = "this is the long form's answer")]
fn say(text: &str) {
    println!("{text}");
}

/// What is wrong with how the reader takes an input.
fn examine(input: &str) -> Result<(), String> {
    let begin = processor_time();
    let found = catch_unwind(AssertUnwindSafe(|| taken_well(input)));
    found.map_err(|panic| format!("it panicked: {}", words(&*panic)))??;
    let took = processor_time().saturating_sub(begin);
    if took > LONGEST {
        return Err(format!("it took {took:?}"));
    }
    Ok(())
}

/// How long this thread has been at work.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap()
}

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no word")
}

fn taken_well(input: &str) -> Result<(), String> {
    let outcome = read("fuzz.yaml", input, &Memory);
    let all = || outcome.problems.iter().chain(&outcome.not_yet);
    for problem in all() {
        let related = problem.related.iter().map(|(span, _)| *span);
        for span in problem.span.into_iter().chain(related) {
            inside(input, &outcome, span).map_err(|error| format!("{problem}: {error}"))?;
        }
    }
    let report = outcome.report(all().cloned().collect());
    let mut printed = report.render(true) + &report.render(false) + &report.github();
    let records = serde_json::to_string(&report.records()).map_err(|error| error.to_string())?;
    write!(printed, "{records}").map_err(|error| error.to_string())?;
    if let Some(at) = printed.to_lowercase().find(CANARY) {
        let around: String = printed[..at].chars().rev().take(80).collect();
        return Err(format!(
            "a secret is shown after {:?}",
            around.chars().rev().collect::<String>()
        ));
    }
    let Some(spec) = &outcome.spec else { return Ok(()) };
    if report.has_errors() {
        return Err("there is a device in spite of errors".into());
    }
    let card = spec.card_profile();
    match yaml::parse::<CardProfile>(&card) {
        Ok(read) if read == spec.card => Ok(()),
        Ok(_) => Err(format!("the card profile is read back as something else: {card}")),
        Err(error) => Err(format!("the card profile cannot be read back: {error}: {card}")),
    }
}

/// Is a span within its file, and between characters?
fn inside(input: &str, outcome: &Outcome, span: Span) -> Result<(), String> {
    let text = if span.file == FileId::default() {
        input.to_owned()
    } else {
        let (path, ..) = outcome.sources.place(span);
        Memory.file(Path::new(path)).map_err(|error| format!("{path}: {error}"))?
    };
    match text.get(span.start..span.end) {
        Some(_) => Ok(()),
        None => Err(format!("the span {}..{} is not in the text", span.start, span.end)),
    }
}

/// Somewhere to look things up. Secrets have many forms, so that any value may quote a part of one.
struct Memory;

impl Lookup for Memory {
    fn file(&self, path: &Path) -> Result<String, LookupError> {
        let name = path.to_string_lossy();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml") if name.contains("loop") => Ok(format!("a: !include {name}")),
            Some("yaml") => {
                Ok("country: NL\nnetworks:\n  - {ssid: Größe, psk: !secret a}\n".into())
            }
            Some("pem" | "key") => {
                Ok("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into())
            }
            Some("json") => Ok("{\"client_email\": \"a\", \"private_key\": \"b\"}".into()),
            _ => Err(LookupError { message: "it is not there".into(), help: "look".into() }),
        }
    }

    fn secret(&self, name: &str) -> Result<Secret, LookupError> {
        let text = match name.len() % 8 {
            0 => format!("{CANARY}-{CANARY}"),
            1 => format!("12{CANARY}"),
            2 => format!("{CANARY}/24"),
            3 => format!("10.0.0.1/{CANARY}"),
            4 => format!("{CANARY}:{CANARY}"),
            5 => format!("first line\n  {CANARY}\n"),
            6 => format!("a {CANARY} é"),
            _ => format!("{CANARY}{}", "x".repeat(54)),
        };
        Ok(Secret::new(text))
    }

    fn variable(&self, name: &str) -> Option<String> {
        name.starts_with(|c: char| c.is_ascii_uppercase()).then(|| format!("3 {CANARY}{name}"))
    }

    fn now(&self) -> u64 {
        1_772_323_200
    }
}

/// What inputs are made of.
struct Material {
    profiles: Vec<String>,
    words: Vec<String>,
}

/// What YAML is made of, and what it stumbles at.
const TOKENS: [&str; 64] = [
    ": ",
    "- ",
    "? ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "  ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    "'",
    "|",
    ">",
    "|-\n",
    ">+\n",
    "#",
    " # ",
    "&a ",
    "*a",
    "<<: *a",
    "<<: [*a, *a]",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "%TAG ! a\n",
    "!",
    "!!str ",
    "!!map ",
    "!secret ",
    "!secret abcd",
    "!env HOME",
    "!file a.pem",
    "!include a.yaml",
    "!include loop.yaml",
    "~",
    "null",
    "true",
    "no",
    "0x",
    "0o17",
    "1e3",
    "-1",
    ".inf",
    "99999999999999999999",
    "{{",
    "}}",
    "{{ device.id }}",
    "{% if %}",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "é",
    "😀",
    "\\u0000",
    "\\ud800",
    "\"\\",
    "x-a: &a ",
    "''",
    "\u{9b}",
];

impl Material {
    /// The profiles of the repository, those of these tests included, and the words of the language.
    fn gather() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut profiles = Vec::new();
        for path in files(&root.join("profiles"), "yaml") {
            profiles.push(fs::read_to_string(&path).unwrap());
        }
        for path in files(&root.join("tests/schema"), "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let constants = source.split("r#\"").skip(1).filter_map(|it| it.split("\"#").next());
            profiles.extend(constants.filter(|it| it.contains(": ")).map(str::to_owned));
        }
        assert!(profiles.len() > 1, "there are no profiles in {}", root.display());
        let mut words: Vec<String> = TOKENS.map(str::to_owned).into();
        for key in schema::keys() {
            let name = key.path.rsplit('.').next().unwrap_or_default().trim_end_matches("[]");
            words.push(format!("{name}: "));
            words.extend(key.example.into_iter().chain(key.default));
            words.extend(key.choices.into_iter().map(|(word, _)| word));
        }
        Self { profiles, words }
    }

    /// A profile with some damage.
    fn damaged(&self, random: &mut Random) -> String {
        let mut text = random.of(&self.profiles).clone();
        for _ in 0..=random.below(6) {
            text = self.damage(text, random);
            let most = (0..=MOST_BYTES.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(most.unwrap_or_default());
        }
        text
    }

    fn damage(&self, text: String, random: &mut Random) -> String {
        let at = boundary(&text, random);
        match random.below(10) {
            0 => bytes(text, random),
            1 => lines(&text, random),
            2 => {
                let other = random.of(&self.profiles);
                text[..at].to_owned() + &other[boundary(other, random)..]
            }
            3 => {
                let (from, to) = range(&text, random);
                text[..from].to_owned() + &text[to..]
            }
            4 => {
                let (from, to) = range(&text, random);
                let (from, to) = (from, to.min(from + 200));
                let to = (from..=to).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(from);
                let times = [2, 3, 30, 1000][random.below(4)];
                text[..from].to_owned() + &text[from..to].repeat(times) + &text[to..]
            }
            5 => {
                let other = random.of(&self.words);
                word(&text, other, random)
            }
            _ => text[..at].to_owned() + random.of(&self.words).as_str() + &text[at..],
        }
    }
}

/// Some bytes changed.
fn bytes(text: String, random: &mut Random) -> String {
    let mut bytes = text.into_bytes();
    for _ in 0..=random.below(3) {
        let (at, bit) = (random.below(bytes.len()), random.below(8));
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A line twice, left out, moved, or indented otherwise.
fn lines(text: &str, random: &mut Random) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        return String::new();
    }
    let (at, other) = (random.below(lines.len()), random.below(lines.len()));
    let indented;
    match random.below(4) {
        0 => lines.insert(other, lines[at]),
        1 => drop(lines.remove(at)),
        2 => lines.swap(at, other),
        _ => {
            indented = " ".repeat(random.below(8)) + lines[at].trim_start();
            lines[at] = &indented;
        }
    }
    lines.concat()
}

/// A word replaced by another.
fn word(text: &str, other: &str, random: &mut Random) -> String {
    let inside = |c: char| c.is_alphanumeric() || "_-.!".contains(c);
    let at = boundary(text, random);
    let start = text[..at].trim_end_matches(inside).len();
    let end = text.len() - text[at..].trim_start_matches(inside).len();
    text[..start].to_owned() + other.trim_end_matches(": ") + &text[end..]
}

/// The files of a folder with this extension, in the order of their names.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|it| it == extension)).collect();
    paths.sort();
    paths
}

/// A place between two characters.
fn boundary(text: &str, random: &mut Random) -> usize {
    let at = random.below(text.len() + 1);
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

fn range(text: &str, random: &mut Random) -> (usize, usize) {
    let (one, other) = (boundary(text, random), boundary(text, random));
    (one.min(other), one.max(other))
}
