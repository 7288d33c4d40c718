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
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
}
