//! Where readings go.

use imgbuild_schema::problem::nearest;
use imgbuild_schema::values::Secret;

use super::{Care, Interview, Question, missing};
use crate::fault::Usage;
use crate::init::answers::{Answers, Value, path};
use crate::init::cloud::{CLOUDS, Cloud, Field, Kind, Need, Step, Way};
use crate::terminal::Choice;

impl Interview<'_> {
    /// Asks for a cloud and what it needs.
    pub(super) fn cloud(&mut self) -> anyhow::Result<()> {
        let choices = CLOUDS.each_ref().map(|cloud| (cloud.name, cloud.title));
        let cloud = match self.flags.cloud {
            Some(cloud) => cloud,
            None => &CLOUDS[self.choose("--cloud", "Where do readings go?", &choices, 0)?],
        };
        self.answers.cloud = cloud;
        self.answers.values.clear();
        self.check_keys(cloud)?;
        let asked = cloud.steps.iter().filter_map(|step| match step {
            Step::Ask(field) => Some(field),
            Step::Choose(..) => None,
        });
        self.expect(asked);
        for step in cloud.steps {
            match step {
                Step::Ask(field) => self.field(cloud, field)?,
                Step::Choose(question, ways) => self.way(cloud, question, ways)?,
            }
        }
        // what a device may be called, its cloud decides too
        while let Some(reason) = self.refusal("device.id") {
            self.id(Some(reason))?;
        }
        Ok(())
    }

    /// The keys that are given are keys of the cloud, each given once, and none that is a secret as a word.
    fn check_keys(&self, cloud: &Cloud) -> Result<(), Usage> {
        let words = self.flags.set.iter().map(|(key, _)| ("--set", key));
        let files = self.given.cloud.iter().map(|(key, _)| ("--set-file", key));
        let mut seen = Vec::new();
        for (flag, key) in words.chain(files) {
            let Some(field) = cloud.fields().find(|field| field.key == key) else {
                return Err(unknown(flag, key, cloud));
            };
            if seen.contains(&key) {
                return Err(Usage(format!("{flag} {key}: it is given twice")));
            }
            seen.push(key);
            match (flag, field.kind) {
                ("--set", Kind::Secret) => {
                    return Err(Usage(format!(
                        "--set {key}: every user of this machine would see it; write it into a file, and `--set-file {key}=FILE`"
                    )));
                }
                ("--set-file", kind) if kind != Kind::Secret => {
                    return Err(Usage(format!(
                        "--set-file {key}: this is no secret; write `--set {key}=…`"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes what there must be, so that nothing else is said to be missing while it is asked.
    fn expect(&mut self, fields: impl Iterator<Item = &'static Field>) {
        for field in fields.filter(|field| field.need == Need::Required) {
            self.answers.values.insert(field.key, Value::Unanswered);
        }
    }

    fn way(
        &mut self,
        cloud: &'static Cloud,
        question: &str,
        ways: &'static [Way],
    ) -> anyhow::Result<()> {
        let has = |way: &Way, key: &str| way.fields.iter().any(|field| field.key == key);
        let words = self.flags.set.iter().map(|(key, _)| key);
        let given = words.chain(self.given.cloud.iter().map(|(key, _)| key));
        let given: Vec<&str> =
            given.map(String::as_str).filter(|key| ways.iter().any(|way| has(way, key))).collect();
        let suits = |way: &&Way| given.iter().all(|key| has(way, key));
        let way = match (&self.terminal, given.is_empty()) {
            (Some(terminal), true) => {
                let choices: Vec<Choice> = ways.iter().map(|way| (way.title, "")).collect();
                &ways[terminal.choose(question, &choices, 0)?]
            }
            _ => ways.iter().find(suits).ok_or_else(|| {
                Usage(format!("--set: these do not go together: {}", given.join(", ")))
            })?,
        };
        self.expect(way.fields.iter());
        for field in way.fields {
            self.field(cloud, field)?;
        }
        Ok(())
    }

    fn field(&mut self, cloud: &'static Cloud, field: &'static Field) -> anyhow::Result<()> {
        let path = path(cloud, field);
        let flag = match field.kind {
            Kind::Secret => format!("--set-file {}=FILE", field.key),
            _ => format!("--set {}=…", field.key),
        };
        let default = match field.kind {
            Kind::File(usual) => Some(usual.replace("{id}", &self.answers.id)),
            _ => None,
        };
        let question = Question { flag: &flag, path: &path, text: field.question, default };
        match field.kind {
            Kind::Secret => self.cloud_secret(&question, field),
            Kind::Fixed(only) => self.fixed(&question, field, only),
            _ => self.cloud_text(question, field),
        }
    }

    fn cloud_secret(
        &mut self,
        question: &Question<'_>,
        field: &'static Field,
    ) -> anyhow::Result<()> {
        self.is_free(self.answers.cloud.name)?;
        let given = self.given.cloud.iter().find(|(key, _)| key == field.key);
        let given = given.map(|(_, secret)| secret.clone());
        self.secret(question, given.as_ref(), Care::Copied, &|answers, secret: Secret| {
            answers.values.insert(field.key, Value::Secret(secret));
        })
    }

    fn fixed(
        &mut self,
        question: &Question<'_>,
        field: &'static Field,
        only: &str,
    ) -> anyhow::Result<()> {
        match self.word(field) {
            Some(given) if given != only => {
                Err(Usage(format!("{}: only `{only}` can be said", question.flag)).into())
            }
            _ => {
                self.answers.values.insert(field.key, Value::Text(only.into()));
                Ok(())
            }
        }
    }

    fn cloud_text(
        &mut self,
        mut question: Question<'_>,
        field: &'static Field,
    ) -> anyhow::Result<()> {
        let given = self.word(field).map(str::to_owned);
        let set = |answers: &mut Answers, text: &str| {
            answers.values.insert(field.key, Value::Text(text.to_owned()));
        };
        match (&self.terminal, field.need) {
            _ if given.is_some() => self.text(&question, given.as_deref(), &set),
            (_, Need::Unasked) | (None, Need::Optional) => Ok(()),
            (None, Need::Required) => Err(missing(question.flag, question.text)),
            (Some(terminal), Need::Optional) => {
                let offer = format!(
                    "{}, such as {}",
                    question.text,
                    question.default.take().unwrap_or_default()
                );
                loop {
                    let text = terminal.text(&offer, None, true)?;
                    if text.is_empty() {
                        self.answers.values.remove(field.key);
                        return Ok(());
                    }
                    set(&mut self.answers, &text);
                    let Some(reason) = self.refusal(question.path) else { return Ok(()) };
                    terminal.say(&format!("  {reason}"))?;
                }
            }
            (Some(_), Need::Required) => self.text(&question, None, &set),
        }
    }

    /// What `--set` says about a key.
    fn word(&self, field: &Field) -> Option<&str> {
        let found = self.flags.set.iter().find(|(key, _)| key == field.key);
        found.map(|(_, value)| value.as_str())
    }
}

fn unknown(flag: &str, key: &str, cloud: &Cloud) -> Usage {
    let mut known: Vec<&str> = cloud.fields().map(|field| field.key).collect();
    known.dedup();
    let help = match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", known.join(", ")),
    };
    Usage(format!("{flag} {key}: {} has no such key here; {help}", cloud.name))
}
