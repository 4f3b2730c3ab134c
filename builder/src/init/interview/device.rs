//! What the device is, and what it reads.

use imgbuild_schema::profile::{Model, NamedBase};
use imgbuild_schema::values::DeviceId;

use super::{Interview, Question, missing};
use crate::fault::Usage;
use crate::init::answers::SENSORS;
use crate::terminal::Choice;

impl Interview<'_> {
    pub(super) fn id(&mut self, because: Option<String>) -> anyhow::Result<()> {
        let flags = self.flags;
        let name = self.profile.file_stem().and_then(|name| name.to_str());
        let question = Question {
            flag: "--id",
            path: "device.id",
            text: "Device id, which is its name at the cloud",
            default: name.filter(|name| name.parse::<DeviceId>().is_ok()).map(str::to_owned),
        };
        if let Some(reason) = because {
            self.refuse(&question, &reason, flags.id.is_some())?;
        }
        self.text(&question, flags.id.as_deref(), &|answers, id| id.clone_into(&mut answers.id))
    }

    pub(super) fn model(&mut self) -> anyhow::Result<()> {
        let choices = Model::ALL.map(|model| (model.name(), ""));
        let usual = Model::ALL.iter().position(|model| *model == Model::Pi3).unwrap_or(0);
        self.answers.model = match self.flags.model {
            Some(model) => model,
            None => {
                Model::ALL[self.choose("--model", "Which Raspberry Pi is it?", &choices, usual)?]
            }
        };
        Ok(())
    }

    pub(super) fn base(&mut self) -> anyhow::Result<()> {
        let model = self.answers.model;
        let boots = |base: &NamedBase| base.models().contains(&model);
        let bases: Vec<NamedBase> = NamedBase::ALL.into_iter().filter(boots).collect();
        let choices: Vec<Choice> = bases.iter().map(|base| (base.name(), "")).collect();
        self.answers.base = match (self.flags.base, &self.terminal) {
            (Some(base), _) => base,
            (None, Some(terminal)) => {
                bases[terminal.choose("Which operating system does it start from?", &choices, 0)?]
            }
            (None, None) => *bases.first().unwrap_or(&self.answers.base),
        };
        match self.refusal("device.model") {
            Some(reason) => Err(Usage(format!("--base: {reason}")).into()),
            None => Ok(()),
        }
    }

    pub(super) fn sensors(&mut self) -> anyhow::Result<()> {
        let given = &self.flags.sensor;
        if !given.is_empty() {
            self.answers.sensors.clone_from(given);
            return match self.refusal("sensors") {
                Some(reason) => Err(Usage(format!("--sensor: {reason}")).into()),
                None => Ok(()),
            };
        }
        let choices = SENSORS.each_ref().map(|sensor| (sensor.name, sensor.title));
        loop {
            let Some(terminal) = &self.terminal else {
                return Err(missing("--sensor", "a sensor to read"));
            };
            let found = terminal.several("What does it read?", &choices, SENSORS.len() - 1)?;
            self.answers.sensors = found.into_iter().map(|at| &SENSORS[at]).collect();
            match (self.refusal("sensors"), &self.terminal) {
                (Some(reason), Some(terminal)) => terminal.say(&format!("  {reason}"))?,
                _ => return Ok(()),
            }
        }
    }
}
