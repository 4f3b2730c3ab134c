//! A flash that ends in the middle, by a signal or by a power cut.

use std::fs;
use std::process::Stdio;
use std::time::Instant;

use super::{assert_holds, flash, head, length, noisy_image, project, used_card};
use crate::shared::process::Process;
use crate::support::Project;

/// How often it is killed: so often that every stage is met, or `IMGBUILD_KILLS` times.
fn times() -> u64 {
    std::env::var("IMGBUILD_KILLS").map_or(12, |times| times.parse().unwrap())
}

/// A project with an image that takes a moment: noise behind a partition table.
fn slow(length: usize) -> Project {
    let project = project();
    noisy_image(&project, length);
    project
}

fn start(project: &Project) -> Process {
    let arguments = ["flash", "--file", "--yes", "card.img", "card"];
    let said = fs::File::create(project.path("said")).unwrap();
    Process::start(project.command(&arguments).stderr(Stdio::from(said)))
}

#[test]
fn a_card_is_whole_or_starts_nothing_and_the_next_run_completes_it() {
    let project = slow(24 << 20);
    let image = fs::read(project.path("card.img")).unwrap();
    let before = used_card(&project, image.len());
    let begin = Instant::now();
    assert!(flash(&project, &["card.img", "card"]).starts_with("exit: 0\n"));
    let whole = begin.elapsed();
    let (times, mut met) = (times(), [0_u64; 3]);
    for time in 0..times {
        used_card(&project, image.len());
        let flashing = start(&project);
        std::thread::sleep(whole.mul_f64(
            (f64::from(u32::try_from(time).unwrap()) + 0.5)
                / f64::from(u32::try_from(times).unwrap()),
        ));
        flashing.kill();
        let card = fs::read(project.path("card")).unwrap();
        let state = match &card[..4096] {
            head if head == &image[..4096] => 2,
            [0, rest @ ..] if rest.iter().all(|byte| *byte == 0) => 1,
            _ => 0,
        };
        met[state] += 1;
        // what looks like a card is one; and what was not begun is as it was
        assert!(state != 2 || card == image, "kill {time}");
        assert!(state != 0 || card[4096..] == before[4096..], "kill {time}");
        assert!(flash(&project, &["card.img", "card"]).starts_with("exit: 0\n"));
        assert_holds(&project.path("card"), &project.path("card.img"));
    }
    assert!(met[1] > 0, "no kill met a card in the making: {met:?}");
}

#[test]
fn who_interrupts_it_is_told_what_the_card_is_now() {
    for (signal, status) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let project = slow(96 << 20);
        used_card(&project, length(&project.path("card.img")));
        let mut flashing = start(&project);
        crate::shared::wait_for("the first block to be wiped", || {
            (head(&project) == [0; 4096]).then_some(())
        });
        flashing.signal(signal);
        assert_eq!(flashing.wait(), Some(status));
        let said = fs::read_to_string(project.path("said")).unwrap();
        assert!(said.ends_with("interrupted\ncard is not finished: nothing starts from it until it is flashed again\n"), "{said}");
        assert_eq!(head(&project), [0; 4096]);
    }
}
