//! The JSON Schema, which editors go by, and the reader say the same of every profile. A validator that we
//! did not write judges the schema's side.
//!
//! In one thing the schema asks for more: where a text belongs it wants quotes round `0123` and `true`, which
//! the reader takes for texts there and other programs do not. No profile here has such a text.

use std::sync::LazyLock;

use imgbuild_schema::{Code, Problem, schema, structure};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support;

static SCHEMA: LazyLock<Value> = LazyLock::new(schema::profile);
static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&SCHEMA).unwrap());

/// What the checks say that the schema says too.
const ALSO_IN_SCHEMA: [Code; 3] = [Code::MissingKey, Code::ChooseOne, Code::UnknownVersion];

/// What the reader has against the form of a document. JSON is YAML.
fn refusal(document: &Value) -> Option<Problem> {
    let text = document.to_string();
    let checked = || support::outcome(&text).problems;
    let of_form = |problem: &Problem| ALSO_IN_SCHEMA.contains(&problem.code);
    structure(&text).into_iter().next().or_else(|| checked().into_iter().find(of_form))
}

/// What both say: whether the document is right; an error if they differ.
fn agree(document: &Value) -> Result<bool, TestCaseError> {
    let error = VALIDATOR.validate(document).map_err(|error| error.to_string()).err();
    let refusal = refusal(document);
    prop_assert_eq!(
        error.is_none(),
        refusal.is_none(),
        "schema: {:?}, reader: {:?}, of {}",
        error,
        refusal,
        document
    );
    Ok(error.is_none())
}

/// Numbers that decide what a document becomes: none left means 0, the first and the least of everything.
struct Tape<'a>(std::slice::Iter<'a, u32>);

impl Tape<'_> {
    fn pick(&mut self, choices: usize) -> usize {
        self.0.next().map_or(0, |number| usize::try_from(*number).unwrap() % choices.max(1))
    }
}

/// Places of a document, as JSON pointers.
#[derive(Debug, Default)]
struct Places {
    /// One of a few words.
    words: Vec<String>,
    /// A number in a range.
    numbers: Vec<String>,
    /// A text.
    texts: Vec<String>,
    /// A map with one of several keys, another of them, and a value for that.
    choices: Vec<(String, String, Value)>,
}

/// Makes documents that the schema takes.
struct Maker<'a> {
    tape: Tape<'a>,
    places: Places,
}

/// The schema that a reference leads to.
fn followed(schema: &Value) -> &Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    reference.map_or(schema, |reference| SCHEMA.pointer(&reference[1..]).unwrap())
}

/// The alternatives among which a schema leaves the choice.
fn alternatives(schema: &Value) -> Vec<&Value> {
    let lists = ["anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
    lists.flatten().collect()
}

/// The types that a schema names.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name],
        _ => Vec::new(),
    }
}

fn keys(schema: &Value, word: &str) -> Vec<String> {
    let list = schema.get(word).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|key| Some(key.as_str()?.to_owned())).collect()
}

fn make(tape: &[u32]) -> (Value, Places) {
    let mut maker = Maker { tape: Tape(tape.iter()), places: Places::default() };
    (maker.value(&SCHEMA, "", false), maker.places)
}

/// The least that a schema takes.
fn least(schema: &Value) -> Value {
    Maker { tape: Tape([].iter()), places: Places::default() }.value(schema, "", true)
}

