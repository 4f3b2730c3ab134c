//! A time server for the guest, whose own time client asks it: SNTP (RFC 5905, section 14) on port 123 of
//! this machine, which the guest sees as 10.0.2.2. The port is privileged: the proofs run as root, or
//! with `CAP_NET_BIND_SERVICE`.

use std::net::UdpSocket;
use std::sync::Once;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From 1900, where NTP begins to count, to 1970: seventy years, seventeen of them with a leap day.
const ERA: Duration = Duration::from_hours(24 * (70 * 365 + 17));

/// Answers from now on, until this process ends.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let socket = UdpSocket::bind("127.0.0.1:123")
            .expect("the proofs need the time server's port 123: run them as root");
        std::thread::spawn(move || {
            let mut request = [0; 48];
            while let Ok((_, peer)) = socket.recv_from(&mut request) {
                // a client that is gone by now does not matter
                let _ = socket.send_to(&answer(&request, now()), peer);
            }
        });
    });
}

fn answer(request: &[u8; 48], now: u64) -> [u8; 48] {
    let mut answer = [0; 48];
    // no leap second, version 4, mode "server"; stratum 1; precision of a microsecond
    answer[..4].copy_from_slice(&[0b00_100_100, 1, request[2], 236]);
    answer[12..16].copy_from_slice(b"LOCL");
    let now = now.to_be_bytes();
    answer[16..24].copy_from_slice(&now);
    answer[24..32].copy_from_slice(&request[40..48]);
    answer[32..40].copy_from_slice(&now);
    answer[40..48].copy_from_slice(&now);
    answer
}

/// The time as NTP has it: seconds since 1900 in the upper half, their fraction in the lower.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + ERA;
    let fraction = (u64::from(now.subsec_nanos()) << 32) / 1_000_000_000;
    // the upper half wraps in 2036, as it should
    (now.as_secs() << 32) | fraction
}
