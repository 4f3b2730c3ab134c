//! The packages that dpkg knows to be installed.

/// An installed package.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture, or `all`.
    pub architecture: String,
}

/// The installed packages in the text of dpkg's status file, in its order.
pub fn parse(status: &str) -> Vec<Package> {
    status.split("\n\n").filter_map(package).collect()
}

fn package(paragraph: &str) -> Option<Package> {
    let field = |name: &str| {
        paragraph
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(|value| value.trim().to_owned())
    };
    // want, flag, state: what was removed but left its configuration is `deinstall ok config-files`
    let installed = field("Status")?.split_whitespace().nth(2) == Some("installed");
    installed.then(|| {
        Some(Package {
            name: field("Package")?,
            version: field("Version")?,
            architecture: field("Architecture")?,
        })
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_installed_counts() {
        let status = "Package: dash\nStatus: install ok installed\nArchitecture: arm64\n\
                      Version: 0.5.12-12\nDescription: shell\n Package: not this\n\n\
                      Package: nano\nStatus: deinstall ok config-files\nArchitecture: arm64\nVersion: 8\n\n";
        let dash = Package {
            name: "dash".into(),
            version: "0.5.12-12".into(),
            architecture: "arm64".into(),
        };
        assert_eq!(parse(status), [dash]);
        assert_eq!(parse(""), []);
    }
}
