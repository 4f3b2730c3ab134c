//! QEMU's own control line: one JSON object a line, one answer to each command.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

/// How long QEMU may take to answer; it does so at once unless the machine is very busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command that QEMU refused.
#[derive(Debug, thiserror::Error)]
#[error("the emulator refused {command}: {reason}")]
pub struct Refused {
    /// The command.
    pub command: String,
    /// Why, in QEMU's words.
    pub reason: String,
}

/// A connection to a running QEMU.
#[derive(Debug)]
pub struct Qmp {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
    last: u64,
}

/// Whatever QEMU says: a greeting, an event, an answer.
#[derive(Deserialize)]
struct Said {
    id: Option<u64>,
    #[serde(rename = "return")]
    result: Option<Value>,
    error: Option<Complaint>,
    #[serde(rename = "QMP")]
    greeting: Option<Value>,
}

#[derive(Deserialize)]
struct Complaint {
    desc: String,
}

impl Qmp {
    /// Takes up the conversation on a fresh connection.
    pub fn greet(stream: UnixStream) -> Result<Self> {
        stream.set_read_timeout(Some(PATIENCE)).context("setting up the control line")?;
        stream.set_write_timeout(Some(PATIENCE)).context("setting up the control line")?;
        let writer = stream.try_clone().context("setting up the control line")?;
        let mut qmp = Self { reader: BufReader::new(stream), writer, last: 0 };
        let first = qmp.hear().context("waiting for the emulator's greeting")?;
        ensure!(first.greeting.is_some(), "what answers is not an emulator's control line");
        qmp.execute("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Sets a property of a device, as in `temperature` of `/machine/peripheral/t1`.
    pub fn set(&mut self, path: &str, property: &str, value: impl Into<Value>) -> Result<()> {
        let arguments = json!({"path": path, "property": property, "value": value.into()});
        self.execute("qom-set", &arguments).map(drop)
    }

    /// Reads a property of a device.
    pub fn get(&mut self, path: &str, property: &str) -> Result<Value> {
        self.execute("qom-get", &json!({"path": path, "property": property}))
    }

    /// Plugs the cable of a network device in or out.
    pub fn set_link(&mut self, name: &str, up: bool) -> Result<()> {
        self.execute("set_link", &json!({"name": name, "up": up})).map(drop)
    }

    /// Asks QEMU to end.
    pub fn quit(&mut self) -> Result<()> {
        self.execute("quit", &json!({})).map(drop)
    }

    /// Gives a command and waits for its answer.
    pub fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        self.last += 1;
        let line = json!({"execute": command, "arguments": arguments, "id": self.last});
        writeln!(self.writer, "{line}").with_context(|| format!("asking for {command}"))?;
        loop {
            let said =
                self.hear().with_context(|| format!("waiting for the answer to {command}"))?;
            // events come between, and an answer that came too late for its command
            if said.id != Some(self.last) {
                continue;
            }
            return match said.error {
                Some(Complaint { desc }) => {
                    Err(Refused { command: command.to_owned(), reason: desc }.into())
                }
                None => Ok(said.result.unwrap_or_default()),
            };
        }
    }

    fn hear(&mut self) -> Result<Said> {
        let mut line = String::new();
        let length = self.reader.read_line(&mut line)?;
        ensure!(length > 0, "the emulator closed its control line");
        serde_json::from_str(&line).with_context(|| format!("understanding {line:?}"))
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{self, JoinHandle};

    use super::*;

    const GREETING: &str = r#"{"QMP":{"version":{},"capabilities":["oob"]}}"#;

    /// Says `greeting`, then answers each command with the next of `answers`, where `ID` stands for the
    /// command's. Returns the commands.
    fn emulator(
        greeting: &'static str,
        answers: &'static [&'static str],
    ) -> (UnixStream, JoinHandle<Vec<Value>>) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let thread = thread::spawn(move || {
            let mut reader = BufReader::new(theirs.try_clone().unwrap());
            writeln!(theirs, "{greeting}").unwrap();
            answers
                .iter()
                .map(|answer| {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let command: Value = serde_json::from_str(&line).unwrap();
                    write!(theirs, "{}", answer.replace("ID", &command["id"].to_string())).unwrap();
                    command
                })
                .collect()
        });
        (ours, thread)
    }

    #[test]
    fn a_property_is_set_past_events_and_late_answers() {
        let (stream, emulator) = emulator(
            GREETING,
            &[
                "{\"return\":{},\"id\":ID}\n",
                "{\"event\":\"NIC_RX_FILTER_CHANGED\",\"data\":{}}\n{\"return\":{},\"id\":99}\n{\"return\":{},\"id\":ID}\n",
            ],
        );
        let mut qmp = Qmp::greet(stream).unwrap();
        qmp.set("/machine/peripheral/t1", "temperature", 23_500).unwrap();
        let commands = emulator.join().unwrap();
        assert_eq!(commands[0]["execute"], "qmp_capabilities");
        assert_eq!(
            commands[1],
            json!({"execute": "qom-set", "id": 2, "arguments": {
                "path": "/machine/peripheral/t1", "property": "temperature", "value": 23_500}})
        );
    }

    #[test]
    fn a_refusal_is_in_the_emulators_words() {
        let (stream, _emulator) = emulator(
            GREETING,
            &[
                "{\"return\":{},\"id\":ID}\n",
                "{\"id\":ID,\"error\":{\"class\":\"GenericError\",\"desc\":\"no such device\"}}\n",
            ],
        );
        let error = Qmp::greet(stream).unwrap().get("/nowhere", "temperature").unwrap_err();
        assert_eq!(error.to_string(), "the emulator refused qom-get: no such device");
    }

    #[test]
    fn a_stranger_and_a_closed_line_are_refused() {
        let (stream, _stranger) = emulator("{}", &[]);
        let error = Qmp::greet(stream).unwrap_err();
        assert_eq!(error.to_string(), "what answers is not an emulator's control line");

        let (stream, other) = UnixStream::pair().unwrap();
        drop(other);
        let error = format!("{:#}", Qmp::greet(stream).unwrap_err());
        assert!(error.ends_with("the emulator closed its control line"), "{error}");
    }
}
