//! Where the frames of a zstd file begin and end, found from their headers alone.
//!
//! Nothing is unpacked to find a frame's end, so that one whose content is damaged is passed over
//! like any other, and one that was torn is known by its missing end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// What every frame begins with.
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
/// The longest frame header, its magic number included.
const LONGEST_HEADER: usize = 18;

/// The byte after the frame that begins at `start`; `None` where no whole frame does.
pub(super) fn end(file: &File, start: u64, size: u64) -> io::Result<Option<u64>> {
    let mut header = [0; LONGEST_HEADER];
    let read = read_at(file, &mut header, start)?;
    let Some((mut at, has_checksum)) = after_header(&header[..read]) else { return Ok(None) };
    at += start;
    loop {
        let mut block = [0; 3];
        if read_at(file, &mut block, at)? < block.len() {
            return Ok(None);
        }
        let block = u32::from_le_bytes([block[0], block[1], block[2], 0]);
        let content = match (block >> 1) & 3 {
            // One byte that stands for many.
            1 => 1,
            0 | 2 => u64::from(block >> 3),
            _ => return Ok(None),
        };
        at += 3 + content;
        if block & 1 == 1 {
            break;
        }
    }
    at += if has_checksum { 4 } else { 0 };
    Ok((at <= size).then_some(at))
}

/// How long a frame's header is, and whether the frame ends in a checksum.
fn after_header(header: &[u8]) -> Option<(u64, bool)> {
    if !header.starts_with(&MAGIC) {
        return None;
    }
    let descriptor = *header.get(4)?;
    let is_single = descriptor & 0x20 != 0;
    let window = usize::from(!is_single);
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content_size = match descriptor >> 6 {
        0 => usize::from(is_single),
        n => 1 << n,
    };
    let length = 5 + window + dictionary + content_size;
    (header.len() >= length).then_some((length as u64, descriptor & 4 != 0))
}

/// Where the next frame may begin, behind one that makes no sense.
pub(super) fn next_start(file: &File, from: u64) -> io::Result<Option<u64>> {
    const BLOCK: usize = 64 << 10;
    let mut at = from;
    let mut bytes = vec![0; BLOCK];
    loop {
        let read = read_at(file, &mut bytes, at)?;
        if let Some(found) = bytes[..read].windows(MAGIC.len()).position(|four| four == MAGIC) {
            return Ok(Some(at + found as u64));
        }
        if read < BLOCK {
            return Ok(None);
        }
        // The number may begin at the end of this block.
        at += (BLOCK - MAGIC.len() + 1) as u64;
    }
}

/// Reads as much as there is.
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], at + read as u64) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn frame(text: &[u8], checksum: bool) -> Vec<u8> {
        let mut packer = zstd::bulk::Compressor::new(3).unwrap();
        packer.include_checksum(checksum).unwrap();
        packer.compress(text).unwrap()
    }

    #[test]
    fn frames_of_all_sizes_are_told_apart_without_unpacking() {
        let noise: Vec<u8> =
            (0..400_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let texts: [&[u8]; 5] = [b"", b"a", &[b'x'; 300_000], &noise, b"the last"];
        let mut file = tempfile::tempfile().unwrap();
        let mut ends = vec![0];
        for (n, text) in texts.iter().enumerate() {
            let bytes = frame(text, n % 2 == 0);
            file.write_all(&bytes).unwrap();
            ends.push(ends[n] + bytes.len() as u64);
        }
        let size = *ends.last().unwrap();
        for pair in ends.windows(2) {
            assert_eq!(end(&file, pair[0], size).unwrap(), Some(pair[1]));
        }
        assert_eq!(end(&file, size, size).unwrap(), None);
        assert_eq!(end(&file, 1, size).unwrap(), None);
        assert_eq!(next_start(&file, 1).unwrap(), Some(ends[1]));
        assert_eq!(next_start(&file, ends[4] + 1).unwrap(), None);
    }

    #[test]
    fn a_frame_that_was_torn_anywhere_has_no_end() {
        let whole = frame(&[7; 5_000], true);
        for cut in 0..whole.len() {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&whole[..cut]).unwrap();
            assert_eq!(end(&file, 0, cut as u64).unwrap(), None, "cut at {cut}");
        }
    }
}
