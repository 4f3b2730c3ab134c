//! Raspberry Pi OS, in its likeness.

#[path = "../fixtures/raspios/mod.rs"]
mod fixture;

#[test]
fn made() {
    let base = fixture::trixie_arm64();
    eprintln!("{:?}", base.facts);
}
