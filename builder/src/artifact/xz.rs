//! xz by many threads, which can be broken off.
//!
//! The crate's own encoder returns when a thread has taken what it was given, and that may be after half a
//! minute: too long for somebody who pressed Ctrl-C. This one looks up every third of a second.

use std::io::{self, Write};

use liblzma::stream::{Action, Check, MtStreamBuilder, Status, Stream};

use crate::interrupt;

/// How long the threads are waited for at a time, in milliseconds, as the command does it.
const WAIT: u32 = 300;

/// Compresses what is written to it.
pub(super) struct Encoder<W> {
    stream: Stream,
    sink: W,
    /// What the stream has put out and the sink has not got yet.
    output: Vec<u8>,
}

impl<W: Write> Encoder<W> {
    /// An encoder of a level from 0 to 9.
    pub(super) fn new(sink: W, level: u32, threads: u32) -> io::Result<Self> {
        let mut settings = MtStreamBuilder::new();
        let stream = settings
            .threads(threads)
            .preset(level)
            .check(Check::Crc64)
            .timeout_ms(WAIT)
            .encoder()?;
        Ok(Self { stream, sink, output: Vec::with_capacity(64 << 10) })
    }

    /// Compresses what is left, and returns the sink.
    pub(super) fn finish(mut self) -> io::Result<W> {
        while self.step(&[], Action::Finish)?.1 != Status::StreamEnd {}
        Ok(self.sink)
    }

    /// One look at how far the threads are: how much they took, and how the stream stands.
    fn step(&mut self, input: &[u8], action: Action) -> io::Result<(usize, Status)> {
        interrupt::check().map_err(io::Error::other)?;
        let before = self.stream.total_in();
        let status = self.stream.process_vec(input, &mut self.output, action)?;
        self.sink.write_all(&self.output)?;
        self.output.clear();
        let taken = usize::try_from(self.stream.total_in() - before);
        Ok((taken.expect("it is no more than was given"), status))
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, input: &[u8]) -> io::Result<usize> {
        loop {
            let (taken, _) = self.step(input, Action::Run)?;
            if taken > 0 || input.is_empty() {
                return Ok(taken);
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
