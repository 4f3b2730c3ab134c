//! Whether it is clear whose each cluster is.

use anyhow::{Context, bail, ensure};

use super::{ENTRY, Fat, Geometry, MOST_ENTRIES};
use crate::base::little_endian::{half, word};
use crate::base::partition::Window;

const FOLDER: u8 = 0x10;
const LABEL: u8 = 0x08;
const DELETED: u8 = 0xE5;

/// The longest path, in bytes: that of a damaged file system may have a name for each of its clusters.
const LONGEST_PATH: usize = 4096;

/// The clusters that were met on the way.
struct Taken(Vec<bool>);

impl Taken {
    /// Takes a cluster, unless it is taken.
    fn take(&mut self, cluster: u64) -> bool {
        let place = usize::try_from(cluster).ok().and_then(|at| self.0.get_mut(at));
        place.is_some_and(|taken| !std::mem::replace(taken, true))
    }
}

impl Fat {
    /// The clusters from `first` on, each of which is taken: nothing else may have it.
    fn chain(&self, first: u64, taken: &mut Taken) -> anyhow::Result<Vec<u64>> {
        let last = if self.width == 2 { 0xFFF8 } else { 0x0FFF_FFF8 };
        let mut chain = Vec::new();
        let mut cluster = first;
        while cluster < last {
            let next = self.entry(cluster).filter(|_| cluster >= 2);
            let Some(next) = next else { bail!("leads to cluster {cluster}, which there is not") };
            ensure!(next != 0, "leads to cluster {cluster}, which is free");
            ensure!(taken.take(cluster), "shares cluster {cluster}, or leads back to it");
            chain.push(cluster);
            cluster = next;
        }
        Ok(chain)
    }
}

/// Refuses a file system in which it is not clear whose a cluster is.
pub(crate) fn check(window: &Window) -> anyhow::Result<()> {
    let read = || Fat::read(window, Geometry::read(window)?);
    let Some(fat) = read().context("reading the boot file system")? else {
        bail!("the boot file system is FAT12, which no board starts from")
    };
    ensure!(
        fat.geometry.is_of_its_kind(),
        "the boot file system is FAT{}, and has {} clusters: no tool but the kernel takes it for one; \
         make it anew with fewer or more sectors to a cluster (`mkfs.vfat -s`)",
        fat.width * 8,
        fat.geometry.clusters
    );
    consistent(window, &fat).context(
        "the boot file system is damaged; run `fsck.vfat -a` on its partition, or take a fresh base",
    )
}

fn consistent(window: &Window, fat: &Fat) -> anyhow::Result<()> {
    let geometry = fat.geometry;
    let mut taken = Taken(vec![false; fat.table.len() / fat.width]);
    let mut open = vec![(String::new(), u64::from(geometry.root.unwrap_or_default()))];
    while let Some((folder, first)) = open.pop() {
        let entries = folder_entries(window, fat, &folder, first, &mut taken)?;
        for entry in entries.chunks_exact(ENTRY).take_while(|entry| entry[0] != 0) {
            if entry[0] == DELETED || entry[0] == b'.' || entry[11] & LABEL != 0 {
                continue;
            }
            let path = format!("{folder}/{}", short_name(entry));
            let high = if fat.width == 4 { u64::from(half(entry, 20)) } else { 0 };
            let first = high << 16 | u64::from(half(entry, 26));
            if entry[11] & FOLDER != 0 {
                // a folder's own entry leads to it, not back to the root
                ensure!(first != 0, "`{path}` is a folder without a cluster");
                ensure!(path.len() <= LONGEST_PATH, "its folders are nested too deeply");
                open.push((path, first));
                continue;
            }
            let size = u64::from(word(entry, 28));
            let chain = if first == 0 {
                Vec::new()
            } else {
                fat.chain(first, &mut taken).with_context(|| format!("`{path}`"))?
            };
            ensure!(
                chain.len() as u64 == size.div_ceil(geometry.cluster),
                "`{path}` has {size} bytes, and {} clusters of {}",
                chain.len(),
                geometry.cluster
            );
        }
    }
    let lost = fat.used().filter(|number| taken.take(number + 2)).count();
    ensure!(
        lost == 0,
        "{lost} cluster{} in use, but by no file",
        if lost == 1 { " is" } else { "s are" }
    );
    same_tables(window, fat)
}

/// All entries of a folder.
fn folder_entries(
    window: &Window,
    fat: &Fat,
    path: &str,
    first: u64,
    taken: &mut Taken,
) -> anyhow::Result<Vec<u8>> {
    let Geometry { root, root_length, data, cluster, .. } = fat.geometry;
    if path.is_empty() && root.is_none() {
        let mut entries = vec![0; usize::try_from(root_length)?];
        window.read_at(data - root_length, &mut entries)?;
        return Ok(entries);
    }
    let named = || format!("the folder `{path}/`");
    let chain = fat.chain(first, taken).with_context(named)?;
    let length = chain.len() * usize::try_from(cluster)?;
    ensure!(length <= MOST_ENTRIES * ENTRY, "{} has more entries than one can have", named());
    let mut entries = vec![0; length];
    for (cluster, content) in chain.into_iter().zip(entries.chunks_mut(usize::try_from(cluster)?)) {
        window.read_at(fat.place(cluster), content)?;
    }
    Ok(entries)
}

/// A name of eight letters and three, as it is written.
fn short_name(entry: &[u8]) -> String {
    let part = |range| String::from_utf8_lossy(&entry[range]).trim_end().to_owned();
    let (name, ending) = (part(0..8), part(8..11));
    let name = if ending.is_empty() { name } else { format!("{name}.{ending}") };
    name.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// Two tables say the same: a system takes the first, and another may take the second.
fn same_tables(window: &Window, fat: &Fat) -> anyhow::Result<()> {
    let (length, count) = fat.geometry.table;
    if count == 2 {
        let mut second = vec![0; fat.table.len()];
        window.read_at(fat.geometry.reserved + length, &mut second)?;
        ensure!(second == fat.table, "its two tables differ");
    }
    Ok(())
}
