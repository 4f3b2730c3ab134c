//! What is asked of a server, and what its answer means.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use ureq::http::{HeaderMap, Response};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Error, ResponseExt};

use super::{Wanted, shown};
use crate::fault::{Lacking, Usage};

/// How long a server may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// Between two bytes.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(20), silence: Duration::from_mins(1) }
    }
}

/// Asks one server for one file.
#[derive(Clone, Debug)]
pub(super) struct Client {
    agent: Agent,
    url: String,
}

impl Client {
    pub(super) fn new(wanted: &Wanted<'_>, patience: Patience) -> anyhow::Result<Self> {
        let is_proved = wanted.sha256.is_some() || wanted.proved_later;
        if !is_proved && wanted.url.starts_with("http:") {
            bail!(
                "over `http:` anybody on the way can put another file in its place; use `https:`"
            );
        }
        let tls = TlsConfig::builder().root_certs(roots()?).build();
        // a proxy is taken from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, as curl does
        let agent = Agent::config_builder()
            .tls_config(tls)
            .https_only(!is_proved)
            .http_status_as_error(false)
            .user_agent(concat!("imgbuild/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_recv_response(Some(patience.silence))
            .timeout_per_read(Some(patience.silence))
            .timeout_per_write(Some(patience.silence))
            .build()
            .new_agent();
        Ok(Self { agent, url: wanted.url.to_owned() })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Sends the request: for the rest from `resume` on, of the version that has this tag.
    pub(super) fn ask(
        &self,
        resume: Option<&(u64, Option<String>)>,
    ) -> Result<(Start, Body), anyhow::Error> {
        let mut request = self.agent.get(&self.url).header("accept-encoding", "identity");
        if let Some((from, tag)) = resume {
            request = request.header("range", format!("bytes={from}-"));
            if let Some(tag) = tag {
                request = request.header("if-range", tag);
            }
        }
        let response = request.call().map_err(|error| explain(error, &self.url))?;
        let start = Start::of(&response, &self.url);
        Ok((start, response.into_body()))
    }
}

/// The authorities that are trusted: those in the file that `SSL_CERT_FILE` names, as with curl and OpenSSL, else
/// Mozilla's.
fn roots() -> anyhow::Result<RootCerts> {
    let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()) else {
        return Ok(RootCerts::WebPki);
    };
    let shown = path.display();
    let pem = std::fs::read(&path).map_err(|error| {
        Usage(format!("SSL_CERT_FILE is {shown}, which cannot be read: {error}"))
    })?;
    let items: Vec<_> = parse_pem(&pem).flatten().collect();
    let certificates: Vec<_> = items
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(Usage(format!("SSL_CERT_FILE is {shown}, which holds no certificate")).into());
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

/// How an answer begins.
#[derive(Clone, Debug)]
pub(super) struct Start {
    status: u16,
    /// Bytes that are going to come, if the server says it.
    pub(super) length: Option<u64>,
    /// What the server calls this version of the file, if it says it and means every byte of it.
    pub(super) tag: Option<String>,
    /// Where the bytes begin, and how many the whole file has.
    range: Option<(Option<u64>, Option<u64>)>,
    is_page: bool,
    /// Where the answer came from, if it was not where it was asked for.
    moved: Option<String>,
}

/// What an answer brings, beside what is here already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// All of it, from the first byte on.
    Everything,
    /// What is missing.
    Rest,
    /// Nothing: all of it is here.
    Complete,
    /// Something that does not go with what is here.
    Elsewhere,
}

impl Start {
    fn of(response: &Response<Body>, asked: &str) -> Self {
        let headers = response.headers();
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let from = response.get_uri().to_string();
        Self {
            status: response.status().as_u16(),
            length: text("content-length").and_then(|length| length.parse().ok()),
            tag: tag(headers),
            range: text("content-range").and_then(range),
            is_page: text("content-type")
                .is_some_and(|it| it.to_ascii_lowercase().starts_with("text/html")),
            moved: (from != asked).then(|| shown(&from)),
        }
    }

    /// What comes, where `have` bytes are here. An answer that is no file is an error.
    pub(super) fn place(&self, have: u64) -> anyhow::Result<Place> {
        if have > 0 {
            match (self.status, self.range) {
                (206, Some((Some(from), _))) if from == have => return Ok(Place::Rest),
                (416, Some((None, Some(total)))) if total == have => return Ok(Place::Complete),
                (206 | 416, _) => return Ok(Place::Elsewhere),
                _ => {}
            }
        }
        self.check_status()?;
        if self.is_page {
            let from = self.moved.as_ref().map_or(String::new(), |url| format!(", from {url}"));
            bail!("the server answered with a web page{from}, not with the file");
        }
        Ok(Place::Everything)
    }

    /// Is this an answer that brings a file?
    pub(super) fn check_status(&self) -> anyhow::Result<()> {
        let why = match self.status {
            200 => return Ok(()),
            401 | 403 | 407 => "it does not give it out",
            404 | 410 => "it has no such file; is the address right?",
            429 => "it is asked too often; try again later",
            500.. => "it is in trouble; try again later",
            _ => "which is no answer to what was asked",
        };
        let moved = self.moved.as_ref().map_or(String::new(), |url| format!(" for {url}"));
        bail!("the server answers {}{moved}: {why}", self.status)
    }
}

/// The strong entity tag, else the date of the last change: either may stand in `If-Range`.
fn tag(headers: &HeaderMap) -> Option<String> {
    let text =
        |name| headers.get(name).and_then(|value: &ureq::http::HeaderValue| value.to_str().ok());
    let strong = text("etag").filter(|tag| !tag.starts_with("W/"));
    strong.or_else(|| text("last-modified")).map(str::to_owned)
}

/// `bytes 5-9/10`, or `bytes */10` where nothing comes.
fn range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let from = range.split_once('-').and_then(|(from, _)| from.parse().ok());
    Some((from, total.parse().ok()))
}

/// What went wrong on the way, and what can be done about it.
fn explain(error: Error, url: &str) -> anyhow::Error {
    let host = shown(url);
    let host = host.split('/').nth(2).unwrap_or_default().to_owned();
    let lacking = |text: String| anyhow!(Lacking(text));
    match error {
        Error::HostNotFound => lacking(not_found(&host)),
        // the standard library has no kind for it
        Error::Io(error) if error.to_string().contains("lookup address") => {
            lacking(not_found(&host))
        }
        Error::Timeout(_) => lacking(format!("{host} does not answer")),
        Error::RequireHttpsOnly(_) => {
            anyhow!(
                "it leads on to an address without TLS, where anybody can put another file in its place"
            )
        }
        Error::TooManyRedirects => anyhow!("it leads from one address to the next, without end"),
        Error::ConnectProxyFailed(why) => lacking(format!("the proxy does not connect: {why}")),
        Error::Rustls(error) => not_trusted(&host, &error.to_string()),
        // which is how what rustls refuses comes through its stream
        Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            not_trusted(&host, &error.to_string())
        }
        Error::Io(error) => lacking(format!("{host} cannot be reached: {error}")),
        other => anyhow::Error::from(other).context(format!("asking {host}")),
    }
}

