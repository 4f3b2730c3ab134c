//! How work goes, for whoever sits at the standard error: a bar on a terminal, a line now and then elsewhere.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::{self, Output};
use crate::progress::Watch;

/// Shows how work goes.
pub(super) struct Shown {
    output: Output,
    work: RefCell<Option<Work>>,
}

struct Work {
    title: String,
    total: Option<u64>,
    bar: Option<ProgressBar>,
    /// When it began, and when it was told last.
    began: Instant,
    told: Instant,
    /// How much was done when that was said first: a download may go on where another one ended.
    before: Option<u64>,
}

/// How long nothing is told where there is no bar.
const PAUSE: Duration = Duration::from_secs(10);
/// Work that is smaller is done before it is read about: bytes.
const SMALL: u64 = 128 << 20;

impl Shown {
    pub(super) fn new(output: Output) -> Self {
        Self { output, work: RefCell::new(None) }
    }

    /// Work that begins when it is first said how much is done, and how much there is: bytes.
    pub(super) fn done_of(&self, title: &str) -> impl Fn(u64, u64) {
        move |done, total| {
            if self.work.borrow().is_none() {
                self.begin(title, Some(total));
            }
            self.at(done);
        }
    }
}

impl Watch for Shown {
    fn line(&self, text: &str) {
        match self.work.borrow().as_ref().and_then(|work| work.bar.as_ref()) {
            Some(bar) => bar.suspend(|| self.output.progress(text)),
            None => self.output.progress(text),
        }
    }

    fn begin(&self, title: &str, total: Option<u64>) {
        let bar = (output::is_terminal() && !self.output.is_quiet()).then(|| bar(title, total));
        if bar.is_none() && total.is_none_or(|total| total >= SMALL) {
            let size = total.map_or(String::new(), |total| format!(" ({} MiB)", total >> 20));
            self.output.progress(&format!("{title}{size}"));
        }
        let began = Instant::now();
        let work = Work { title: title.to_owned(), total, bar, began, told: began, before: None };
        *self.work.borrow_mut() = Some(work);
    }

    fn at(&self, done: u64) {
        if let Some(work) = self.work.borrow_mut().as_mut() {
            match &work.bar {
                Some(bar) => bar.set_position(done),
                None => work.tell(done, self.output),
            }
        }
    }

    fn end(&self) {
        if let Some(Work { bar: Some(bar), .. }) = self.work.take() {
            bar.finish_and_clear();
        }
    }
}

impl Work {
    fn tell(&mut self, done: u64, output: Output) {
        let before = *self.before.get_or_insert(done);
        if self.told.elapsed() < PAUSE || self.total.is_some_and(|total| total < SMALL) {
            return;
        }
        self.told = Instant::now();
        output.progress(&format!(
            "{}: {}",
            self.title,
            standing(before, done, self.total, self.began.elapsed())
        ));
    }
}

/// How far work is that has taken so long: bytes done, `before` of them by others; their rate, and at that rate what is
/// left.
fn standing(before: u64, done: u64, total: Option<u64>, took: Duration) -> String {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_sub(before).saturating_mul(1000) / millis;
    let told = |bytes: u64| bytes >> 20;
    let Some(total) = total else {
        return format!("{} MiB, {} MiB/s", told(done), told(rate));
    };
    let left = match total.saturating_sub(done).checked_div(rate) {
        Some(seconds) => format!(", {} left", HumanDuration(Duration::from_secs(seconds))),
        None => String::new(),
    };
    format!("{} of {} MiB, {} MiB/s{left}", told(done), told(total), told(rate))
}

fn bar(title: &str, total: Option<u64>) -> ProgressBar {
    let (target, colour) = (ProgressDrawTarget::stderr(), output::takes_colour());
    let bar = if colour { "{wide_bar:.cyan}" } else { "{wide_bar}" };
    let (template, bar) = match total {
        Some(total) => (
            format!("{{msg}} {bar} {{bytes}} of {{total_bytes}}, {{bytes_per_sec}}, {{eta}} left"),
            ProgressBar::with_draw_target(Some(total), target),
        ),
        None => (
            "{msg} {spinner} {bytes}, {bytes_per_sec}".to_owned(),
            ProgressBar::with_draw_target(None, target),
        ),
    };
    let style = ProgressStyle::with_template(&template).expect("the template is right");
    bar.with_style(style).with_message(title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_are_told() {
        let seconds = Duration::from_secs(20);
        let of = |done: u64, total: Option<u64>| {
            standing(0, done << 20, total.map(|total| total << 20), seconds)
        };
        assert_eq!(of(400, Some(2000)), "400 of 2000 MiB, 20 MiB/s, 80 seconds left");
        assert_eq!(of(400, None), "400 MiB, 20 MiB/s");
        assert_eq!(
            standing(2000 << 20, 2010 << 20, Some(2500 << 20), seconds / 2),
            "2010 of 2500 MiB, 1 MiB/s, 8 minutes left"
        );
        assert_eq!(of(0, Some(2000)), "0 of 2000 MiB, 0 MiB/s");
        assert_eq!(standing(0, 5, Some(5), Duration::ZERO), "0 of 0 MiB, 0 MiB/s, 0 seconds left");
    }
}
