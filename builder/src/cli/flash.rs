use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::arguments::Flash;
use super::output::{self, Output};
use super::progress::Shown;
use crate::fault::{self, Usage};
use crate::flash::{Card, Device, Disk, Source, System};
use crate::terminal::Terminal;

/// `imgbuild flash`
pub(super) fn flash(arguments: &Flash, output: Output) -> anyhow::Result<ExitCode> {
    let system = System::default();
    let (Some(image), Some(path), false) = (&arguments.image, &arguments.device, arguments.list)
    else {
        return list(arguments, &system, output);
    };
    super::refuse_profile(image)?;
    let source = Source::open(image)?;
    let device = if arguments.file {
        Device::File(path)
    } else {
        Device::Disk { path, may_be_no_card: arguments.not_a_card }
    };
    let card = Card::open(device, &source, &system)?;
    confirm(&card, arguments.yes)?;
    if !source.has_map() {
        output.detail("no block map lies beside the image: all of it is written, and its zeros too where the card has something else");
    }
    let name = card.name.clone();
    let verify = !arguments.no_verify;
    match card.flash(source, verify, &Shown::new(output)) {
        Ok(length) => {
            let compared = if verify { "written, read back and compared" } else { "written" };
            output.progress(&format!(
                "{name}: {} holds {} ({length} bytes {compared})",
                if arguments.file { "it" } else { "the card" },
                image.display()
            ));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Ok(unfinished(&error, &name)),
    }
}

/// Tells why a card was not finished, and what it is now.
fn unfinished(error: &anyhow::Error, name: &str) -> ExitCode {
    let interrupted = fault::interruption(error);
    match interrupted {
        Some(_) => output::say("interrupted"),
        None => super::report(error),
    }
    output::say(&format!(
        "{name} is not finished: nothing starts from it until it is flashed again"
    ));
    ExitCode::from(fault::exit_status(error))
}

/// What must be typed before anything is written.
fn confirm(card: &Card, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    let name = match &card.disk {
        Some(disk) => &disk.name,
        None => &card.name,
    };
    let Some(terminal) = Terminal::open() else {
        bail!(Usage(format!(
            "there is no terminal to ask whether all that is on {} may be lost; --yes says that it may",
            card.name
        )));
    };
    if let Some(disk) = &card.disk {
        terminal.say(&format!("{}: {}; {}", card.name, disk.description(), disk.contents()))?;
    }
    let question = format!("All that is on it will be lost. Type {name} to go on");
    let answer = terminal.text(&question, None, false)?;
    if answer != *name && answer != card.name {
        bail!(Usage(format!("`{answer}` is not {name}; nothing was written")));
    }
    Ok(())
}

/// The cards of this machine, one a line.
fn list(arguments: &Flash, system: &System, output: Output) -> anyhow::Result<ExitCode> {
    let cards = Disk::cards(system).context("asking the system for its disks")?;
    if cards.is_empty() {
        output::say("no card is in this machine: put one into a reader or a slot");
        return Ok(ExitCode::SUCCESS);
    }
    let rows = cards.iter().map(|disk| {
        let protected = if disk.read_only { "read-only; " } else { "" };
        [disk.path(), disk.description(), format!("{protected}{}", disk.contents())]
    });
    let rows: Vec<[String; 3]> = rows.collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let (first, second) = (width(0).unwrap_or_default(), width(1).unwrap_or_default());
    let mut text = String::new();
    for [path, description, contents] in &rows {
        writeln!(text, "{path:first$}  {description:second$}  {contents}")?;
    }
    output::data(&text)?;
    if let Some(image) = arguments.image.as_ref().filter(|_| !arguments.list) {
        output.progress(&format!("next: imgbuild flash {} {}", image.display(), cards[0].path()));
    }
    Ok(ExitCode::SUCCESS)
}
