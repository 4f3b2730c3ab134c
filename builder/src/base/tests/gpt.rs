use tempfile::NamedTempFile;

use super::super::gpt::{Gpt, GptError};
use super::super::table::{Label, Table};
use super::*;

const SECTORS: u64 = 64 << 11;
const LAST: u64 = SECTORS - 1;

/// What sfdisk is told: a partition to start from, a gap in the numbers, a root.
const SCRIPT: &str = "label: gpt\nlabel-id: 01234567-89AB-CDEF-0123-456789ABCDEF\n\
    1: start=2048, size=65536, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE\n\
    3: start=67584, size=61440, type=B921B045-1DF0-41C3-AF44-4C6F280D3FAE, uuid=00112233-4455-6677-8899-AABBCCDDEEFF\n";

/// A disk with the table that sfdisk makes of this.
fn disk(script: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    file.as_file().set_len(SECTORS * 512).unwrap();
    Tool::new("sfdisk", "making a table").arg("-q").arg(file.path()).input(script).run().unwrap();
    file
}

fn read(disk: &NamedTempFile) -> Result<Gpt, GptError> {
    Gpt::read(disk.as_file(), SECTORS * 512)
}

/// Changes bytes of the header in this sector, and makes its checksum right again.
fn forge(disk: &NamedTempFile, sector: u64, at: usize, bytes: &[u8]) {
    let mut header = [0; 512];
    disk.as_file().read_exact_at(&mut header, sector * 512).unwrap();
    header[at..at + bytes.len()].copy_from_slice(bytes);
    header[16..20].fill(0);
    let mut crc = flate2::Crc::new();
    crc.update(&header[..92]);
    header[16..20].copy_from_slice(&crc.sum().to_le_bytes());
    disk.as_file().write_all_at(&header, sector * 512).unwrap();
}

#[test]
fn a_table_is_read_as_sfdisk_wrote_it() {
    let disk = disk(SCRIPT);
    let gpt = read(&disk).unwrap();
    assert_eq!(gpt.disk_id.to_string(), "01234567-89ab-cdef-0123-456789abcdef");
    let entries: Vec<_> =
        gpt.entries.iter().map(|it| (it.number, it.first, it.last, it.id.to_string())).collect();
    let ids = ["aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "00112233-4455-6677-8899-aabbccddeeff"];
    assert_eq!(
        entries,
        [(1, 2048, 67_583, ids[0].to_owned()), (3, 67_584, 129_023, ids[1].to_owned())]
    );
    assert_eq!(gpt.damage, None);
    assert_eq!(gpt.places.len(), 4);

    let table = Table::read(disk.as_file()).unwrap();
    assert_eq!((table.boot.number, table.root.number), (1, 3));
    assert_eq!((table.root.offset(), table.root.length()), (67_584 * 512, 61_440 * 512));
    assert_eq!(table.part_uuid(&table.root), ids[1]);
    assert!(!table.is_seen_by_boot_roms());
    let wanted = "GPT 01234567-89ab-cdef-0123-456789abcdef; partition 1: EFI system, 65536 sectors from 2048; \
         partition 3: Linux root (ARM-64), 61440 sectors from 67584";
    assert_eq!(table.to_string(), wanted);
}

#[test]
fn partitions_of_other_kinds_are_passed_over() {
    let script = "label: gpt\nstart=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649\n\
        start=4096, size=65536, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n\
        start=69632, size=2048, type=S\nstart=71680, size=40960, type=L\nstart=112640, size=2048, type=L\n";
    let table = Table::read(disk(script).as_file()).unwrap();
    assert_eq!((table.boot.number, table.root.number), (2, 4));
    assert_eq!(table.others.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 3, 5]);
}

