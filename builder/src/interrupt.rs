//! Ctrl-C, SIGTERM and SIGHUP: whoever works when one comes ends early and clears up what it began.
//!
//! A signal belongs to the whole program, and so does this: the signal is noted, and the child process
//! that is being waited for, if any, is asked to end as well. Its failure, or [`check`] between two steps
//! of our own, then leads out by the way of every other error.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The signal that came, 0 before.
static CAME: AtomicI32 = AtomicI32::new(0);

/// The child processes that are being waited for.
static CHILDREN: Mutex<Vec<(u32, OwnedFd)>> = Mutex::new(Vec::new());

/// The work was broken off because someone asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted; nothing was written")]
pub struct Interrupted {
    signal: i32,
}

impl Interrupted {
    /// The exit status that shells give for the signal.
    pub fn exit_status(self) -> u8 {
        u8::try_from(128 + self.signal).unwrap_or(u8::MAX)
    }
}

/// From now on the signals end nothing by themselves. To be called once, by the program's `main`.
pub fn listen() -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("listening for signals")?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            CAME.store(signal, Ordering::SeqCst);
            for (_, child) in children().iter() {
                end(child);
            }
        }
    });
    Ok(())
}

/// What came, if one of the signals did.
pub fn came() -> Option<Interrupted> {
    let signal = CAME.load(Ordering::SeqCst);
    (signal != 0).then_some(Interrupted { signal })
}

/// An error once one of the signals came.
pub fn check() -> Result<(), Interrupted> {
    came().map_or(Ok(()), Err)
}

/// A child process that ends when we are asked to, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Waited {
    id: u32,
}

impl Waited {
    /// A child that was just started and whose end is going to be waited for.
    pub(crate) fn on(id: u32) -> Self {
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
        // a kernel without such descriptors: then the child runs to its own end
        if let Some(child) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) {
            let mut children = children();
            // the signal may have come before the child was known
            if came().is_some() {
                end(&child);
            }
            children.push((id, child));
        }
        Self { id }
    }
}

impl Drop for Waited {
    fn drop(&mut self) {
        children().retain(|(id, _)| *id != self.id);
    }
}

fn end(child: &OwnedFd) {
    // one that has ended already is no trouble
    let _ = pidfd_send_signal(child, Signal::TERM);
}

fn children() -> MutexGuard<'static, Vec<(u32, OwnedFd)>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}
