//! Enabling and masking of systemd units without systemd: the links that `systemctl` would make
//! (systemd.unit(5), "[Install] section options").

use std::collections::BTreeMap;

use anyhow::{Context, bail};

/// Where the links go, and where an administrator's units lie.
const ETC: &str = "/etc/systemd/system";

/// Where units may lie, the first that has one counts.
const FOLDERS: [&str; 3] = [ETC, "/usr/lib/systemd/system", "/lib/systemd/system"];

/// Reads a text file as it will be on the card; none if there is none.
pub(super) type ReadText<'a> = dyn Fn(&str) -> anyhow::Result<Option<String>> + 'a;

/// The links to make: path, target, and who wants it. Units come with who wants them.
pub(super) fn links(
    enabled: &[(&str, &str)],
    masked: &[(&str, &str)],
    read: &ReadText<'_>,
) -> anyhow::Result<Vec<(String, String, String)>> {
    let mut links = BTreeMap::new();
    for (unit, origin) in masked {
        if let Some((_, other)) = enabled.iter().find(|(enabled, _)| enabled == unit) {
            bail!("{unit} is enabled by {other} and masked by {origin}");
        }
        links.insert(format!("{ETC}/{unit}"), ("/dev/null".to_owned(), (*origin).to_owned()));
    }
    let mut waiting: Vec<(String, String)> =
        enabled.iter().map(|(unit, origin)| ((*unit).to_owned(), (*origin).to_owned())).collect();
    let mut done = Vec::new();
    while let Some((unit, origin)) = waiting.pop() {
        if done.contains(&unit) || masked.iter().any(|(masked, _)| *masked == unit) {
            continue;
        }
        let install =
            Install::find(&unit, read).with_context(|| format!("{origin}: enabling {unit}"))?;
        for path in install.link_paths(&unit) {
            links.insert(path, (install.path.clone(), origin.clone()));
        }
        waiting.extend(install.also.iter().map(|also| (also.clone(), origin.clone())));
        done.push(unit);
    }
    Ok(links.into_iter().map(|(path, (target, origin))| (path, target, origin)).collect())
}

/// The `[Install]` section of a unit, and where the unit lies.
struct Install {
    path: String,
    wanted_by: Vec<String>,
    required_by: Vec<String>,
    alias: Vec<String>,
    also: Vec<String>,
}

impl Install {
    fn find(unit: &str, read: &ReadText<'_>) -> anyhow::Result<Self> {
        let file = file_of(unit);
        for folder in FOLDERS {
            let path = format!("{folder}/{file}");
            let Some(text) = read(&path)? else { continue };
            let install = Self::parse(path, &text);
            let says_nothing = install.wanted_by.is_empty()
                && install.required_by.is_empty()
                && install.alias.is_empty()
                && install.also.is_empty();
            if says_nothing {
                bail!("its [Install] section does not say what wants it");
            }
            return Ok(install);
        }
        bail!("neither the base nor an overlay has a unit {file}")
    }

    fn parse(path: String, text: &str) -> Self {
        let mut install = Self {
            path,
            wanted_by: Vec::new(),
            required_by: Vec::new(),
            alias: Vec::new(),
            also: Vec::new(),
        };
        let mut inside = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                inside = line == "[Install]";
            }
            let Some((key, value)) = line.split_once('=').filter(|_| inside) else { continue };
            let list = match key.trim() {
                "WantedBy" => &mut install.wanted_by,
                "RequiredBy" => &mut install.required_by,
                "Alias" => &mut install.alias,
                "Also" => &mut install.also,
                _ => continue,
            };
            list.extend(value.split_whitespace().map(str::to_owned));
        }
        install
    }

    /// The paths of the links that enable `unit`.
    fn link_paths(&self, unit: &str) -> Vec<String> {
        let dependencies = [("wants", &self.wanted_by), ("requires", &self.required_by)];
        let dependencies = dependencies.into_iter().flat_map(|(kind, targets)| {
            targets.iter().map(move |target| format!("{ETC}/{target}.{kind}/{unit}"))
        });
        let aliases = self.alias.iter().map(|alias| format!("{ETC}/{alias}"));
        let instance = unit
            .split_once('@')
            .and_then(|(_, rest)| rest.rsplit_once('.'))
            .map_or("", |(instance, _)| instance);
        dependencies.chain(aliases).map(|path| path.replace("%i", instance)).collect()
    }
}

