//! The list of images that Raspberry Pi publishes, as Raspberry Pi Imager reads it.
//!
//! The list is a tree, `os_list` with `subitems` in `subitems`, of names for people. Which image is which, the names
//! of the files tell: `2025-10-01-raspios-trixie-arm64-lite.img.xz`. They have had this form since 2020.
//! Source of the list's form: rpi-imager, `doc/json-schema/os-list-schema.json`.

use anyhow::{Context, bail, ensure};
use imgbuild_schema::profile::NamedBase;
use imgbuild_schema::values::Release;
use serde_json::Value;

/// An image of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// Where it is.
    pub(super) url: String,
    /// The SHA-256 of the file as it is there. The official list leaves it empty.
    pub(super) sha256: Option<String>,
    /// The bytes of the file.
    pub(super) size: Option<u64>,
    /// The SHA-256 of what is unpacked from it.
    pub(super) extract_sha256: Option<String>,
    /// The bytes of that.
    pub(super) extract_size: Option<u64>,
    /// The day on which it came out.
    pub(super) release_date: String,
    /// How Imager would configure it.
    pub(super) init_format: Option<String>,
    /// Debian's name for the release.
    codename: String,
    /// Does it stand for those who cannot take the newest release?
    is_legacy: bool,
}

/// The most bytes of a list; the official one has a few hundred thousand.
pub(super) const MOST_BYTES: u64 = 16 << 20;

/// Finds a base in the list: its newest release, or the one that is asked for.
pub(super) fn find(
    list: &str,
    base: NamedBase,
    release: Option<&Release>,
) -> anyhow::Result<Listed> {
    let list: Value = serde_json::from_str(list)
        .map_err(|error| anyhow::anyhow!("it is no list of images: it is not JSON: {error}"))?;
    let items = list.get("os_list").and_then(Value::as_array);
    let items = items.context("it is no list of images: it has no `os_list`")?;
    let mut found = Vec::new();
    collect(items, base, &mut found)?;
    let name = base.name();
    ensure!(!found.is_empty(), "it has no image that is {name}");
    // of one day, the one that comes first
    found.sort_by(|one, other| other.release_date.cmp(&one.release_date));
    let chosen = match release.map(Release::as_str) {
        None => found.iter().find(|it| !it.is_legacy),
        Some(release) => {
            found.iter().find(|it| it.codename == release || it.release_date == release)
        }
    };
    let Some(chosen) = chosen else {
        let known = found.iter().map(|it| format!("{} ({})", it.codename, it.release_date));
        let known: Vec<String> = known.collect();
        let wanted = release.map_or("current", Release::as_str);
        bail!(
            "it has no {wanted} release of {name}, only {}; an older one can be given by `{{url: …, sha256: …}}`",
            known.join(", ")
        );
    };
    ensure!(
        chosen.sha256.is_some() || chosen.extract_sha256.is_some(),
        "it gives no SHA-256 for {}, so what is downloaded could not be checked",
        chosen.url
    );
    Ok(chosen.clone())
}

fn collect(items: &[Value], base: NamedBase, found: &mut Vec<Listed>) -> anyhow::Result<()> {
    for item in items {
        if let Some(items) = item.get("subitems").and_then(Value::as_array) {
            collect(items, base, found)?;
        }
        let Some(url) = item.get("url").and_then(Value::as_str) else { continue };
        if let Some((date, codename)) = named_so(url, base) {
            let listed = listed(item, url, date, codename);
            found.push(listed.with_context(|| format!("its entry for {url}"))?);
        }
    }
    Ok(())
}

/// The day and Debian's name in the name of a file, if it is an image of this base.
fn named_so(url: &str, base: NamedBase) -> Option<(&str, &str)> {
    let (_, name) = url.split(['?', '#']).next()?.rsplit_once('/')?;
    let (stem, _) = name.split_once(".img")?;
    let (date, rest) = stem.split_once("-raspios-")?;
    let (codename, kind) = rest.split_once('-')?;
    let wanted = match base {
        NamedBase::RaspiosLiteArm64 => "arm64-lite",
        NamedBase::RaspiosLiteArmhf => "armhf-lite",
        NamedBase::RaspiosArm64 => "arm64",
        NamedBase::RaspiosArmhf => "armhf",
        NamedBase::RaspiosFullArm64 => "arm64-full",
        NamedBase::RaspiosFullArmhf => "armhf-full",
        NamedBase::DebianTrixieArm64 | NamedBase::DebianBookwormArmel => return None,
    };
    (kind == wanted).then_some((date, codename))
}

fn listed(item: &Value, url: &str, date: &str, codename: &str) -> anyhow::Result<Listed> {
    ensure!(
        url.starts_with("https://") || url.starts_with("http://"),
        "its address begins neither with https:// nor with http://"
    );
    let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
    Ok(Listed {
        sha256: sha256(item, "image_download_sha256")?,
        size: size(item, "image_download_size")?,
        extract_sha256: sha256(item, "extract_sha256")?,
        extract_size: size(item, "extract_size")?,
        release_date: text(item, "release_date")?.unwrap_or_else(|| date.to_owned()),
        init_format: text(item, "init_format")?,
        codename: codename.to_owned(),
        is_legacy: url.contains("/raspios_oldstable") || name.contains("Legacy"),
        url: url.to_owned(),
    })
}

/// A text; none where it is missing or empty.
fn text(item: &Value, key: &str) -> anyhow::Result<Option<String>> {
    match item.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => bail!("its `{key}` is {other}, which is no text"),
    }
}

