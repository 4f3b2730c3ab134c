//! Puts what tags name in their place: `!secret`, `!env`, `!file`.

use std::path::Path;

use minijinja::context;

use super::Reading;
use crate::Span;
use crate::problem::{Code, MOST_PROBLEMS, Problem};
use crate::resolve::{Lookup, LookupError};
use crate::template;
use crate::yaml::node::{Kind, Node, Origin, OriginKind, Scalar};

/// The most bytes that are looked up for one profile, all together.
const MOST_BYTES: usize = 4 << 20;

/// Looks up everything that the tree names. What cannot be found is a problem, and stays as it is.
pub(super) fn fill(tree: &mut Node, lookup: &dyn Lookup, reading: &mut Reading) {
    let id = tree.get("device").and_then(|device| device.get("id")).and_then(Node::text);
    let id = id.unwrap_or_default().to_owned();
    let mut bytes = 0;
    tree.visit(&mut |node| {
        let word = node.tag.as_ref().and_then(|tag| tag.name.strip_prefix('!'));
        let Some(kind) = word.and_then(OriginKind::of) else {
            return;
        };
        // what is not looked up any more nobody reads: there are as many problems as are told
        if reading.problems.len() >= MOST_PROBLEMS {
            return;
        }
        let found = look_up(node, kind, &id, lookup).and_then(|(origin, text)| {
            bytes += text.len();
            if bytes > MOST_BYTES { Err(too_much(node)) } else { Ok((origin, text)) }
        });
        match found {
            Ok((origin, text)) => {
                if kind != OriginKind::File {
                    reading.redactions.add(&text, &origin.to_string());
                }
                node.kind = Kind::Scalar(Scalar { text, plain: false });
                node.origin = Some(origin);
                if let Some(tag) = node.tag.take() {
                    node.span.start = node.span.start.min(tag.span.start);
                }
            }
            Err(problem) => {
                // with its tag, at which the reader stumbles next
                let start = node.tag.as_ref().map_or(node.span.start, |tag| tag.span.start);
                reading.repaired.push(Span { start, ..node.span });
                if node.is_null() {
                    // else it would be read as left out
                    node.kind = Kind::Scalar(Scalar { text: String::new(), plain: false });
                }
                reading.problems.push(problem);
            }
        }
    });
}

fn too_much(node: &Node) -> Problem {
    let message = format!("all that is looked up is more than {} MiB", MOST_BYTES >> 20);
    Problem::new(Code::UnreadableFile, Some(node.span), message)
        .label("too much")
        .help("a key or a certificate has a few KiB: is it the right file?")
}

fn look_up(
    node: &Node,
    kind: OriginKind,
    id: &str,
    lookup: &dyn Lookup,
) -> Result<(Origin, String), Problem> {
    let refuse = |code: Code, error: LookupError| {
        Problem::new(code, Some(node.span), error.message)
            .label("cannot be looked up")
            .help(error.help)
    };
    let Some(written) = node.text().filter(|text| !text.is_empty()) else {
        let (message, help) = match kind {
            OriginKind::Secret => ("a secret has a name", "write it like `!secret wifi.home`"),
            OriginKind::Variable => ("a variable has a name", "write it like `!env WIFI_PSK`"),
            OriginKind::File => ("a file has a path", "write it like `!file ca.pem`"),
        };
        return Err(refuse(
            Code::WrongType,
            LookupError { message: message.into(), help: help.into() },
        ));
    };
    let name = template::fill(written, &context! { device => context! { id => id } }).map_err(
        |error| {
            Problem::new(
                Code::BadTemplate,
                Some(node.span),
                format!("this template cannot be filled in: {error}"),
            )
            .label("is not known here")
            .help("the name of what is looked up knows `device.id`")
        },
    )?;
    let (code, found) = match kind {
        OriginKind::Secret => {
            (Code::UnreadableSecret, lookup.secret(&name).map(|secret| secret.expose().to_owned()))
        }
        OriginKind::Variable => (
            Code::UnsetVariable,
            lookup.variable(&name).ok_or_else(|| LookupError {
                message: format!("the environment variable `{name}` is not set"),
                help: format!("set it, as in `{name}=… imgbuild …`"),
            }),
        ),
        OriginKind::File => (Code::UnreadableFile, lookup.file(Path::new(&name))),
    };
    match found {
        Ok(text) => Ok((Origin { kind, name }, text)),
        Err(error) => Err(refuse(code, error)),
    }
}
