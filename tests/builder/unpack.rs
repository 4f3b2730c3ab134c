//! Images in every form that is handed round, made by the tools that people make them with.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use imgbuild::unpack::{self, Format, into_sparse};
use tempfile::TempDir;

use crate::support::run;

/// A folder with `card.img`, 3 MiB of text and zeros, in which tools are called.
struct Workshop(TempDir);

impl Workshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("card.img"), content()).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn shell(&self, script: &str) {
        let script = format!("cd '{}' && {script}", self.0.path().display());
        run("sh", &["-euc".as_ref(), script.as_ref()]);
    }

    /// Makes a file with a script, and unpacks it.
    fn unpack(&self, script: &str, name: &str) -> Result<Vec<u8>, String> {
        self.shell(script);
        unpacked(&self.path(name))
    }
}

fn content() -> Vec<u8> {
    let text = (0..200_000).flat_map(|number: u32| format!("{number}\n").into_bytes());
    let mut content: Vec<u8> = text.collect();
    content.resize(2 << 20, 0);
    content.extend(b"the end".repeat(1000));
    content.resize(3 << 20, 0);
    content
}

/// Unpacks by both ways in, which must agree.
fn unpacked(path: &Path) -> Result<Vec<u8>, String> {
    let say = |error: anyhow::Error| format!("{error:#}");
    let mut reader = unpack::open(path).map_err(say)?;
    let announced = reader.announced();
    let file = tempfile::tempfile().unwrap();
    let extracted = into_sparse(&mut reader, &file, 1 << 30, |_, _| ()).map_err(say)?;
    assert_eq!(announced.unwrap_or(extracted.length), extracted.length);
    assert_eq!(reader.consumed(), reader.length(), "all of the file was looked at");
    let mut bytes = Vec::new();
    let read = unpack::open(path).unwrap().read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    assert!(file.metadata().unwrap().blocks() * 512 <= 2 << 20, "zeros are holes");
    assert_eq!(extracted.length, bytes.len() as u64);
    Ok(bytes)
}

#[test]
fn what_the_tools_pack_is_unpacked() {
    let workshop = Workshop::new();
    for (script, name, format) in [
        ("cp card.img a", "a", Format::Plain),
        ("xz -c card.img > b", "b", Format::Xz),
        ("xz -T2 --block-size=100000 -0 -c card.img > c", "c", Format::Xz),
        ("xz --check=sha256 -c card.img > d", "d", Format::Xz),
        // streams one after the other, with padding between them and at the end
        (
            "{ head -c 1000000 card.img | xz -0; head -c 8 /dev/zero; tail -c +1000001 card.img | xz -0 --check=none; head -c 4 /dev/zero; } > e",
            "e",
            Format::Xz,
        ),
        ("zstd -q -c card.img > f", "f", Format::Zstd),
        ("zstd -q -T2 --check --long=27 -c card.img > g", "g", Format::Zstd),
        (
            "{ head -c 1000000 card.img > 1; tail -c +1000001 card.img > 2; zstd -q -c 1 2; } > h",
            "h",
            Format::Zstd,
        ),
        (
            "{ printf '\\120\\052\\115\\030\\004\\000\\000\\000abcd'; zstd -q -c card.img; } > i",
            "i",
            Format::Zstd,
        ),
        ("gzip -c card.img > j", "j", Format::Gzip),
        ("{ gzip -9 -c 1; gzip -1 -c 2; } > k", "k", Format::Gzip),
        ("zip -q l card.img && mv l.zip l", "l", Format::Zip),
        ("zip -q -0 m card.img && mv m.zip m", "m", Format::Zip),
        (
            "mkdir sub && cp card.img sub/CARD.IMG && echo hello > README && zip -q -r n README sub && mv n.zip n",
            "n",
            Format::Zip,
        ),
        ("zip -q -fz o card.img && mv o.zip o", "o", Format::Zip),
        ("cat card.img | zip -q p - && mv p.zip p", "p", Format::Zip),
    ] {
        let bytes =
            workshop.unpack(script, name).unwrap_or_else(|error| panic!("{script}: {error}"));
        assert!(bytes == content(), "{script}");
        assert_eq!(unpack::open(&workshop.path(name)).unwrap().format(), format, "{script}");
    }
}

#[test]
fn what_is_known_of_the_size_is_known_before() {
    let workshop = Workshop::new();
    workshop.shell("xz -T2 --block-size=100000 -0 -k card.img; zstd -q card.img; gzip -k card.img; zip -q card card.img");
    for (name, announced) in [
        ("card.img", Some(3 << 20)),
        ("card.img.xz", Some(3 << 20)),
        ("card.img.zst", Some(3 << 20)),
        ("card.img.gz", None),
        ("card.zip", Some(3 << 20)),
    ] {
        assert_eq!(unpack::open(&workshop.path(name)).unwrap().announced(), announced, "{name}");
    }
}