fn sha256(item: &Value, key: &str) -> anyhow::Result<Option<String>> {
    let Some(text) = text(item, key)? else { return Ok(None) };
    let digest: Result<imgbuild_schema::values::Sha256, _> = text.parse();
    let digest = digest.map_err(|error| anyhow::anyhow!("its `{key}`: {error}"))?;
    Ok(Some(digest.as_str().to_owned()))
}

fn size(item: &Value, key: &str) -> anyhow::Result<Option<u64>> {
    match item.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(0) => Ok(None),
            Some(size) => Ok(Some(size)),
            None => bail!("its `{key}` is {value}, which is no number of bytes"),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(name: &str, folder: &str, file: &str, date: &str) -> Value {
        json!({
            "name": name,
            "url": format!("https://example.org/{folder}/images/{folder}-{date}/{file}"),
            "extract_size": 2_847_932_416_u64,
            "extract_sha256": "AB".repeat(32),
            "image_download_size": 514_826_556,
            "image_download_sha256": "",
            "release_date": date,
            "init_format": "cloudinit-rpi",
            "devices": ["pi5-64bit"],
        })
    }

    fn list() -> Value {
        json!({
            "imager": {"latest_version": "2.0.0", "devices": [{"name": "Raspberry Pi 5", "tags": ["pi5-64bit"]}]},
            "os_list": [
                entry("Raspberry Pi OS (64-bit)", "raspios_arm64", "2025-10-01-raspios-trixie-arm64.img.xz", "2025-10-01"),
                {"name": "Raspberry Pi OS (other)", "subitems": [
                    entry("Raspberry Pi OS (Legacy, 64-bit) Lite", "raspios_oldstable_lite_arm64", "2025-11-24-raspios-bookworm-arm64-lite.img.xz", "2025-11-24"),
                    entry("Raspberry Pi OS Lite (64-bit)", "raspios_lite_arm64", "2025-10-01-raspios-trixie-arm64-lite.img.xz", "2025-10-01"),
                    entry("Raspberry Pi OS Full (64-bit)", "raspios_full_arm64", "2025-10-01-raspios-trixie-arm64-full.img.xz", "2025-10-01"),
                ]},
                {"name": "Other", "subitems_url": "https://example.org/more.json"},
                {"name": "Erase", "url": "internal://format"},
            ],
        })
    }

    fn found(base: NamedBase, release: Option<&str>) -> Result<String, String> {
        let release = release.map(|release| release.parse().unwrap());
        let found = find(&list().to_string(), base, release.as_ref());
        found
            .map(|it| it.url.rsplit_once('/').unwrap().1.to_owned())
            .map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn the_newest_is_not_the_legacy_one_even_if_that_came_later() {
        let base = NamedBase::RaspiosLiteArm64;
        assert_eq!(found(base, None).unwrap(), "2025-10-01-raspios-trixie-arm64-lite.img.xz");
        let bookworm = "2025-11-24-raspios-bookworm-arm64-lite.img.xz";
        assert_eq!(found(base, Some("bookworm")).unwrap(), bookworm);
        assert_eq!(found(base, Some("2025-11-24")).unwrap(), bookworm);
        let desktop = found(NamedBase::RaspiosArm64, None).unwrap();
        assert_eq!(desktop, "2025-10-01-raspios-trixie-arm64.img.xz");
    }

    #[test]
    fn what_the_list_has_not_is_said_with_what_it_has() {
        assert_eq!(
            found(NamedBase::RaspiosLiteArm64, Some("buster")).unwrap_err(),
            "it has no buster release of raspios-lite-arm64, only bookworm (2025-11-24), trixie (2025-10-01); \
             an older one can be given by `{url: …, sha256: …}`"
        );
        assert_eq!(
            found(NamedBase::RaspiosLiteArmhf, None).unwrap_err(),
            "it has no image that is raspios-lite-armhf"
        );
    }

    #[test]
    fn the_empty_hash_of_the_official_list_is_none() {
        let found = find(&list().to_string(), NamedBase::RaspiosLiteArm64, None).unwrap();
        assert_eq!((found.sha256, found.extract_sha256), (None, Some("ab".repeat(32))));
    }

    #[test]
    fn a_list_of_another_shape_is_refused_and_says_where() {
        let refusal = |text: &str| {
            format!("{:#}", find(text, NamedBase::RaspiosFullArm64, None).unwrap_err())
        };
        assert!(refusal("<html>").starts_with("it is no list of images: it is not JSON: "));
        for text in ["[]", "{}", "{\"os_list\": {}}", "3"] {
            assert_eq!(refusal(text), "it is no list of images: it has no `os_list`", "{text}");
        }
        let spoiled = |key: &str, value: Value| {
            let mut list = list();
            list["os_list"][1]["subitems"][2][key] = value;
            refusal(&list.to_string())
        };
        for (key, value, words) in [
            (
                "extract_size",
                json!("big"),
                "its `extract_size` is \"big\", which is no number of bytes",
            ),
            ("extract_size", json!(-1), "its `extract_size` is -1, which is no number of bytes"),
            ("release_date", json!(3), "its `release_date` is 3, which is no text"),
            (
                "extract_sha256",
                json!("abc"),
                "its `extract_sha256`: a SHA-256 is 64 hexadecimal digits",
            ),
            (
                "extract_sha256",
                json!(null),
                "it gives no SHA-256 for https://example.org/raspios_full_arm64",
            ),
        ] {
            assert!(spoiled(key, value).contains(words), "{words}");
        }
    }
}