#[test]
fn a_damaged_table_gives_way_to_the_one_at_the_end() {
    let whole = read(&disk(SCRIPT)).unwrap();
    for (at, damage) in [
        (512, "its GPT has no header"),
        (512 + 8, "its GPT is of a revision that nobody knows"),
        (512 + 13, "its GPT's header gives itself a length that cannot be"),
        (512 + 60, "its GPT's header does not match its checksum"),
        (1024 + 40, "its GPT's entries do not match their checksum"),
        // an unused one
        (512 * 20, "its GPT's entries do not match their checksum"),
    ] {
        let disk = disk(SCRIPT);
        disk.as_file().write_all_at(&[0x77], at).unwrap();
        let gpt = read(&disk).unwrap();
        assert_eq!((gpt.damage, &gpt.entries), (Some(damage), &whole.entries));
        disk.as_file().write_all_at(&[0x77], LAST * 512).unwrap();
        assert_eq!(read(&disk).unwrap_err().to_string(), damage);
    }
}

/// Whoever can forge a checksum gets no further than this.
#[test]
fn a_header_that_cannot_be_is_refused_though_its_checksum_holds() {
    for (at, bytes, damage) in [
        (24, &2_u64.to_le_bytes()[..], "its GPT's header is not sound"),
        (72, &1_u64.to_le_bytes(), "its GPT's header is not sound"),
        (72, &u64::MAX.to_le_bytes(), "its GPT's header is not sound"),
        (72, &LAST.to_le_bytes(), "its GPT's header is not sound"),
        (48, &0_u64.to_le_bytes(), "its GPT's header is not sound"),
        (
            80,
            &u32::MAX.to_le_bytes(),
            "its GPT's header announces entries of a number or length that cannot be",
        ),
        (
            84,
            &129_u32.to_le_bytes(),
            "its GPT's header announces entries of a number or length that cannot be",
        ),
        (
            84,
            &(1_u32 << 31).to_le_bytes(),
            "its GPT's header announces entries of a number or length that cannot be",
        ),
        (88, &[0; 4], "its GPT's entries do not match their checksum"),
    ] {
        let disk = disk(SCRIPT);
        forge(&disk, 1, at, bytes);
        assert_eq!(read(&disk).unwrap().damage, Some(damage), "{at}");
    }
}

#[test]
fn a_partition_outside_of_what_there_is_is_refused() {
    let disk = disk(SCRIPT);
    forge(&disk, 1, 48, &129_000_u64.to_le_bytes());
    let wanted = "partition 3 is not within what its GPT gives to partitions";
    assert_eq!(read(&disk).unwrap_err().to_string(), wanted);
    // the end may be missing where only the beginning was kept
    let disk = self::disk(SCRIPT);
    disk.as_file().set_len(129_024 * 512).unwrap();
    assert_eq!(Table::read(disk.as_file()).unwrap().root.number, 3);
    disk.as_file().set_len(129_023 * 512).unwrap();
    let error = Table::read(disk.as_file()).unwrap_err().to_string();
    assert!(error.starts_with("partition 3 ends at 66060288, beyond the file's "), "{error}");
    disk.as_file().set_len(512).unwrap();
    let error = Table::read(disk.as_file()).unwrap_err().to_string();
    assert_eq!(error, "the image ends before its GPT does");
}

#[test]
fn a_hybrid_is_a_gpt_that_boot_roms_see() {
    let disk = disk(SCRIPT);
    Tool::new("sgdisk", "making a hybrid").arg("--hybrid=1").arg(disk.path()).run().unwrap();
    // what sgdisk makes of an EFI system partition is a kind that boot ROMs do not know
    for (kind, seen) in [(0xef, false), (0x0c, true)] {
        disk.as_file().write_all_at(&[kind], 446 + 16 + 4).unwrap();
        let table = Table::read(disk.as_file()).unwrap();
        assert_eq!((table.boot.number, table.root.number), (1, 3));
        assert!(table.label.mbr.protects_gpt());
        assert_eq!(table.is_seen_by_boot_roms(), seen, "{}", table.label.mbr);
    }
    // an entry that protects something else is none, and what is left of a GPT is not looked at: so does the kernel
    disk.as_file().write_all_at(&[2], 446 + 8).unwrap();
    assert!(!Label::read(disk.as_file()).unwrap().mbr.protects_gpt());
}
