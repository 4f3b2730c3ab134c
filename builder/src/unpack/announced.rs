//! How large a compressed image will be, as its file tells without being decompressed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::{Format, is_skippable};

/// The sum over all members; none if the format, or one of the members, does not tell, or if the file is damaged,
/// which the decoder will find and say.
pub(super) fn size(format: Format, file: &mut File, length: u64) -> io::Result<Option<u64>> {
    let size = match format {
        Format::Xz => xz(file, length),
        Format::Zstd => zstd(file, length),
        _ => Ok(None),
    };
    match size {
        Err(error) if error.raw_os_error().is_none() => Ok(None),
        other => other,
    }
}

/// Bytes of the header of an xz stream, and of its footer.
const XZ_HEADER: u64 = 12;
/// The longest index that is looked at: an image of 64 GiB in blocks of 1 MiB has less.
const XZ_INDEX: u64 = 1 << 20;

/// An xz file ends in an index of its blocks (the xz file format 1.2.1, sections 2.1.2 and 4). Several streams,
/// and zeros between them, are found from the end.
fn xz(file: &mut File, length: u64) -> io::Result<Option<u64>> {
    let mut total = 0_u64;
    let mut end = length;
    while end > 0 {
        if end < 2 * XZ_HEADER {
            return Ok(None);
        }
        let footer: [u8; 12] = read_at(file, end - XZ_HEADER)?;
        if footer[8..] == [0; 4] {
            end -= 4;
            continue;
        }
        let backward = u32::from_le_bytes([footer[4], footer[5], footer[6], footer[7]]);
        let index = (u64::from(backward) + 1) * 4;
        if &footer[10..] != b"YZ" || index > XZ_INDEX || index + 2 * XZ_HEADER > end {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(end - XZ_HEADER - index))?;
        let mut bytes = Vec::new();
        file.take(index).read_to_end(&mut bytes)?;
        let Some((packed, unpacked)) = xz_index(&bytes) else { return Ok(None) };
        let stream = packed.checked_add(index + 2 * XZ_HEADER);
        let (Some(stream), Some(sum)) = (stream, total.checked_add(unpacked)) else {
            return Ok(None);
        };
        if stream > end {
            return Ok(None);
        }
        (total, end) = (sum, end - stream);
    }
    Ok(Some(total))
}

/// The size of all blocks, as they are in the file and as they will be.
fn xz_index(mut bytes: &[u8]) -> Option<(u64, u64)> {
    let (mut packed, mut unpacked) = (0_u64, 0_u64);
    bytes = bytes.strip_prefix(b"\0")?;
    let records = variable(&mut bytes)?;
    for _ in 0..records {
        let block = variable(&mut bytes)?;
        packed = packed.checked_add(block.checked_next_multiple_of(4)?)?;
        unpacked = unpacked.checked_add(variable(&mut bytes)?)?;
    }
    Some((packed, unpacked))
}

/// A number in seven bits a byte, the lowest first.
fn variable(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << (at * 7);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// A zstd frame begins with its size, if the compressor knew it; the next frame is found by going from block to
/// block (RFC 8878, section 3.1.1).
fn zstd(file: &mut File, length: u64) -> io::Result<Option<u64>> {
    let mut total = 0_u64;
    let mut at = 0;
    while at < length {
        let magic: [u8; 4] = read_at(file, at)?;
        if is_skippable(&magic) {
            let size: [u8; 4] = read_at(file, at + 4)?;
            at += 8 + u64::from(u32::from_le_bytes(size));
            continue;
        }
        let [descriptor] = read_at(file, at + 4)?;
        let is_single = descriptor & 0x20 != 0;
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let width = match descriptor >> 6 {
            0 if !is_single => return Ok(None),
            exponent => 1_usize << exponent,
        };
        at += 5 + u64::from(!is_single) + dictionary;
        let bytes: [u8; 8] = read_some(file, at, width)?;
        let size = u64::from_le_bytes(bytes) + if width == 2 { 256 } else { 0 };
        let Some(sum) = total.checked_add(size) else { return Ok(None) };
        total = sum;
        at += width as u64;
        loop {
            let [low, middle, high] = read_at(file, at)?;
            let block = u32::from_le_bytes([low, middle, high, 0]);
            let is_one_byte = (block >> 1) & 3 == 1;
            at += 3 + if is_one_byte { 1 } else { u64::from(block >> 3) };
            if block & 1 == 1 {
                break;
            }
        }
        at += if descriptor & 4 == 0 { 0 } else { 4 };
    }
    Ok((at == length).then_some(total))
}

fn read_at<const N: usize>(file: &mut File, at: u64) -> io::Result<[u8; N]> {
    read_some(file, at, N)
}

/// Reads so many bytes, the others being 0.
fn read_some<const N: usize>(file: &mut File, at: u64, count: usize) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes[..count])?;
    Ok(bytes)
}
