//! Nothing is written before its name was typed.

use std::fs;

use super::{assert_holds, length, noise, project, used_card};
use crate::support::Project;

fn used() -> Project {
    let project = project();
    used_card(&project, length(&project.path("card.img")));
    project
}

fn is_untouched(project: &Project) -> bool {
    fs::read(project.path("card")).unwrap() == noise(1, length(&project.path("card.img")))
}

const QUESTION: &str = "All that is on it will be lost. Type card to go on: ";

#[test]
fn the_name_is_typed_and_a_bar_shows_how_it_goes() {
    let project = used();
    let mut terminal = project.on_terminal(&["flash", "--file", "card.img", "card"]);
    terminal.answer(QUESTION, "card");
    terminal.expect("writing to card ");
    terminal.expect("B/s");
    terminal.expect("reading back card ");
    terminal.expect("card: it holds card.img");
    assert_eq!(terminal.wait(), Some(0));
    assert_holds(&project.path("card"), &project.path("card.img"));
}

#[test]
fn another_name_or_none_leaves_the_card_as_it_was() {
    for (keys, status, said) in [
        ("yes\r", 2, "`yes` is not card; nothing was written"),
        ("\u{4}", 2, "the answers ended early; nothing was written"),
        ("ca\u{3}", 130, "interrupted; nothing was written"),
    ] {
        let project = used();
        let mut terminal = project.on_terminal(&["flash", "--file", "card.img", "card"]);
        terminal.expect(QUESTION);
        terminal.press(keys);
        terminal.expect(said);
        assert_eq!(terminal.wait(), Some(status));
        assert!(is_untouched(&project));
    }
}

#[test]
fn without_a_terminal_it_is_said_how_to_do_without() {
    let project = used();
    let seen = project.imgbuild(&["flash", "--file", "card.img", "card"]);
    assert_eq!(
        seen,
        "exit: 2\nerror: there is no terminal to ask whether all that is on card may be lost; --yes says that it may\n"
    );
    assert!(is_untouched(&project));
}
