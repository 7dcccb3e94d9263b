//! BER as LDAP uses it (RFC 4511 §5.1): definite lengths, one-byte tags.

use crate::material::element;

/// Largest message that is read.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// What is left to read of some content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

/// What does not fit the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl<'a> Reader<'a> {
    /// The next element. Nothing when it is not complete yet.
    pub(super) fn next(&mut self) -> Result<Option<(u8, &'a [u8])>, Malformed> {
        let Some((head, length)) = header(self.0)? else {
            return Ok(None);
        };
        if self.0.len() < head + length {
            return Ok(None);
        }
        let (tag, content) = (self.0[0], &self.0[head..head + length]);
        self.0 = &self.0[head + length..];
        Ok(Some((tag, content)))
    }

    /// The next element, which has to be there and of that tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        match self.next()? {
            Some((found, content)) if found == tag => Ok(content),
            _ => Err(Malformed),
        }
    }

    pub(super) fn text(&mut self, tag: u8) -> Result<String, Malformed> {
        String::from_utf8(self.expect(tag)?.to_vec()).map_err(|_| Malformed)
    }

    pub(super) fn integer(&mut self, tag: u8) -> Result<i64, Malformed> {
        let content = self.expect(tag)?;
        if content.is_empty() || content.len() > 8 {
            return Err(Malformed);
        }
        let start = if content[0] & 0x80 == 0 { 0 } else { -1 };
        Ok(content
            .iter()
            .fold(start, |number, byte| number << 8 | i64::from(*byte)))
    }
}

/// Length of header and content. Nothing when the header is not complete yet.
fn header(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let Some(first) = bytes.get(1).copied() else {
        return Ok(None);
    };
    if first < 0x80 {
        return Ok(Some((2, usize::from(first))));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return Err(Malformed);
    }
    let Some(rest) = bytes.get(2..2 + count) else {
        return Ok(None);
    };
    let length = rest
        .iter()
        .fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    if length > MOST_BYTES {
        Err(Malformed)
    } else {
        Ok(Some((2 + count, length)))
    }
}

pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
    element(0x04, bytes)
}

pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

pub(super) fn integer(tag: u8, number: i64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    // Leading bytes that repeat the sign are left out.
    let spare = (0..7)
        .take_while(|i| matches!((bytes[*i], bytes[*i + 1] & 0x80), (0, 0) | (0xff, 0x80)))
        .count();
    element(tag, &bytes[spare..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_as_short_as_they_can_be() {
        for (number, bytes) in [
            (0, &[2, 1, 0][..]),
            (127, &[2, 1, 127]),
            (128, &[2, 2, 0, 128]),
            (-1, &[2, 1, 255]),
            (-129, &[2, 2, 255, 127]),
            (65_536, &[2, 3, 1, 0, 0]),
        ] {
            assert_eq!(integer(2, number), bytes);
            assert_eq!(Reader(bytes).integer(2), Ok(number));
        }
    }

    #[test]
    fn halves_are_waited_for_and_nonsense_is_refused() {
        let whole = octets(&[7; 300]);
        for cut in 0..whole.len() {
            assert!(Reader(&whole[..cut]).next().unwrap().is_none());
        }
        assert_eq!(Reader(&whole).next().unwrap().unwrap().1, [7; 300]);
        for wrong in [
            &[0x30, 0x80][..],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x30, 0x84, 0xff, 0, 0, 0],
        ] {
            assert!(Reader(wrong).next().is_err());
        }
    }
}
