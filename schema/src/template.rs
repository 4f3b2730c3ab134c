//! Templates: `{{ device.id }}` in a profile's strings, and the `.j2` files of overlays.
//!
//! A template prints texts and numbers as they are, `true` and `false` in lower case, and nothing else; a
//! name that is not defined is an error. Filters quote for the place a value lands in: `sh` for a shell's
//! word, `hex` for bytes in hexadecimal, `bytes` for a list of them, `keyfile` for a key file of `GLib`, `yaml` for
//! YAML.

use std::ops::Range;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

/// Why a template could not be filled in, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong.
    pub message: String,
    /// The bytes of the template that it is about.
    pub range: Option<Range<usize>>,
    /// The line of the template, from 1.
    pub line: Option<usize>,
}

/// What is said of a name that is not defined.
const UNKNOWN: &str = "a name in it is not defined";

impl TemplateError {
    /// Is it about a name that is not defined?
    pub fn is_unknown(&self) -> bool {
        self.message == UNKNOWN
    }
}

/// Steps after which a template that does not end is stopped.
const FUEL: u64 = 100_000;
/// The same for a string of a profile.
const PROFILE_FUEL: u64 = 1_000;

/// Fills in a template.
pub fn render(template: &str, context: &Value) -> Result<String, TemplateError> {
    ENVIRONMENT.render_str(template, context.clone()).map_err(|error| explain(template, &error))
}

/// Fills in a string of a profile.
pub fn fill(template: &str, context: &Value) -> Result<String, TemplateError> {
    if !template.contains('{') {
        return Ok(template.to_owned());
    }
    Names::new(template)?.fill(context)
}

/// A string of a profile, to be filled in several times. It says names and nothing else: no statements, no
/// functions, so that what it comes to is about as long as it is.
#[derive(Debug)]
pub struct Names<'a>(minijinja::Template<'a, 'a>);

impl<'a> Names<'a> {
    /// Reads the string.
    pub fn new(template: &'a str) -> Result<Self, TemplateError> {
        if let Some(range) = more_than_names(template) {
            let message = "it takes names such as `{{ device.id }}` and nothing else".to_owned();
            return Err(TemplateError { message, range: Some(range), line: None });
        }
        let environment: &'a Environment<'a> = &PLAIN;
        environment.template_from_str(template).map(Self).map_err(|error| explain(template, &error))
    }

    /// Fills it in.
    pub fn fill(&self, context: &Value) -> Result<String, TemplateError> {
        self.0.render(context.clone()).map_err(|error| explain(self.0.source(), &error))
    }
}

/// Where a template has a statement or works something out: `{{ 'a' * 99999999 }}` is a hundred megabytes.
fn more_than_names(template: &str) -> Option<Range<usize>> {
    let name = |c: char| c.is_alphanumeric() || c.is_whitespace() || c == '_' || c == '.';
    let mut from = 0;
    while let Some(begin) = template[from..].find("{{").map(|at| from + at + 2) {
        let end = begin + template[begin..].find("}}")?;
        if let Some((at, odd)) = template[begin..end].char_indices().find(|(_, c)| !name(*c)) {
            return Some(begin + at..begin + at + odd.len_utf8());
        }
        from = end + 2;
    }
    template.find("{%").map(|at| at..at + 2)
}

/// What an expression, such as `network.wifi.networks`, lists.
pub fn items(expression: &str, context: &Value) -> Result<Vec<Value>, TemplateError> {
    ENVIRONMENT
        .compile_expression(expression)
        .and_then(|compiled| compiled.eval(context.clone()))
        .and_then(|value| Ok(value.try_iter()?.collect()))
        .map_err(|error| explain(expression, &error))
}

/// Asks whether a condition, such as `network.wifi is not none`, holds.
pub fn holds(condition: &str, context: &Value) -> Result<bool, TemplateError> {
    ENVIRONMENT
        .compile_expression(condition)
        .and_then(|expression| expression.eval(context.clone()))
        .map(|value| value.is_true())
        .map_err(|error| explain(condition, &error))
}

/// For overlays' files. An environment takes longer to make than most templates take to fill in.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);
/// For the strings of a profile.
static PLAIN: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    restrict(&mut environment, PROFILE_FUEL);
    environment
});

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    restrict(&mut environment, FUEL);
    environment.add_filter("sh", shell_word);
    environment.add_filter("hex", hexadecimal);
    environment.add_filter("bytes", byte_list);
    environment.add_filter("keyfile", key_file_value);
    environment.add_filter("yaml", yaml_text);
    environment
}

/// What holds for every template: what it prints, and when it is stopped.
fn restrict(environment: &mut Environment<'_>, fuel: u64) {
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .keep_trailing_newline(true)
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .expect("the delimiters are the usual ones"),
    );
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(|out, state, value| match value.kind() {
        ValueKind::Bool => Ok(out.write_str(if value.is_true() { "true" } else { "false" })?),
        // an undefined one is left to the strict mode's own words
        ValueKind::String | ValueKind::Number | ValueKind::Undefined => {
            minijinja::escape_formatter(out, state, value)
        }
        kind => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a {kind} cannot be printed; print what is in it"),
        )),
    });
    environment.set_fuel(Some(fuel));
}