#[test]
fn one_that_was_cut_short_is_never_taken_for_whole() {
    let workshop = Workshop::new();
    workshop.shell("xz -T2 --block-size=100000 -0 -k card.img; zstd -q card.img; gzip -k card.img; zip -q card card.img");
    for name in ["card.img.xz", "card.img.zst", "card.img.gz", "card.zip"] {
        let whole = fs::read(workshop.path(name)).unwrap();
        let path = workshop.path("short");
        let places =
            (1..40).map(|part| whole.len() * part / 40).chain(whole.len() - 40..whole.len());
        for at in places.chain(6..50) {
            fs::write(&path, &whole[..at]).unwrap();
            let error = unpacked(&path).expect_err(name);
            let told = ["cut short", "damaged", "zip directory cannot be read"];
            assert!(told.iter().any(|words| error.contains(words)), "{name} at {at}: {error}");
        }
    }
}

#[test]
fn one_that_was_damaged_is_never_taken_for_right() {
    let workshop = Workshop::new();
    workshop.shell(
        "xz -0 -k card.img; zstd -q --check card.img; gzip -k card.img; zip -q card card.img",
    );
    for name in ["card.img.xz", "card.img.zst", "card.img.gz", "card.zip"] {
        let whole = fs::read(workshop.path(name)).unwrap();
        let path = workshop.path("damaged");
        for place in 0..200 {
            let mut bytes = whole.clone();
            let at = 6 + place * (whole.len() - 6) / 200;
            bytes[at] ^= 1 << (place % 8);
            fs::write(&path, bytes).unwrap();
            // some bits mean nothing: a name, a date, a flag of the system
            if let Ok(bytes) = unpacked(&path) {
                assert!(bytes == content(), "{name} with a bit changed at {at}");
            }
        }
    }
}

#[test]
fn what_follows_the_end_is_refused() {
    let workshop = Workshop::new();
    for tool in ["xz", "zstd", "gzip"] {
        let script = format!("{{ {tool} -q -c card.img; echo rubbish; }} > long");
        let error = workshop.unpack(&script, "long").unwrap_err();
        assert_eq!(error, format!("something follows the end of the {tool} data"));
    }
}

#[test]
fn a_zip_without_the_one_image_is_refused() {
    let workshop = Workshop::new();
    for (script, words) in [
        (
            "echo a > a.txt; echo b > b.txt; zip -q z1.zip a.txt b.txt",
            "there is no image in the zip",
        ),
        (
            "cp card.img b.img; zip -q z2.zip card.img b.img",
            "there are 2 images in the zip (card.img, b.img)",
        ),
        ("zip -q -P secret z3.zip card.img", "card.img in the zip is encrypted"),
        ("zip -q -Z bzip2 z4.zip card.img", "which is not read"),
        (
            "zip -q z5.zip a.txt && zip -q -d z5.zip a.txt || printf 'PK\\005\\006%018d' 0 | tr 0 '\\000' > z5.zip",
            "there is no image in the zip",
        ),
    ] {
        let name =
            script.split(' ').find(|word| word.starts_with('z') && word.contains(".zip")).unwrap();
        let error = workshop.unpack(script, name).unwrap_err();
        assert!(error.contains(words), "{script}: {error}");
    }
}

#[test]
fn what_nobody_here_unpacks_is_named_with_what_does() {
    let workshop = Workshop::new();
    let error = workshop.unpack("printf 'BZh91AY' > card", "card").unwrap_err();
    assert!(error.ends_with("unpack it first with `bunzip2 -k`"), "{error}");
    let error = workshop.unpack(": > empty", "empty").unwrap_err();
    assert!(error.ends_with("it is empty"), "{error}");
}

#[test]
fn a_bomb_ends_at_its_limit() {
    let workshop = Workshop::new();
    workshop.shell(
        "truncate -s 300M zeros; xz -0 zeros; truncate -s 300M zeros; zstd -q zeros; gzip -1 zeros",
    );
    for name in ["zeros.xz", "zeros.zst", "zeros.gz"] {
        let mut reader = unpack::open(&workshop.path(name)).unwrap();
        let file = tempfile::tempfile().unwrap();
        let error = into_sparse(&mut reader, &file, 100 << 20, |_, _| ()).unwrap_err();
        assert!(
            error.to_string().starts_with("it unpacks to more than 104857600 bytes"),
            "{error}"
        );
        assert_eq!(file.metadata().unwrap().blocks(), 0);
    }
}
