use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;

use imgbuild_schema::report::{Format, Report};

use super::arguments::Check;
use super::output::{self, Output};
use crate::check;

/// `imgbuild check`
pub(super) fn check(arguments: &Check, output: Output) -> anyhow::Result<ExitCode> {
    let mut printer = Printer { format: arguments.format.into(), first: true };
    let mut wrong = false;
    for paths in arguments.profiles.chunks(AT_ONCE) {
        for (path, reports) in paths.iter().zip(check_all(paths)) {
            for report in &reports {
                wrong |= report.has_errors();
                printer.print(report)?;
            }
            let right = reports.iter().all(|report| report.problems().is_empty());
            if right && printer.format == Format::Human {
                output.progress(&format!("{}: nothing wrong", path.display()));
            }
        }
    }
    printer.end()?;
    Ok(ExitCode::from(u8::from(wrong)))
}

/// How many profiles are held in memory at once.
const AT_ONCE: usize = 256;

/// The reports of several profiles, in their order, worked out on every processor.
fn check_all(paths: &[PathBuf]) -> Vec<Vec<Report>> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = paths.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let shares: Vec<_> = paths
            .chunks(share)
            .map(|paths| {
                scope.spawn(|| paths.iter().map(|path| check::profile(path)).collect::<Vec<_>>())
            })
            .collect();
        let joined = shares.into_iter().map(|it| it.join().expect("a check does not panic"));
        joined.flatten().collect()
    })
}

/// Prints reports one after the other.
struct Printer {
    format: Format,
    first: bool,
}

impl Printer {
    /// People read the standard error, as with every other command; programs read the standard output.
    fn print(&mut self, report: &Report) -> anyhow::Result<()> {
        match self.format {
            Format::Human if report.problems().is_empty() => {}
            Format::Human => {
                let gap = if self.first { "" } else { "\n" };
                output::say(&format!("{gap}{}", report.render(output::takes_colour())));
                self.first = false;
            }
            Format::Json => {
                for record in report.records() {
                    let lead = if self.first { "[\n" } else { ",\n" };
                    self.first = false;
                    output::data(&(lead.to_owned() + &serde_json::to_string(&record)?))?;
                }
            }
            Format::Github => output::data(&report.github())?,
        }
        Ok(())
    }

    fn end(self) -> anyhow::Result<()> {
        match self.format {
            Format::Json if self.first => output::data("[]\n"),
            Format::Json => output::data("\n]\n"),
            _ => Ok(()),
        }
    }
}
