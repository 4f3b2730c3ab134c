//! Downloads from servers that do everything right, and from those that do not.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use imgbuild::fetch::Downloaded;

use crate::support::kitchen::hash;
use crate::support::place::{Place, content};
use crate::support::server::{Reply, Request, Server};

/// Downloads from a server of this manner, which must not work. Says what is told, and what is left.
fn refusal(
    manner: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (String, Vec<(String, u64)>) {
    let (server, place) = (Server::start(manner), Place::new());
    let error = place.get(&server.url("/image.xz")).unwrap_err();
    (error.replace(&server.url(""), "‹server›"), place.left())
}

fn told(manner: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> String {
    let (error, left) = refusal(manner);
    assert!(left.iter().all(|(_, length)| *length == 0), "{left:?}");
    error
}

#[test]
fn a_file_comes_whole() {
    let (server, place) = (Server::of(content()), Place::new());
    let got = place.get(&server.url("/image.xz")).unwrap();
    assert_eq!(got, Downloaded { sha256: hash(&content()), size: 2_400_000 });
    place.has_it();
    // and once it is here nobody is asked again, if its size is known
    place.get_wanted(&server.url("/image.xz"), Some(&hash(&content())), Some(2_400_000)).unwrap();
    assert_eq!(server.requests().len(), 1);
    // nor is it sent again if it is not
    place.get(&server.url("/image.xz")).unwrap();
    assert_eq!(server.requests()[1].from, Some(2_400_000));
    place.has_it();
}

#[test]
fn a_connection_that_breaks_is_taken_up_where_it_broke() {
    let server = Server::start(|request| {
        Reply::right(request, &content()).cut(if request.before < 4 { 300_000 } else { 9_000_000 })
    });
    let place = Place::new();
    place.get(&server.url("/image.xz")).unwrap();
    place.has_it();
    let asked: Vec<_> = server.requests().iter().map(|request| request.from).collect();
    assert_eq!(asked, [None, Some(300_000), Some(600_000), Some(900_000), Some(1_200_000)]);
    assert_eq!(server.requests()[1].if_range.as_deref(), Some("\"one\""));
}

#[test]
fn what_an_earlier_program_got_is_not_asked_for_again() {
    let place = Place::new();
    fs::write(place.part(), &content()[..1_000_000]).unwrap();
    let server = Server::of(content());
    place.get(&server.url("/image.xz")).unwrap();
    place.has_it();
    assert_eq!(server.requests()[0].from, Some(1_000_000));
}

#[test]
fn a_server_that_cannot_send_the_rest_sends_all() {
    let place = Place::new();
    fs::write(place.part(), &content()[..1_000_000]).unwrap();
    place.get(&Server::start(|_| Reply::whole(&content())).url("/image.xz")).unwrap();
    place.has_it();
}

#[test]
fn a_file_that_changed_meanwhile_is_fetched_anew() {
    // of a version that is no more: the server sends the new one whole
    let place = Place::new();
    fs::write(place.part(), vec![7; 1_000_000]).unwrap();
    fs::write(place.0.path().join("image.part.tag"), "\"zero\"").unwrap();
    let server = Server::of(content());
    place.get(&server.url("/image.xz")).unwrap();
    place.has_it();
    assert_eq!(server.requests().len(), 1);
    // nobody knows of which version: the hash tells, and it is fetched once more
    let place = Place::new();
    fs::write(place.part(), vec![7; 1_000_000]).unwrap();
    let server = Server::of(content());
    place.get(&server.url("/image.xz")).unwrap();
    place.has_it();
    let asked: Vec<_> = server.requests().iter().map(|request| request.from).collect();
    assert_eq!(asked, [Some(1_000_000), None]);
}

#[test]
fn a_part_that_is_longer_than_the_file_is_thrown_away() {
    let place = Place::new();
    fs::write(place.part(), vec![7; 3_000_000]).unwrap();
    place.get(&Server::of(content()).url("/image.xz")).unwrap();
    place.has_it();
}

#[test]
fn a_server_that_sends_the_wrong_rest_is_asked_for_all() {
    let place = Place::new();
    fs::write(place.part(), &content()[..1_000_000]).unwrap();
    let server = Server::start(|request| match request.from {
        Some(from) => Reply::rest(&content(), from + 5),
        None => Reply::whole(&content()),
    });
    place.get(&server.url("/image.xz")).unwrap();
    place.has_it();
}

#[test]
fn another_file_is_refused_and_not_kept() {
    let (error, left) = refusal(|_| Reply::whole(&[7; 1_000]));
    assert_eq!(
        error,
        format!(
            "downloading ‹server›/image.xz: it is not the file that is wanted: its SHA-256 is {}, and {} is asked for; nothing of it was kept",
            hash(&[7; 1_000]),
            hash(&content())
        )
    );
    assert!(left.is_empty(), "{left:?}");
    let (server, place) = (Server::of(content()), Place::new());
    let error = place.get_wanted(&server.url("/a"), Some(&hash(&content())), Some(5)).unwrap_err();
    assert!(error.contains("it has 2400000 bytes where 5 were expected; nothing of it"), "{error}");
    assert!(place.left().is_empty());
}

#[test]
fn what_a_server_does_not_give_is_told() {
    for (status, words) in [
        ("404 Not Found", "the server answers 404: it has no such file; is the address right?"),
        ("403 Forbidden", "the server answers 403: it does not give it out"),
        ("429 Too Many Requests", "the server answers 429: it is asked too often; try again later"),
        ("500 Internal Server Error", "the server answers 500: it is in trouble; try again later"),
        ("503 Service Unavailable", "the server answers 503: it is in trouble; try again later"),
        ("206 Partial Content", "the server answers 206: which is no answer to what was asked"),
    ] {
        let error = told(move |_| Reply::status(status));
        assert_eq!(error, format!("downloading ‹server›/image.xz: {words}"));
    }
}

#[test]
fn a_refusal_leaves_what_came_before() {
    let place = Place::new();
    fs::write(place.part(), &content()[..1_000_000]).unwrap();
    let server = Server::start(|_| Reply::status("503 Service Unavailable"));
    place.get(&server.url("/image.xz")).unwrap_err();
    assert_eq!(place.left(), [("image.part".to_owned(), 1_000_000)]);
}

#[test]
fn a_page_for_people_is_no_file() {
    let error = told(|_| Reply::page());
    assert_eq!(
        error,
        "downloading ‹server›/image.xz: the server answered with a web page, not with the file"
    );
    let login = |request: &Request| match request.path.as_str() {
        "/image.xz" => Reply::redirect("/login?from=/image.xz"),
        _ => Reply::page(),
    };
    let error = told(login);
    assert_eq!(
        error,
        "downloading ‹server›/image.xz: the server answered with a web page, from ‹server›/login, not with the file"
    );
}

#[test]
fn a_file_that_moved_is_found() {
    let server = Server::start(|request| match request.path.as_str() {
        "/image.xz" => Reply::redirect("/mirror/image.xz"),
        _ => Reply::right(request, &content()),
    });
    let place = Place::new();
    place.get(&server.url("/image.xz")).unwrap();
    place.has_it();
    let error = told(|_| Reply::redirect("/image.xz"));
    assert!(error.ends_with("it leads from one address to the next, without end"), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = Place::new().get(&format!("http://127.0.0.1:{port}/image.xz")).unwrap_err();
    let words = format!("127.0.0.1:{port} cannot be reached: Connection refused");
    assert!(error.contains(&words), "{error}");
    let error = Place::new().get("http://no-such-host.invalid/image.xz").unwrap_err();
    assert!(error.contains("the name no-such-host.invalid is not found"), "{error}");
}

#[test]
fn a_server_that_goes_silent_is_not_waited_for_for_ever() {
    let server = Server::start(|request| match request.before {
        0 => Reply::right(request, &content()).silent(300_000),
        _ => Reply::right(request, &content()).silent(0),
    });
    let place = Place::new().patient_for(Duration::from_secs(2));
    let error = place.get(&server.url("/image.xz")).unwrap_err();
    let words = "300000 bytes are kept for the next try: the server went silent";
    assert!(error.ends_with(words), "{error}");
    assert_eq!(place.left()[0], ("image.part".to_owned(), 300_000));
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::new().patient_for(Duration::from_secs(1));
    let error = place.get(&format!("http://{}/a", mute.local_addr().unwrap())).unwrap_err();
    assert!(error.ends_with("does not answer"), "{error}");
}

#[test]
fn a_server_that_breaks_off_again_and_again_is_given_up() {
    let (error, left) = refusal(|request| Reply::right(request, &content()).cut(10));
    assert!(error.contains("the connection broke again and again"), "{error}");
    assert_eq!(left[0], ("image.part".to_owned(), 210));
}

#[test]
fn nobody_is_asked_over_the_air_for_what_cannot_be_checked() {
    let server = Server::of(content());
    let error = Place::new().get_wanted(&server.url("/image.xz"), None, None).unwrap_err();
    assert!(error.contains("over `http:` anybody on the way can put another file"), "{error}");
    assert!(server.requests().is_empty());
}

#[test]
fn passwords_and_tokens_in_an_address_are_not_shown() {
    let server = Server::start(|_| Reply::status("404 Not Found"));
    let url = server.url("/image.xz?token=canary").replace("http://", "http://me:canary@");
    let error = Place::new().get(&url).unwrap_err();
    assert!(
        error.contains("/image.xz: the server answers 404") && !error.contains("canary"),
        "{error}"
    );
}
