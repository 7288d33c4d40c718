//! Hex and base64 that decode to text, also where that text was packed.

use std::ops::Range;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{From, View};

/// The shortest run of letters that is tried as base64 or hex.
pub(super) const SHORTEST: usize = 16;
/// How much of a blob must decode to text before the rest is tried.
const TASTE: usize = 64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Hex and base64 that decode to text.
pub(super) fn views(text: &str, views: &mut Vec<View>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !is_blob_byte(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        let end = start + bytes[start..].iter().take_while(|b| is_blob_byte(**b)).count();
        at = end;
        let start =
            start + 2 * usize::from(bytes[start..].starts_with(b"0x") && end - start > SHORTEST);
        let is_pair = match bytes[start..] {
            [first, second, ..] => {
                first.is_ascii_hexdigit()
                    && (second.is_ascii_hexdigit() || matches!(second, b'x' | b'X'))
            }
            _ => false,
        };
        if let Some(pairs) = is_pair.then(|| hex_pairs(bytes, start)).flatten() {
            at = at.max(pairs.1.end);
            views.extend(view_of("hex", &pairs.0, pairs.1));
            continue;
        }
        if end - start < SHORTEST {
            continue;
        }
        let whole = wrapped(bytes, start, end);
        let alone = || (whole != (start..end)).then(|| decoded(bytes, start..end)).flatten();
        if let Some(view) = decoded(bytes, whole.clone()).or_else(alone) {
            if let From::Stretch(stretch) = &view.from {
                at = at.max(stretch.end);
            }
            views.push(view);
        }
    }
}

/// The bytes of which blobs are made.
const IN_BLOB: [bool; 256] = {
    let (mut is, mut n) = ([false; 256], 0);
    while n < 256 {
        let b = n as u8;
        is[n] = b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
        n += 1;
    }
    is
};

fn is_blob_byte(b: u8) -> bool {
    IN_BLOB[usize::from(b)]
}