/// A text as one word of a POSIX shell.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text's bytes as hexadecimal digits.
fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// A text's bytes as decimal numbers, each with a semicolon behind it: how `NetworkManager` takes names that may be
/// no text (nm-settings-keyfile(5), `ssid`).
fn byte_list(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte};")).collect()
}

/// A text as a value of a key file that is read back as it was: the escapes are those of `GLib`, every
/// space among them, since those at the ends would be lost.
pub fn key_file_value(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => value.push_str(r"\\"),
            ' ' => value.push_str(r"\s"),
            '\n' => value.push_str(r"\n"),
            '\r' => value.push_str(r"\r"),
            '\t' => value.push_str(r"\t"),
            c => value.push(c),
        }
    }
    value
}

/// A text in YAML's double quotes (YAML 1.2, section 7.3.1), in ASCII alone: readers differ in which other characters they
/// take as they are, and some of those are breaks of a line.
pub fn yaml_text(text: &str) -> String {
    let escaped = text.chars().map(|c| match (c, u32::from(c)) {
        ('"' | '\\', _) => format!("\\{c}"),
        (' '..='~', _) => c.into(),
        (_, code @ ..=0xFF) => format!("\\x{code:02x}"),
        (_, code @ ..=0xFFFF) => format!("\\u{code:04x}"),
        (_, code) => format!("\\U{code:08x}"),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn explain(template: &str, error: &Error) -> TemplateError {
    let message = match error.kind() {
        ErrorKind::UndefinedError => UNKNOWN.to_owned(),
        kind => match error.detail() {
            Some(detail) => format!("{kind}: {detail}"),
            None => kind.to_string(),
        },
    };
    // one that is about a byte of a longer character is about the character
    let range = error.range().map(|range| {
        let boundary = |at: &usize| template.is_char_boundary(*at);
        let start = (0..=range.start.min(template.len())).rev().find(boundary);
        let end = (range.end.min(template.len())..=template.len()).find(boundary);
        start.unwrap_or(0)..end.unwrap_or(template.len())
    });
    TemplateError { message, range, line: error.line() }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn filled(template: &str) -> Result<String, TemplateError> {
        let device = context! { id => "pi", on => true, list => vec![1, 2] };
        render(template, &context! { device => device, none => () })
    }

    #[test]
    fn values_print_as_a_configuration_file_wants_them() {
        assert_eq!(filled("{{ device.id }}/x: {{ device.on }}\n").unwrap(), "pi/x: true\n");
        assert_eq!(filled("{% if device.on %}\non\n{% endif %}\n").unwrap(), "on\n");
        assert_eq!(filled("{{ \"it's\" | sh }} {{ 'é' | hex }}").unwrap(), r"'it'\''s' c3a9");
        assert_eq!(filled("{{ 'é' | bytes }}").unwrap(), "195;169;");
        assert_eq!(filled(r"{{ ' a\\b' | keyfile }}").unwrap(), r"\sa\\b");
        let quoted = filled("{{ 'a\"\\\\é\u{2028}🦆\t' | yaml }}").unwrap();
        assert_eq!(quoted, r#""a\"\\\xe9\u2028\U0001f986\x09""#);
    }

    #[test]
    fn what_cannot_be_meant_is_an_error_that_knows_its_place() {
        let error = filled("a {{ device.name }}").unwrap_err();
        assert_eq!((error.message.as_str(), error.line), ("a name in it is not defined", Some(1)));
        assert_eq!(error.range.map(|range| &"a {{ device.name }}"[range]), Some("device.name"));
        assert!(filled("{{ device.list }}").unwrap_err().message.contains("cannot be printed"));
        assert!(filled("{{ none }}").is_err());
        assert!(filled("{{ device.id").is_err());
        assert!(filled("{% for a in range(9999999) %}{% for b in range(999999) %}{{ a }}{% endfor %}{% endfor %}").is_err());
    }

    #[test]
    fn a_string_of_a_profile_says_names_and_nothing_else() {
        let context = context! { device => context! { id => "pi" } };
        assert_eq!(fill("{{ device.id }}/{x}", &context).unwrap(), "pi/{x}");
        for template in
            ["{% set a = 'a' %}", "{{ range(9) }}", "{{ device.id | indent(9) }}", "{{ a"]
        {
            assert!(fill(template, &context).is_err(), "{template}");
        }
    }

    #[test]
    fn a_condition_holds_or_not() {
        let context = context! { wifi => (), device => context! { id => "pi" } };
        assert!(!holds("wifi is not none", &context).unwrap());
        assert!(holds("device.id == 'pi'", &context).unwrap());
        assert!(holds("nothing.here", &context).is_err());
    }
}
