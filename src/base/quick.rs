//! A hash for tables of words that koubou itself and its settings chose.
//!
//! It is quick and nothing else: nobody can fill such a table with words that collide, so
//! it need not be on guard. It must never be used for a table of what others wrote.

use std::hash::Hasher;

/// The hash of one word.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        let (parts, rest) = bytes.as_chunks::<8>();
        parts.iter().for_each(|part| self.add(u64::from_le_bytes(*part)));
        match rest {
            [] => {}
            [first, .., last] if rest.len() < 4 => {
                let middle = u64::from(rest[rest.len() / 2]) << (8 * (rest.len() / 2));
                let last = u64::from(*last) << (8 * (rest.len() - 1));
                self.add(u64::from(*first) | middle | last);
            }
            [only] => self.add(u64::from(*only)),
            _ => {
                // The first four bytes and the last four, which may be some of the same.
                let four =
                    |at: usize| rest[at..].first_chunk().copied().map_or(0, u32::from_le_bytes);
                let last = u64::from(four(rest.len() - 4)) << (8 * (rest.len() - 4));
                self.add(u64::from(four(0)) | last);
            }
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.add(u64::from(byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.add(number);
    }
}

impl Quick {
    /// Mixes in eight bytes, or fewer with zeroes behind them.
    #[inline]
    fn add(&mut self, part: u64) {
        self.0 = (self.0.rotate_left(5) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_word_count_each_in_its_place() {
        for len in 0..20_u8 {
            let word: Vec<u8> = (1..=len).collect();
            let (mut all, mut padded) = (Quick::default(), Quick::default());
            all.write(&word);
            for part in word.chunks(8) {
                let mut eight = [0; 8];
                eight[..part.len()].copy_from_slice(part);
                padded.write(&eight);
            }
            assert_eq!(all.finish(), padded.finish(), "{len}");
        }
    }
}