/// The file a unit is read from: that of its template, for an instance.
fn file_of(unit: &str) -> String {
    match (unit.split_once('@'), unit.rsplit_once('.')) {
        (Some((name, _)), Some((_, kind))) => format!("{name}@.{kind}"),
        _ => unit.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::tool::Tool;

    const UNITS: [(&str, &str); 5] = [
        (
            "plain.service",
            "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
        ),
        (
            "network.service",
            "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target a.target\nRequiredBy=b.target\nAlias=dbus-net.service\nAlso=network.socket other.service\n",
        ),
        ("network.socket", "[Socket]\nListenStream=/run/x\n[Install]\nWantedBy=sockets.target\n"),
        ("other.service", "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=sysinit.target\n"),
        (
            "radio@.service",
            "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlias=radio-alias@%i.service\n",
        ),
    ];

    /// The links below a folder's `/etc/systemd/system`, with their targets.
    fn links_below(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if entry.file_type().unwrap().is_symlink() {
                let target = fs::read_link(&path).unwrap().to_str().unwrap().to_owned();
                found.push((format!("/{}", path.strip_prefix(root).unwrap().display()), target));
            } else if path.is_dir() {
                links_below(root, &path, found);
            }
        }
    }

    #[test]
    fn the_links_are_those_that_systemctl_makes() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("usr/lib/systemd/system");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(root.path().join("etc/systemd/system")).unwrap();
        for (name, text) in UNITS {
            fs::write(folder.join(name), text).unwrap();
        }
        let systemctl = |verb: &str, units: &[&str]| {
            let root = format!("--root={}", root.path().display());
            Tool::new("systemctl", "enabling")
                .args(["--quiet", &root, verb])
                .args(units)
                .run()
                .unwrap();
        };
        systemctl("mask", &["other.service", "absent.service"]);
        // systemctl refuses a masked unit among `Also=`; it is left out, as the links are
        let enable = ["plain.service", "radio@wlan0.service"];
        systemctl("enable", &enable);
        systemctl("enable", &["network.socket"]);
        let mut expected = Vec::new();
        links_below(root.path(), &root.path().join("etc"), &mut expected);
        expected.sort();

        let enabled: Vec<_> =
            enable.iter().map(|unit| (*unit, "a")).chain([("network.socket", "a")]).collect();
        let masked = [("other.service", "b"), ("absent.service", "b")];
        let read = |path: &str| {
            let name = path.strip_prefix("/usr/lib/systemd/system/");
            let unit = name.and_then(|name| UNITS.iter().find(|(unit, _)| *unit == name));
            anyhow::Ok(unit.map(|(_, text)| (*text).to_owned()))
        };
        let made: Vec<_> = links(&enabled, &masked, &read)
            .unwrap()
            .into_iter()
            .map(|(path, target, _)| (path, target))
            .collect();
        assert_eq!(made, expected);

        // a unit with everything, `Also=` included
        let paths: Vec<_> = links(&[("network.service", "a")], &[], &read)
            .unwrap()
            .into_iter()
            .map(|(path, ..)| path)
            .collect();
        assert_eq!(
            paths,
            [
                "/etc/systemd/system/a.target.wants/network.service",
                "/etc/systemd/system/b.target.requires/network.service",
                "/etc/systemd/system/dbus-net.service",
                "/etc/systemd/system/multi-user.target.wants/network.service",
                "/etc/systemd/system/sockets.target.wants/network.socket",
                "/etc/systemd/system/sysinit.target.wants/other.service",
            ]
        );
    }

    #[test]
    fn a_unit_that_is_not_there_or_wanted_by_nothing_is_an_error() {
        let read = |path: &str| {
            anyhow::Ok(path.ends_with("bare.service").then(|| "[Service]\n".to_owned()))
        };
        for (unit, reason) in
            [("absent.service", "has a unit absent.service"), ("bare.service", "what wants it")]
        {
            let error = format!("{:#}", links(&[(unit, "overlay x")], &[], &read).unwrap_err());
            assert!(error.starts_with("overlay x") && error.contains(reason), "{error}");
        }
    }
}
