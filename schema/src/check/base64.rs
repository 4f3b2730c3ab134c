/// Is this Base64 with its padding (RFC 4648, section 4), and not empty?
pub(super) fn is(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    !digits.is_empty()
        && text.len().is_multiple_of(4)
        && padding <= 2
        && digits.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'+' || c == b'/')
}

#[cfg(test)]
mod tests {
    use super::is;

    #[test]
    fn base64_is_whole_and_padded() {
        for text in ["O+H9VTcdJP0TQkl7bh4nVG0OJNrEataMpuWB54D0VEc=", "YQ==", "YWJj"] {
            assert!(is(text), "{text}");
        }
        for text in ["", "=", "YQ", "YQ=", "Y===", "Y Q=", "YQ-_"] {
            assert!(!is(text), "{text}");
        }
    }
}