/// How far a blob goes on over lines that hold nothing else.
fn wrapped(bytes: &[u8], start: usize, end: usize) -> Range<usize> {
    let mut end = end;
    loop {
        let rest = &bytes[end..];
        let breaks =
            rest.iter().take(42).take_while(|b| matches!(b, b'\r' | b'\n' | b' ' | b'\t')).count();
        if breaks == 0 || !rest[..breaks].contains(&b'\n') {
            break;
        }
        let next = rest[breaks..].iter().take_while(|b| is_blob_byte(**b)).count();
        let stops = rest[breaks + next..].iter().find(|b| **b != b'=').is_none_or(|b| {
            b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`' | b',' | b'<')
        });
        if next < 4 || !stops {
            break;
        }
        end += breaks + next;
    }
    start..end
}

fn decoded(bytes: &[u8], at: Range<usize>) -> Option<View> {
    let blob = &bytes[at.clone()];
    if blob.iter().all(u8::is_ascii_hexdigit) && blob.len().is_multiple_of(2) {
        let raw: Vec<u8> = blob.chunks(2).filter_map(hex_pair).collect();
        return view_of("hex", &raw, at);
    }
    let clean: Vec<u8> = blob
        .iter()
        .filter(|b| !b.is_ascii_whitespace())
        .map(|b| match b {
            b'-' => b'+',
            b'_' => b'/',
            b => *b,
        })
        .collect();
    if let Some(raw) = unpacked(&clean) {
        return view_of("base64", &raw, at);
    }
    if clean.len() > TASTE {
        let taste = BASE64.decode(&clean[..TASTE / 4 * 4]).ok()?;
        text_of(&taste, true)?;
    }
    // One letter too many is the next word's.
    let whole = if clean.len() % 4 == 1 { clean.len() - 1 } else { clean.len() };
    let raw = BASE64.decode(&clean[..whole]).ok()?;
    view_of("base64", &raw, at)
}

/// How much of what is packed is looked at: what is longer is no text that somebody hid in a task.
const MOST_UNPACKED: u64 = 256 << 10;

/// What is packed in a blob by gzip or zlib.
fn unpacked(clean: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read;
    // Both show in the first letters: `H4sI` is gzip, `eJ`, `eA`, `eN` are zlib.
    let is_gzip = clean.starts_with(b"H4sI");
    if !is_gzip && !clean.starts_with(b"eJ") && !clean.starts_with(b"eN") {
        return None;
    }
    let whole = clean.len() - usize::from(clean.len() % 4 == 1);
    let packed = BASE64.decode(&clean[..whole]).ok()?;
    let mut raw = Vec::new();
    let read = match is_gzip {
        true => flate2::read::GzDecoder::new(&packed[..]).take(MOST_UNPACKED).read_to_end(&mut raw),
        false => {
            flate2::read::ZlibDecoder::new(&packed[..]).take(MOST_UNPACKED).read_to_end(&mut raw)
        }
    };
    // Of what is cut short the beginning counts.
    (read.is_ok() || !raw.is_empty()).then_some(raw)
}

pub(in crate::route::sensitivity) fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    Some((digit(*pair.first()?)? * 16 + digit(*pair.get(1)?)?) as u8)
}

/// `70 61 73 73`, `70:61:73`, `0x70, 0x61`, `7061 7373`: bytes written in pairs, or two and four at once.
fn hex_pairs(bytes: &[u8], start: usize) -> Option<(Vec<u8>, Range<usize>)> {
    let (mut at, mut out) = (start, Vec::new());
    loop {
        let rest = &bytes[at..];
        let mark = usize::from(rest.starts_with(b"0x") || rest.starts_with(b"0X")) * 2;
        let digits = rest[mark.min(rest.len())..].iter().take(9);
        let digits = digits.take_while(|b| b.is_ascii_alphanumeric()).count();
        let Some(group) = rest.get(mark..mark + digits).filter(|_| matches!(digits, 2 | 4 | 8))
        else {
            break;
        };
        if !group.iter().all(u8::is_ascii_hexdigit) {
            break;
        }
        out.extend(group.chunks(2).filter_map(hex_pair));
        at += mark + digits;
        let gap = bytes[at..]
            .iter()
            .take(4)
            .take_while(|b| matches!(b, b' ' | b':' | b',' | b'-' | b'\n'))
            .count();
        if gap == 0 || bytes.get(at + gap).is_none_or(|b| !b.is_ascii_hexdigit()) {
            break;
        }
        at += gap;
    }
    (out.len() >= 8).then_some((out, start..at))
}

fn view_of(name: &'static str, raw: &[u8], at: Range<usize>) -> Option<View> {
    let text = text_of(raw, false)?;
    Some(View { name, text, glued: false, from: From::Stretch(at) })
}

/// Bytes as text, where they are: UTF-8, or the UTF-16 of some shells. `cut` says that the end may be missing.
pub(in crate::route::sensitivity) fn text_of(raw: &[u8], cut: bool) -> Option<String> {
    if raw.len() < 5 {
        return None;
    }
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&raw[..error.valid_up_to()]).ok()?.to_owned()
        }
        Err(_) => utf16(raw)?,
    };
    let text = if text.contains('\0') { utf16(raw)? } else { text };
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    (!text.is_empty() && text.chars().all(plain)).then_some(text)
}

fn utf16(raw: &[u8]) -> Option<String> {
    let units: Vec<u16> =
        raw.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let ascii = units.iter().filter(|unit| (9..127).contains(*unit)).count();
    (ascii * 2 > units.len()).then(|| String::from_utf16(&units).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::of;
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        of(text).map(|view| view.text).collect()
    }

    #[test]
    fn blobs_that_are_text_are_decoded() {
        let secret = "the quick brown fox, 素早い";
        let plain = BASE64.encode(secret);
        let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
        let pairs: String = secret.bytes().map(|b| format!("{b:02x} ")).collect();
        let fours: String =
            hex.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four) + " ").collect();
        let url = plain.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned();
        let split: Vec<&str> = [&plain[..20], &plain[20..]].to_vec();
        for text in [format!("x {plain} y"), hex, pairs, fours, url, split.join("\n  ")] {
            assert!(texts(&text).iter().any(|found| found == secret), "{text}");
        }
        let wide: Vec<u8> = "Write-Host hello".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(texts(&BASE64.encode(wide)).contains(&"Write-Host hello".to_owned()));
    }

    #[test]
    fn what_is_no_text_has_no_view() {
        let picture: Vec<u8> =
            (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for text in [BASE64.encode(picture), "d".repeat(64), "plain words, and nothing more".into()]
        {
            let blobs: Vec<View> = of(&text).filter(|view| view.name != "lines").collect();
            assert!(blobs.is_empty(), "{text}: {blobs:?}");
        }
    }
}
