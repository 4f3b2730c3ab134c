//! An HTTP server that behaves as badly as a test wants it to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// As in `/image.xz`.
    pub(crate) path: String,
    /// From which byte on.
    pub(crate) from: Option<usize>,
    /// Of which version.
    pub(crate) if_range: Option<String>,
    /// How many requests came before.
    pub(crate) before: usize,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The status line's number and words, and the headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Say nothing more, and keep the connection.
    pub(crate) hangs: bool,
}

impl Reply {
    fn new(status: &str, headers: &str, body: &[u8]) -> Self {
        Self { head: format!("{status}\r\n{headers}"), body: body.to_owned(), hangs: false }
    }

    /// The whole file.
    pub(crate) fn whole(body: &[u8]) -> Self {
        Self::new("200 OK", &format!("Content-Length: {}\r\nETag: \"one\"\r\n", body.len()), body)
    }

    /// What a good server answers: the rest, if it is asked for and of this version.
    pub(crate) fn right(request: &Request, body: &[u8]) -> Self {
        match request.from {
            Some(from) if request.if_range.as_deref().is_none_or(|tag| tag == "\"one\"") => {
                Self::rest(body, from)
            }
            _ => Self::whole(body),
        }
    }

    /// The rest of the file.
    pub(crate) fn rest(body: &[u8], from: usize) -> Self {
        let total = body.len();
        if from >= total {
            let range = format!("Content-Range: bytes */{total}\r\nContent-Length: 0\r\n");
            return Self::new("416 Range Not Satisfiable", &range, b"");
        }
        let headers = format!(
            "Content-Length: {}\r\nContent-Range: bytes {from}-{}/{total}\r\nETag: \"one\"\r\n",
            total - from,
            total - 1
        );
        Self::new("206 Partial Content", &headers, &body[from..])
    }

    /// An answer without a file.
    pub(crate) fn status(status: &str) -> Self {
        Self::new(status, "Content-Length: 5\r\n", b"sorry")
    }

    /// On to another address.
    pub(crate) fn redirect(to: &str) -> Self {
        Self::new("302 Found", &format!("Location: {to}\r\nContent-Length: 0\r\n"), b"")
    }

    /// A page for people.
    pub(crate) fn page() -> Self {
        Self::new(
            "200 OK",
            "Content-Type: text/html; charset=utf-8\r\nContent-Length: 13\r\n",
            b"<html></html>",
        )
    }

    /// The same, but the connection breaks after so many bytes of the body.
    pub(crate) fn cut(mut self, after: usize) -> Self {
        self.body.truncate(after);
        self
    }

    /// The same, but the server goes silent after so many bytes of the body.
    pub(crate) fn silent(mut self, after: usize) -> Self {
        self.hangs = true;
        self.cut(after)
    }
}

/// A running server; it lives as long as the test program.
pub(crate) struct Server {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers every request as `manner` says.
    pub(crate) fn start(manner: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, manner) = (Arc::clone(&requests), Arc::new(manner));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, manner) = (Arc::clone(&seen), Arc::clone(&manner));
                // a client may go away at any moment
                std::thread::spawn(move || drop(serve(&stream.unwrap(), &seen, &*manner)));
            }
        });
        Self { address, requests }
    }

    /// A server that does everything right, with one file.
    pub(crate) fn of(content: Vec<u8>) -> Self {
        Self::start(move |request| Reply::right(request, &content))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(
    stream: &TcpStream,
    seen: &Mutex<Vec<Request>>,
    manner: &dyn Fn(&Request) -> Reply,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut request = Request { path, ..Request::default() };
        let is_tunnel = line.starts_with("CONNECT");
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "range" => {
                    let from = value.trim_start_matches("bytes=").trim_end_matches('-');
                    request.from = Some(from.parse().unwrap());
                }
                "if-range" => request.if_range = Some(value.to_owned()),
                _ => {}
            }
        }
        {
            let mut seen = seen.lock().unwrap();
            request.before = seen.len();
            seen.push(request.clone());
        }
        let mut writer = stream;
        // a proxy that is asked for a tunnel: what comes next is meant for the other end
        if is_tunnel {
            writer.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
            continue;
        }
        let Reply { head, body, hangs } = manner(&request);
        write!(writer, "HTTP/1.1 {head}\r\n")?;
        writer.write_all(&body)?;
        writer.flush()?;
        let promised = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        if hangs {
            // until the client has had enough
            return reader.read_line(&mut line).map(drop);
        }
        if promised.is_none_or(|length| length.parse() != Ok(body.len())) {
            return Ok(());
        }
    }
}
