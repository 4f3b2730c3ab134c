use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use imgbuild_schema::card::{Access, CardProfile, PROFILE_PATH};
use imgbuild_schema::yaml;

use super::arguments::Run;
use super::build;
use super::output::Output;
use super::progress::Shown;
use crate::artifact::Target;
use crate::base::Base;
use crate::base::cache::Bases;
use crate::base::tree::Tree;
use crate::emulator::session::{self, Options};
use crate::emulator::{Board, Setup};
use crate::profile::{self, Loaded};
use crate::scratch;
use crate::source::card;

/// `imgbuild run`
pub(super) fn run(arguments: &Run, output: Output) -> anyhow::Result<ExitCode> {
    // beside the bases: there a card may share their blocks, and /tmp may be too small for it
    let cache = Bases::of_user()?.folder().to_owned();
    fs::create_dir_all(&cache).with_context(|| format!("making {}", cache.display()))?;
    let scratch = scratch::Folder::within(&cache)?;
    let (image, model) = image(arguments, &scratch, output)?;
    let card = Card::read(&image, &scratch, output)?;
    let board = board(model, &card.base, output)?;
    if matches!(card.setup, Setup::Tls { clients: None, .. }) {
        output.progress("note: the broker cannot check the device's certificate: its authority is not on the card");
    }
    let options = Options {
        board,
        thermometer: card.thermometer,
        temperature: Some(arguments.temperature),
        time: arguments.time,
        messages: arguments.messages,
        ..Options::new(card.base.path.clone(), scratch.path(), card.setup)
    };
    session::run(&options, &mut std::io::stdout(), &mut std::io::stderr())?;
    Ok(ExitCode::SUCCESS)
}

/// The image to boot: a profile's is built first. With the model, where it is known.
fn image(
    arguments: &Run,
    scratch: &scratch::Folder,
    output: Output,
) -> anyhow::Result<(PathBuf, Option<&'static str>)> {
    let card = &arguments.card;
    if !profile::is_called_so(card) {
        return Ok((card.clone(), None));
    }
    let loaded = Loaded::read(card)?;
    let image = scratch.path().join("card.img");
    build::to(&loaded, &Target::new(&image)?, false, &arguments.sources, output)?;
    Ok((image, Some(loaded.spec.model.name())))
}

/// The board to boot a card in: its model's, or one that runs the same programs.
fn board(model: Option<&'static str>, base: &Base, output: Output) -> anyhow::Result<Board> {
    if let Some(board) = model.and_then(Board::for_model) {
        return Ok(board);
    }
    let boards = &base.facts.firmware.boards;
    let Some((stand_in, board)) =
        boards.iter().find_map(|name| Some((name, Board::for_model(name)?)))
    else {
        bail!("no board can be emulated that boots this card: it is for {}", boards.join(", "));
    };
    if let Some(model) = model {
        output.progress(&format!(
            "note: a {model} cannot be emulated; a {stand_in} stands in for it"
        ));
    }
    Ok(board)
}

/// What a card says of itself, as far as a broker and a board for it must know.
struct Card {
    base: Base,
    setup: Setup,
    thermometer: u8,
}

/// Where the emulated sensor answers on a card that has none.
const DEFAULT_THERMOMETER: u8 = 0x48;

impl Card {
    fn read(image: &Path, scratch: &scratch::Folder, output: Output) -> anyhow::Result<Self> {
        let base = card::open(image, &Shown::new(output))?;
        let root = base.root()?;
        let Some(text) = root.read_text(PROFILE_PATH)? else {
            bail!("{} is no card of imgbuild: it has no {PROFILE_PATH}", image.display());
        };
        let profile: CardProfile = yaml::parse(&text)
            .map_err(|problem| anyhow::anyhow!("{PROFILE_PATH} on the card: {problem}"))?;
        let addresses = profile.sensors.iter().flat_map(|sensor| sensor.driver.i2c());
        let thermometer = addresses.map(|(_, address)| address.get()).next();
        Ok(Self {
            setup: setup(profile.cloud.access(), &root, scratch)?,
            thermometer: thermometer.unwrap_or(DEFAULT_THERMOMETER),
            base,
        })
    }
}

/// A broker that the card takes for its own. It asks for a certificate if the card has one and also
/// holds the authority, which commonly signed both sides' certificates.
fn setup(access: Access<'_>, root: &dyn Tree, scratch: &scratch::Folder) -> anyhow::Result<Setup> {
    let host = access.host;
    if !access.secured {
        return Ok(Setup::Plain);
    }
    let (Some(_), Some(ca)) = (access.identity, access.ca) else { return Ok(Setup::tls(host)) };
    let path = ca.to_str().context("the path of the card's authority is not UTF-8")?;
    let authority = root.read(path)?.with_context(|| format!("the card has no {path}"))?;
    let clients = scratch.path().join("clients.pem");
    fs::write(&clients, authority).context("writing a temporary file")?;
    Ok(Setup::mutual_tls(host, clients))
}