impl Maker<'_> {
    /// A value; `something` that is not null, if it has to be there.
    fn value(&mut self, schema: &Value, at: &str, something: bool) -> Value {
        let schema = followed(schema);
        if let Some(value) = schema.get("const") {
            // the words of a choice are such alternatives too
            self.places.words.extend(value.is_string().then(|| at.to_owned()));
            self.places.numbers.extend(value.is_number().then(|| at.to_owned()));
            return value.clone();
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let numbers = values[0].is_number();
            if numbers { &mut self.places.numbers } else { &mut self.places.words }
                .push(at.to_owned());
            return values[self.tape.pick(values.len())].clone();
        }
        let types: Vec<&str> =
            types(schema).into_iter().filter(|kind| !(something && *kind == "null")).collect();
        if types.is_empty() {
            return self.alternative(schema, at, something);
        }
        match types[self.tape.pick(types.len())] {
            "object" => self.object(schema, at),
            "array" => self.array(schema, at),
            "string" => self.text(schema, at),
            "integer" => self.number(schema, at),
            "boolean" => json!(self.tape.pick(2) == 1),
            "null" => Value::Null,
            other => panic!("nobody makes a {other} yet"),
        }
    }

    fn alternative(&mut self, schema: &Value, at: &str, something: bool) -> Value {
        let null = |it: &&Value| something && types(it) == ["null"];
        let mut all = alternatives(schema);
        all.retain(|it| !null(it));
        assert!(!all.is_empty(), "nothing can be made of {schema}");
        let picked = all.remove(self.tape.pick(all.len()));
        for other in all {
            let other = followed(other);
            for key in keys(other, "required") {
                let value = least(&other["properties"][&key]);
                self.places.choices.push((at.to_owned(), key, value));
            }
        }
        self.value(picked, at, something)
    }

    fn object(&mut self, schema: &Value, at: &str) -> Value {
        let required = keys(schema, "required");
        let branches = alternatives(schema);
        let branch = branches.get(self.tape.pick(branches.len())).copied();
        let chosen = branch.map(|it| keys(it, "required")).unwrap_or_default();
        let exclusive = schema.get("oneOf").is_some();
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let mut made = Map::new();
        for (key, schema) in properties {
            let place = format!("{at}/{key}");
            let one_of_many = branches.iter().any(|it| keys(it, "required").contains(key));
            if chosen.contains(key) {
                let mut schema = followed(schema).clone();
                let also = branch.unwrap()["properties"][key].as_object().unwrap();
                let also = also.iter().filter(|(word, _)| *word != "not");
                let also = also.map(|(word, value)| (word.clone(), value.clone()));
                schema.as_object_mut().unwrap().extend(also);
                made.insert(key.clone(), self.value(&schema, &place, true));
            } else if one_of_many && exclusive {
                self.places.choices.push((at.to_owned(), key.clone(), least(schema)));
            } else if required.contains(key) || self.tape.pick(3) == 1 {
                made.insert(key.clone(), self.value(schema, &place, false));
            }
        }
        Value::Object(made)
    }

    fn array(&mut self, schema: &Value, at: &str) -> Value {
        let fewest = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        let count = usize::try_from(fewest).unwrap() + self.tape.pick(3);
        (0..count)
            .map(|item| self.value(&schema["items"], &format!("{at}/{item}"), false))
            .collect()
    }

    fn text(&mut self, schema: &Value, at: &str) -> Value {
        self.places.texts.push(at.to_owned());
        match schema.get("examples").and_then(Value::as_array) {
            Some(examples) => examples[self.tape.pick(examples.len())].clone(),
            None => json!("example"),
        }
    }

    fn number(&mut self, schema: &Value, at: &str) -> Value {
        self.places.numbers.push(at.to_owned());
        let end = |word: &str, otherwise: u64| {
            schema.get(word).and_then(Value::as_u64).unwrap_or(otherwise)
        };
        let (least, most) = (end("minimum", 0), end("maximum", 99));
        let between = least + u64::try_from(self.tape.pick(1000)).unwrap() % (most - least + 1);
        json!([least, most, between][self.tape.pick(3)])
    }
}

