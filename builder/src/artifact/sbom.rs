//! The bill of materials of a card: every package that dpkg knows, the agent, and the crates it is made of.
//!
//! `CycloneDX` 1.6 in JSON. Packages are named by package URLs (`pkg:deb/…`, `pkg:cargo/…`), by which scanners look
//! up what is known against them.

use anyhow::Context;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Origin;
use crate::agents::Crate;
use crate::base::Base;
use crate::base::facts::Release;
use crate::base::packages::Package;
use crate::base::tree::Tree;
use crate::digest::sha256;
use crate::plan::AGENT_PATH;

/// How the card itself and its system are called within the bill.
const CARD: &str = "card";
const SYSTEM: &str = "system";

/// The bill of `card`, made from `origin`.
pub(super) fn of(card: &Base, origin: &Origin<'_>) -> anyhow::Result<String> {
    let release = &card.facts.release;
    let packages = card.packages()?;
    let agent = card.root()?.read(AGENT_PATH)?;
    let agent = agent.with_context(|| format!("the card has no {AGENT_PATH}"))?;
    let mut components = vec![system(release)];
    let packages: Vec<Value> = packages.iter().map(|it| package(it, release)).collect();
    let (own, others): (Vec<&Crate>, Vec<&Crate>) =
        origin.crates.iter().partition(|it| it.name == "imgbuild-agent");
    let version = own.first().map_or(env!("CARGO_PKG_VERSION"), |it| it.version.as_str());
    let agent = agent_component(version, &sha256(&agent));
    let crates: Vec<Value> = others.into_iter().map(crate_component).collect();
    let dependencies = [
        json!({"ref": CARD, "dependsOn": [SYSTEM, &agent["bom-ref"]]}),
        json!({"ref": SYSTEM, "dependsOn": references(&packages)}),
        json!({"ref": &agent["bom-ref"], "dependsOn": references(&crates)}),
    ];
    components.extend(packages);
    components.push(agent);
    components.extend(crates);
    let date = i64::try_from(origin.plan.date).ok().map(OffsetDateTime::from_unix_timestamp);
    let date = date.and_then(Result::ok).and_then(|date| date.format(&Rfc3339).ok());
    let spec = &origin.loaded.spec;
    let bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            // the image's date: a build knows no other
            "timestamp": date.context("the date is beyond what a calendar has")?,
            "tools": {"components": [
                {"type": "application", "name": "imgbuild", "version": env!("CARGO_PKG_VERSION")},
            ]},
            "component": {
                "type": "firmware",
                "bom-ref": CARD,
                "name": spec.card.device.id.as_str(),
                "description": format!("a card for {}", spec.model.name()),
            },
        },
        "components": components,
        "dependencies": dependencies,
    });
    Ok(serde_json::to_string_pretty(&numbered(bill))? + "\n")
}

/// A serial number that is the content's own: a UUID of version 8 (RFC 9562), made from its hash.
fn numbered(mut bill: Value) -> Value {
    let mut digits = sha256(bill.to_string().as_bytes()).into_bytes();
    digits[12] = b'8';
    // the two highest bits of the variant are 10
    digits[16] = b'8';
    let digits = String::from_utf8_lossy(&digits);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &digits[range]);
    bill["serialNumber"] = format!("urn:uuid:{}", parts.join("-")).into();
    bill
}

fn references(components: &[Value]) -> Vec<&Value> {
    components.iter().map(|component| &component["bom-ref"]).collect()
}

fn system(release: &Release) -> Value {
    let Release { id, codename, name } = release;
    let version = if codename.is_empty() { name } else { codename };
    json!({
        "type": "operating-system", "bom-ref": SYSTEM, "name": id, "version": version,
        "description": name,
    })
}

fn package(package: &Package, release: &Release) -> Value {
    let Package { name, version, architecture } = package;
    let url = format!(
        "pkg:deb/{}/{}@{}?arch={}&distro={}",
        escaped(&release.id),
        escaped(name),
        escaped(version),
        escaped(architecture),
        escaped(&release.codename)
    );
    json!({"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url})
}

fn agent_component(version: &str, sha256: &str) -> Value {
    json!({
        "type": "application", "bom-ref": "agent", "name": "imgbuild-agent", "version": version,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
    })
}

fn crate_component(it: &Crate) -> Value {
    let Crate { name, version, published, licence } = it;
    let url = format!("pkg:cargo/{}@{}", escaped(name), escaped(version));
    let mut component =
        json!({"type": "library", "bom-ref": url, "name": name, "version": version});
    // one of ours is in no registry, and another's of that name is not meant
    if *published {
        component["purl"] = url.into();
    }
    if !licence.is_empty() {
        component["licenses"] = json!([{"expression": licence}]);
    }
    component
}

/// A part of a package URL: everything but letters, digits and `.-_~` by its bytes.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_s_url_holds_what_would_end_it() {
        let release =
            Release { id: "debian".into(), codename: "trixie".into(), name: "Debian".into() };
        let gcc = Package {
            name: "libstdc++6".into(),
            version: "1:14.2~rc1+b2".into(),
            architecture: "arm64".into(),
        };
        assert_eq!(
            package(&gcc, &release)["purl"],
            "pkg:deb/debian/libstdc%2B%2B6@1%3A14.2~rc1%2Bb2?arch=arm64&distro=trixie"
        );
    }

    #[test]
    fn the_same_content_has_the_same_number() {
        let one = numbered(json!({"a": 1}));
        assert_eq!(one, numbered(json!({"a": 1})));
        assert_ne!(one["serialNumber"], numbered(json!({"a": 2}))["serialNumber"]);
        let number = one["serialNumber"].as_str().unwrap();
        assert_eq!((number.len(), &number[23..24], &number[28..29]), (45, "8", "8"), "{number}");
    }
}
