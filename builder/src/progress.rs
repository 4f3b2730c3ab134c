//! How work that takes its time tells how it goes.

/// Somebody who is told how the work goes: a person at a terminal, a log, or nobody.
pub trait Watch {
    /// A line about what is done now.
    fn line(&self, text: &str);

    /// Work of a known kind begins: `title` is what is done, as in "downloading x", `total` how many bytes there
    /// are, where it is known.
    fn begin(&self, title: &str, total: Option<u64>);

    /// So many bytes of it are done.
    fn at(&self, done: u64);

    /// The work that began has ended, well or not.
    fn end(&self);
}

/// Nobody.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn line(&self, _: &str) {}
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn at(&self, _: u64) {}
    fn end(&self) {}
}

/// A piece of work that is being watched; it has ended when this is dropped.
pub(crate) struct Work<'a>(&'a dyn Watch);

impl<'a> Work<'a> {
    pub(crate) fn begin(watch: &'a dyn Watch, title: &str, total: Option<u64>) -> Self {
        watch.begin(title, total);
        Self(watch)
    }

    pub(crate) fn at(&self, done: u64) {
        self.0.at(done);
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