/// Every place in a document.
fn pointers(document: &Value) -> Vec<String> {
    fn collect(value: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match value {
            Value::Array(items) => {
                for (item, value) in items.iter().enumerate() {
                    collect(value, &format!("{at}/{item}"), found);
                }
            }
            Value::Object(entries) => {
                for (key, value) in entries {
                    collect(value, &format!("{at}/{key}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(document, "", &mut found);
    found
}

/// The same document with one change, which may make it wrong; none if there is no place for it.
fn changed(document: &Value, places: &Places, change: usize, tape: &mut Tape<'_>) -> Option<Value> {
    let mut document = document.clone();
    let all = pointers(&document);
    let of_kind = |kind: fn(&Value) -> bool| {
        let it = all.iter().filter(|at| kind(document.pointer(at).unwrap()));
        it.cloned().collect::<Vec<String>>()
    };
    let mut pick = |from: &[String]| from.get(tape.pick(from.len())).cloned();
    let (at, value) = match change {
        0 => {
            let at = pick(&of_kind(|it| it.as_object().is_some_and(|map| !map.is_empty())))?;
            let map = document.pointer_mut(&at)?.as_object_mut()?;
            let key = map.keys().nth(tape.pick(map.len()))?.clone();
            map.remove(&key);
            return Some(document);
        }
        1 => {
            let at = pick(&of_kind(Value::is_object))?;
            let key = ["colour", "x-shared", "ID", "", "<<<"][tape.pick(5)];
            document.pointer_mut(&at)?.as_object_mut()?.insert(key.into(), json!({}));
            return Some(document);
        }
        2 => {
            let at = pick(&of_kind(|it| it.is_object() || it.is_array()))?;
            let others = [json!("text"), json!(3), json!(true), json!(null), json!([]), json!({})];
            (at, others[tape.pick(6)].clone())
        }
        3 => {
            let at = pick(&of_kind(|it| !it.is_object() && !it.is_array()))?;
            let others = [json!(null), json!([]), json!({}), json!(["text"]), json!({"a": "b"})];
            (at, others[tape.pick(5)].clone())
        }
        4 => (pick(&places.words)?, json!(["nonsense", "", "no such word"][tape.pick(3)])),
        5 => {
            let others =
                [json!(-1), json!(65_536), json!(4_294_967_296_u64), json!(1.5), json!("1")];
            (pick(&places.numbers)?, others[tape.pick(5)].clone())
        }
        6 => {
            let (at, key, value) = places.choices.get(tape.pick(places.choices.len()))?;
            match document.pointer_mut(at)? {
                Value::Object(map) => map.insert(key.clone(), value.clone()),
                other => Some(std::mem::replace(other, json!({ key: value }))),
            };
            return Some(document);
        }
        // a word as a key: what only choices with something to say are
        _ => {
            let at = pick(&places.words)?;
            let word = document.pointer(&at)?.as_str()?.to_owned();
            (at, json!({ word: null }))
        }
    };
    *document.pointer_mut(&at)? = value;
    Some(document)
}

fn tape() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 0..80)
}

/// No files are written: a failure prints the document itself.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn what_the_schema_takes_the_reader_takes(tape in tape()) {
        let (document, _) = make(&tape);
        prop_assert!(agree(&document)?, "made to be right: {}", document);
    }

    #[test]
    fn schema_and_reader_agree_on_what_is_wrong(
        tape in tape(), change in 0..8_usize, how in prop::collection::vec(any::<u32>(), 3),
    ) {
        let (document, places) = make(&tape);
        if let Some(document) = changed(&document, &places, change, &mut Tape(how.iter())) {
            agree(&document)?;
        }
    }

    /// A pattern says no more than the value's own rule.
    #[test]
    fn a_text_that_the_reader_takes_the_schema_takes(
        tape in tape(), at in any::<u32>(),
        text in prop::option::weighted(0.2, "\\PC{0,40}"),
        slips in prop::collection::vec((any::<u32>(), "[-+0-9A-Za-z :/.%#_]|"), 1..3),
    ) {
        let (mut document, places) = make(&tape);
        if let Some(at) = places.texts.get(Tape([at].iter()).pick(places.texts.len())) {
            let place = document.pointer_mut(at).unwrap();
            let text = text.unwrap_or_else(|| with_slips(place.as_str().unwrap(), &slips));
            *place = json!(text);
            if let Err(error) = VALIDATOR.validate(&document) {
                let problems = support::outcome(&document.to_string()).problems;
                prop_assert!(
                    problems.iter().any(Problem::is_error), "{at} {text:?}: the schema says {error}"
                );
            }
        }
    }
}

/// The text with something put in the place of a character, or before it.
fn with_slips(text: &str, slips: &[(u32, String)]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for (at, slip) in slips {
        let at = usize::try_from(*at).unwrap();
        let (start, before) = (at / 2 % (text.len() + 1), at % 2 == 0);
        let end = if before { start } else { text.len().min(start + 1) };
        text.splice(start..end, slip.chars());
    }
    text.into_iter().collect()
}

/// Calls `found` with every example and every default, and the keys on the way there with their schemas.
fn walk<'a>(
    schema: &'a Value,
    way: &mut Vec<(&'a Value, String)>,
    found: &mut impl FnMut(&[(&'a Value, String)], &Value),
) {
    let schema = followed(schema);
    for value in schema.get("examples").and_then(Value::as_array).into_iter().flatten() {
        found(way, value);
    }
    for (key, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten()
    {
        way.push((schema, key.clone()));
        // beside a reference they are said of the property alone
        if let Some(value) = property.get("default") {
            found(way, value);
        }
        walk(property, way, found);
        way.pop();
    }
    if let Some(items) = schema.get("items") {
        way.push((schema, String::new()));
        walk(items, way, found);
        way.pop();
    }
    if schema.get("properties").is_none() {
        for alternative in alternatives(schema) {
            walk(alternative, way, found);
        }
    }
}

/// The least document with `value` at the end of the way.
fn with(way: &[(&Value, String)], value: &Value) -> Value {
    let Some(((schema, key), rest)) = way.split_first() else { return value.clone() };
    let value = with(rest, value);
    if key.is_empty() {
        return json!([value]);
    }
    let mut map = least(schema);
    let branches: Vec<Vec<String>> =
        alternatives(schema).into_iter().map(|branch| keys(branch, "required")).collect();
    if schema.get("oneOf").is_some() && branches.iter().flatten().any(|it| it == key) {
        branches.iter().flatten().for_each(|it| drop(map.as_object_mut().unwrap().remove(it)));
        // nothing is no choice: then it stands beside another
        let other = branches.iter().find(|branch| value.is_null() && !branch.contains(key));
        for key in other.into_iter().flatten() {
            map[key] = least(&schema["properties"][key]);
        }
    }
    map[key] = value;
    map
}

#[test]
fn every_example_and_every_default_is_taken() {
    let mut seen = 0;
    walk(&SCHEMA, &mut Vec::new(), &mut |way, value| {
        seen += 1;
        let document = with(way, value);
        assert!(agree(&document).unwrap(), "{value} in {document}");
    });
    assert!(seen > 100, "{seen} is too few to be all");
}

#[test]
fn the_schema_is_a_schema() {
    assert!(jsonschema::draft202012::meta::is_valid(&SCHEMA));
}

#[test]
fn keys_for_sharing_are_free_at_the_top_and_nowhere_else() {
    let (mut document, _) = make(&[]);
    document["x-shared"] = json!({ "anything": [1, null] });
    assert!(agree(&document).unwrap());
    document["device"]["x-shared"] = json!({});
    assert!(!agree(&document).unwrap());
}
