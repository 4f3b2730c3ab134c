//! Numbers as every structure on a card has them: the low byte first.

/// The number of two bytes at `at`.
pub(super) fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes_at(bytes, at))
}

/// The number of four bytes at `at`.
pub(super) fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(bytes, at))
}

/// The number of eight bytes at `at`.
pub(super) fn double(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes_at(bytes, at))
}

/// The bytes from `at` on, which are there: whoever asks has read a whole structure.
fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|index| bytes[at + index])
}
