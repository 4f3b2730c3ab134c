//! Downloads from servers that we did not write.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::shared::authority::{Authority, Valid};
use crate::shared::process::Process;
use crate::shared::wait_for;
use crate::support::kitchen::hash;
use crate::support::place::{Place, content};
use crate::support::{Project, run};

/// A folder with `image.bin`, served by a server that we did not write.
fn served(start: impl Fn(&Path, u16) -> Command) -> (TempDir, Process, u16) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("image.bin"), content()).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = start(folder.path(), port);
    command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let process = Process::start(&mut command);
    wait_for("the server to listen", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    (folder, process, port)
}

#[test]
fn busybox_sends_all_and_the_rest() {
    let (_folder, _process, port) = served(|_, port| {
        let mut command = Command::new("busybox");
        command.args(["httpd", "-f", "-p", &format!("127.0.0.1:{port}")]);
        command
    });
    let url = format!("http://127.0.0.1:{port}/image.bin");
    let place = Place::new();
    place.get(&url).unwrap();
    place.has_it();
    for before in [1, 1_000_000, 2_399_999, 2_400_000] {
        fs::write(place.part(), &content()[..before]).unwrap();
        place.get(&url).unwrap();
        place.has_it();
    }
    let error = Place::new().get(&format!("{url}x")).unwrap_err();
    assert!(error.contains("the server answers 404"), "{error}");
}

#[test]
fn python_sends_all_where_the_rest_is_asked_for() {
    let (_folder, _process, port) = served(|_, port| {
        let mut command = Command::new("python3");
        command.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]);
        command
    });
    let place = Place::new();
    fs::write(place.part(), &content()[..1_000_000]).unwrap();
    place.get(&format!("http://127.0.0.1:{port}/image.bin")).unwrap();
    place.has_it();
}

#[test]
fn over_tls_a_server_is_believed_if_its_authority_is() {
    let authority = Authority::new("a company's authority");
    let pair = authority.server(&["localhost"], Valid::Now);
    let (folder, _process, port) = served(|folder, port| {
        fs::write(folder.join("server.pem"), &pair.certificate).unwrap();
        fs::write(folder.join("server.key"), &pair.key).unwrap();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-quiet", "-WWW", "-cert", "server.pem", "-key", "server.key"]);
        command.args(["-accept", &format!("127.0.0.1:{port}")]);
        command
    });
    run("xz", &["-0".as_ref(), &folder.path().join("image.bin")]);
    let packed = fs::read(folder.path().join("image.bin.xz")).unwrap();
    let project = Project::with(&crate::support::PROFILE.replace(
        "{file: base.img}",
        &format!("{{url: \"https://localhost:{port}/image.bin.xz\", sha256: {}}}", hash(&packed)),
    ));
    let build = |ca: Option<&str>| {
        let mut command = project.command(&["kitchen.yaml"]);
        command.env("IMGBUILD_CACHE", project.path("cache")).env_remove("SSL_CERT_FILE");
        if let Some(ca) = ca {
            command.env("SSL_CERT_FILE", ca);
        }
        project.seen(&mut command)
    };
    let seen = build(None);
    let words = "localhost:PORT does not prove who it is: ".replace("PORT", &port.to_string());
    assert!(seen.starts_with("exit: 1\n") && seen.contains(&words), "{seen}");
    assert!(seen.contains("SSL_CERT_FILE names"), "{seen}");
    project.write("company.pem", authority.pem());
    // it is downloaded and unpacked then, and is no image
    let seen = build(Some("company.pem"));
    assert!(
        seen.contains("it has no partition table") || seen.contains("reading the image"),
        "{seen}"
    );
    project.write("empty.pem", "nothing");
    for (file, words) in
        [("empty.pem", "which holds no certificate"), ("absent", "which cannot be read")]
    {
        let project = Project::with(&fs::read_to_string(project.path("kitchen.yaml")).unwrap());
        project.write("empty.pem", "nothing");
        let mut command = project.command(&["kitchen.yaml"]);
        command.env("SSL_CERT_FILE", file).env("IMGBUILD_CACHE", project.path("cache"));
        let seen = project.seen(&mut command);
        assert!(seen.starts_with("exit: 2\n") && seen.contains(words), "{seen}");
    }
}
