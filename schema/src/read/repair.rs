//! Puts an example where something stands that was refused.

use std::collections::HashSet;

use super::example;
use crate::Span;
use crate::yaml::decode::Fault;
use crate::yaml::node::{Entry, Key, Kind, Node};

/// Keeps account of what was mended.
#[derive(Default)]
pub(super) struct Repair {
    mended: HashSet<Vec<usize>>,
}

impl Repair {
    /// Mends what is at the end of `path` (innermost step first) and returns its place. None if nothing
    /// helps any more.
    pub(super) fn mend(&mut self, root: &mut Node, fault: Fault, path: Vec<usize>) -> Option<Span> {
        let mut path: Vec<usize> = path.into_iter().rev().collect();
        if let Fault::UnknownKey(meant) = fault {
            let at = path.pop()?;
            let (map, _) = walk(root, &path)?;
            let Kind::Map(entries) = &mut map.kind else { return None };
            let place = entries.get(at)?.key.span;
            match meant.filter(|key| entries.iter().all(|entry| entry.key.text != *key)) {
                Some(key) => key.clone_into(&mut entries[at].key.text),
                None => drop(entries.remove(at)),
            }
            return Some(place);
        }
        if let Fault::Missing(key) = fault {
            let (map, mut names) = walk(root, &path)?;
            names.push(key.to_owned());
            let span = map.span;
            if let (Kind::Map(entries), Some(value)) = (&mut map.kind, example::of(&names)) {
                let place = Span { start: span.end, ..span };
                let key = Key { text: key.to_owned(), span: place };
                entries.push(Entry { key, value: example::node(&value, place) });
                return Some(place);
            }
        }
        // an example that is refused too is no help: then what holds it is replaced
        while !self.mended.insert(path.clone()) {
            path.pop()?;
        }
        loop {
            let (node, names) = walk(root, &path)?;
            if let Some(value) = example::of(&names) {
                let span = node.span;
                *node = example::node(&value, span);
                return Some(span);
            }
            path.pop()?;
        }
    }
}

/// The node at the end of a way, and the names of the keys on it; a list's items have none.
fn walk<'a>(root: &'a mut Node, path: &[usize]) -> Option<(&'a mut Node, Vec<String>)> {
    let mut names = Vec::new();
    let mut node = root;
    for at in path {
        node = match &mut node.kind {
            Kind::List(items) => {
                names.push(String::new());
                items.get_mut(*at)?
            }
            Kind::Map(entries) => {
                let entry = entries.get_mut(*at)?;
                names.push(entry.key.text.clone());
                &mut entry.value
            }
            Kind::Scalar(_) => return None,
        };
    }
    Some((node, names))
}
