use std::io::{Cursor, Seek};

use super::super::table::Table;
use super::*;

fn raspberry_pi() -> Mbr {
    let boot = Partition { bootable: true, kind: 0x0c, start_sector: 16_384, sectors: 1_048_576 };
    let root =
        Partition { bootable: false, kind: 0x83, start_sector: 1_064_960, sectors: 3_129_344 };
    Mbr {
        disk_id: 0x00c0_ffee,
        partitions: [boot, root, Partition::default(), Partition::default()],
    }
}

#[test]
fn what_is_written_is_read_back() {
    let mbr = raspberry_pi();
    assert_eq!(Mbr::read(&mut Cursor::new(mbr.encode())).unwrap(), mbr);
    assert_eq!(mbr.part_uuid(2), "00c0ffee-02");
    assert!(!mbr.protects_gpt());
}

#[test]
fn sfdisk_reads_what_we_write() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), raspberry_pi().encode()).unwrap();
    file.as_file().set_len(2 << 30).unwrap();
    let dump = Tool::new("sfdisk", "dumping the table").arg("-d").arg(file.path()).run().unwrap();
    let words = dump.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("label: dos"), "{dump}");
    assert!(words.contains("label-id: 0x00c0ffee"), "{dump}");
    assert!(words.contains("start= 16384, size= 1048576, type=c, bootable"), "{dump}");
    assert!(words.contains("start= 1064960, size= 3129344, type=83"), "{dump}");
    let verdict =
        Tool::new("sfdisk", "verifying the table").arg("-V").arg(file.path()).run().unwrap();
    assert!(verdict.contains("No errors detected."), "{verdict}");
}

#[test]
fn we_read_and_write_what_sfdisk_does() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(2 << 30).unwrap();
    let script = "label: dos\nlabel-id: 0x00c0ffee\n\
                  start=16384, size=1048576, type=c, bootable\nstart=1064960, size=3129344, type=83\n";
    Tool::new("sfdisk", "making a table").arg("-q").arg(file.path()).input(script).run().unwrap();
    let mut disk = std::fs::File::open(file.path()).unwrap();
    assert_eq!(Mbr::read(&mut disk).unwrap(), raspberry_pi());
    let mut sector = [0; 512];
    disk.rewind().unwrap();
    disk.read_exact(&mut sector).unwrap();
    assert_eq!(sector[..], raspberry_pi().encode()[..]);
}

#[test]
fn a_partition_lies_behind_another_by_place_and_not_by_number() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut mbr = raspberry_pi();
    let is_root_last = |mbr: &Mbr| {
        std::fs::write(file.path(), mbr.encode()).unwrap();
        file.as_file().set_len(4 << 30).unwrap();
        Table::read(file.as_file()).unwrap().is_root_last()
    };
    assert!(is_root_last(&mbr));
    mbr.partitions[0].start_sector = 5_000_000;
    assert!(!is_root_last(&mbr));
}

#[test]
fn what_is_no_table_is_refused() {
    let read = |bytes: &[u8]| Mbr::read(&mut Cursor::new(bytes)).unwrap_err().to_string();
    assert_eq!(
        read(b"version: 1\n"),
        "shorter than one sector of 512 bytes: this is not a disk image"
    );
    assert_eq!(read(&[0; 4096]), "no partition table: the first sector does not end in 55 AA");
    // a FAT boot sector ends in the same signature
    let mut fat = raspberry_pi().encode();
    fat[446 + 16] = 0x65;
    assert_eq!(read(&fat), "the first sector is no partition table: entry 2 begins with 0x65");
}