fn not_found(host: &str) -> String {
    format!(
        "the name {host} is not found: is this machine on the network? A proxy is taken from HTTPS_PROXY"
    )
}

fn not_trusted(host: &str, why: &str) -> anyhow::Error {
    anyhow!(
        "{host} does not prove who it is: {why}; a company's own authority is taken from the file that SSL_CERT_FILE names"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_taken_only_where_the_part_ends() {
        let start = |status, content: Option<&str>| Start {
            status,
            length: None,
            tag: None,
            range: content.and_then(range),
            is_page: false,
            moved: None,
        };
        let place = |status, content| start(status, content).place(5).unwrap();
        assert_eq!(place(206, Some("bytes 5-9/10")), Place::Rest);
        assert_eq!(place(206, Some("bytes 5-9/*")), Place::Rest);
        assert_eq!(place(206, Some("bytes 4-9/10")), Place::Elsewhere);
        assert_eq!(place(206, None), Place::Elsewhere);
        assert_eq!(place(206, Some("lines 5-9/10")), Place::Elsewhere);
        assert_eq!(place(416, Some("bytes */5")), Place::Complete);
        assert_eq!(place(416, Some("bytes */4")), Place::Elsewhere);
        assert_eq!(place(416, None), Place::Elsewhere);
        assert_eq!(place(200, None), Place::Everything);
        assert!(start(206, Some("bytes 5-9/10")).place(0).is_err());
        assert!(start(416, Some("bytes */0")).place(0).is_err());
    }
}
