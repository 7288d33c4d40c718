//! As much of a line of the journal as its money needs, read from its bytes.
//!
//! [`Outliner::read`] knows the form in which koubou writes what there is most of: that an attempt
//! began, that it ended, that a result was filed. Each field stands in its place, no text has an
//! escape in it, and an amount is written in plain digits. What it says of such a line is what
//! [`Line`](super::journal::Line) says of it. Of every other line it says nothing, be it good or bad:
//! whoever asks reads that one whole.

use memchr::memchr;

use super::journal::LineKind;
use super::outcome::Usage;
use super::{Folder, TaskId, Usd};
use crate::base::clock::Timestamp;

/// What was seen of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline<'a> {
    /// What it tells.
    pub event: LineKind,
    /// When it was written, or a moment of the same second.
    pub at: Timestamp,
    /// When the attempt began, or a moment of the same second.
    pub started_at: Option<Timestamp>,
    /// The attempt's mark.
    pub attempt: Option<&'a str>,
    /// The hand's type.
    pub worker_type: Option<&'a str>,
    /// The task's type.
    pub task_type: Option<&'a str>,
    /// The most that the attempt may cost.
    pub reserved_usd: Option<Usd>,
    /// What it cost.
    pub cost_usd: Option<Usd>,
}

/// Reads one line after the other.
#[derive(Debug, Default)]
pub struct Outliner {
    written: Second,
    began: Second,
}

/// The second that was read last: most lines tell of the same one as the line before.
#[derive(Debug, Default)]
struct Second {
    text: String,
    at: Timestamp,
}

/// How long a time is without its fraction and the `Z`.
const TO_THE_SECOND: usize = "2026-11-23T01:02:03".len();

/// How a line goes on behind its time that changes no sum, and is not read at all for that.
const NO_MONEY: [&[u8]; 2] = [br#"","event":"filed","#, br#"","event":"retry","#];
const BEGINNING: &[u8] = br#"{"at":""#;
const BEHIND_THE_TIME: usize = r#"{"at":"2026-11-23T01:02:03.456Z"#.len();

/// Whether a line is certain to tell of no money, whatever else it says.
pub fn is_no_money(line: &[u8]) -> bool {
    // The first "event" is the only one: a line that has another cannot be read, and counts for nothing.
    line.starts_with(BEGINNING)
        && line.get(BEHIND_THE_TIME..).is_some_and(|rest| {
            NO_MONEY.iter().any(|event| rest.starts_with(event))
                && !line[BEGINNING.len()..BEHIND_THE_TIME].iter().any(|b| matches!(b, b'"' | b'\\'))
        })
}

impl Outliner {
    /// What a line says, where it is of the form that is known here.
    pub fn read<'a>(&mut self, line: &'a [u8]) -> Option<Outline<'a>> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if !is_plain(line) {
            return None;
        }
        let mut fields = Fields(std::str::from_utf8(line).ok()?);
        let at = fields.text("{\"at\":\"")?;
        let event = match fields.text(",\"event\":\"")? {
            "attempt" => LineKind::Attempt,
            "end" => LineKind::End,
            "filed" => LineKind::Filed,
            _ => return None,
        };
        let task = fields.text(",\"task\":\"");
        let attempt = fields.text(",\"attempt\":\"");
        fields.text(",\"worker_id\":\"");
        let worker_type = fields.text(",\"worker_type\":\"");
        let task_type = fields.text(",\"task_type\":\"");
        fields.text(",\"model\":\"");
        let reserved_usd = fields.amount(",\"reserved_usd\":");
        let cost_usd = fields.amount(",\"cost_usd\":");
        fields.usage();
        fields.text(",\"outcome\":\"");
        fields.text(",\"message\":\"");
        let started_at = fields.text(",\"started_at\":\"");
        fields.text(",\"batch\":\"");
        fields.text(",\"batch_id\":\"");
        let folder = fields.text(",\"folder\":\"");
        // What was not in its place stands there still.
        let is_all = fields.0 == "}"
            && task.is_none_or(TaskId::is_one)
            && folder.is_none_or(|folder| Folder::from_name(folder).is_some());
        let started_at = match started_at {
            Some(text) => Some(self.began.read(text)?),
            None => None,
        };
        let at = self.written.read(at)?;
        let outline = Outline {
            event,
            at,
            started_at,
            attempt,
            worker_type,
            task_type,
            reserved_usd,
            cost_usd,
        };
        is_all.then_some(outline)
    }
}

/// Whether every byte stands for itself in a text of JSON, but for the quotes.
fn is_plain(line: &[u8]) -> bool {
    // Without an early end, so that many are looked at in one step.
    !line.iter().fold(false, |is_odd, byte| is_odd | (*byte < b' ') | (*byte == b'\\'))
}

impl Second {
    fn read(&mut self, text: &str) -> Option<Timestamp> {
        let (second, fraction) = text.split_at_checked(TO_THE_SECOND)?;
        if second == self.text && is_fraction(fraction) {
            return Some(self.at);
        }
        self.at = text.parse().ok()?;
        second.clone_into(&mut self.text);
        // What another zone says is not what its digits say, and a leap second is none of ours.
        if !is_fraction(fraction) || second.ends_with("60") {
            self.text.clear();
        }
        Some(self.at)
    }
}

/// Whether this is what stands behind a second in a time of UTC: `.456Z`.
fn is_fraction(text: &str) -> bool {
    let Some(fraction) = text.strip_suffix('Z') else { return false };
    let is_number = |digits: &str| {
        (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    fraction.is_empty() || fraction.strip_prefix('.').is_some_and(is_number)
}

/// What is left of a line. A field that is not the next one, or not as koubou writes it, is left.
struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    // The key is known where it is called, and then it is compared in a step or two.
    #[inline]
    fn text(&mut self, key: &str) -> Option<&'a str> {
        let rest = self.0.strip_prefix(key)?;
        let (text, rest) = rest.split_at(memchr(b'"', rest.as_bytes())?);
        self.0 = &rest[1..];
        Some(text)
    }

    fn amount(&mut self, key: &str) -> Option<Usd> {
        let rest = self.0.strip_prefix(key)?;
        let end = rest.bytes().position(|byte| !byte.is_ascii_digit() && byte != b'.')?;
        let (number, rest) = rest.split_at(end);
        let amount = is_number(number).then(|| number.parse().ok())??;
        self.0 = rest;
        Some(amount)
    }

    fn usage(&mut self) -> Option<()> {
        let rest = self.0.strip_prefix(",\"usage\":")?;
        let (usage, rest) = rest.split_at(memchr(b'}', rest.as_bytes())? + 1);
        serde_json::from_str::<Usage>(usage).ok()?;
        self.0 = rest;
        Some(())
    }
}

/// Whether these digits and points are a number of JSON.
fn is_number(text: &str) -> bool {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let is_whole = whole == "0" || !whole.is_empty() && !whole.starts_with('0');
    is_whole && fraction.is_none_or(|digits| !digits.is_empty() && !digits.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::super::WorkerType;
    use super::super::journal::Line;
    use super::*;
    use proptest::prelude::*;

    fn line(event: LineKind) -> Line {
        Line {
            attempt: Some("m-1".into()),
            worker_id: Some("w-1".into()),
            worker_type: Some(WorkerType::new("w")),
            task_type: Some("報告".into()),
            model: Some("m".into()),
            cost_usd: "0.00123".parse().ok(),
            usage: Some(Usage { prompt_tokens: 3, ..Usage::default() }),
            started_at: "2026-11-23T01:02:03.4Z".parse().ok(),
            ..Line::new(event, "2026-11-23T01:02:05Z".parse().unwrap())
        }
        .of(&"x".parse().unwrap())
    }

    fn read(line: &[u8]) -> Option<Outline<'_>> {
        Outliner::default().read(line)
    }

    /// Whether what is seen of a line is what the whole line says; nothing may be seen of it.
    fn agrees(outliner: &mut Outliner, line: &[u8]) -> bool {
        let Some(seen) = outliner.read(line) else { return true };
        let Ok(whole) = serde_json::from_slice::<Line>(line) else { return false };
        seen.event == whole.event
            && seen.at.as_second() == whole.at.as_second()
            && seen.started_at.map(Timestamp::as_second)
                == whole.started_at.map(Timestamp::as_second)
            && seen.attempt == whole.attempt.as_deref()
            && seen.worker_type == whole.worker_type.as_ref().map(WorkerType::as_str)
            && seen.task_type == whole.task_type.as_deref()
            && (seen.reserved_usd, seen.cost_usd) == (whole.reserved_usd, whole.cost_usd)
    }

    #[test]
    fn what_koubou_writes_is_seen_without_reading_it_whole() {
        for event in [LineKind::Attempt, LineKind::End] {
            let bytes = line(event).to_bytes();
            assert!(read(&bytes).is_some() && agrees(&mut Outliner::default(), &bytes));
        }
        let filed = Line { folder: Some(Folder::Failed), ..line(LineKind::Filed) }.to_bytes();
        assert!(is_no_money(&filed) && read(&filed).is_some());
        let bare = Line::new(LineKind::End, "2026-11-23T01:02:05Z".parse().unwrap()).to_bytes();
        assert!(read(&bare).is_some());
    }

    #[test]
    fn of_what_is_written_otherwise_nothing_is_said() {
        let text = String::from_utf8(line(LineKind::End).to_bytes()).unwrap();
        for (from, to) in [
            ("\"m-1\"", "\"m\\u002d1\""),
            ("0.00123", "1e-3"),
            ("0.00123", "01"),
            ("0.00123", "1."),
            ("0.00123", ".5"),
            ("0.00123", "1.2.3"),
            ("0.00123", "null"),
            ("0.00123", "\"1\""),
            ("\"task\":\"x\"", "\"task\":\"../x\""),
            ("\"end\"", "\"limits\""),
            ("\"prompt_tokens\":3", "\"prompt_tokens\":-3"),
            ("03.4Z", "61Z"),
            ("\"model\"", "\"attempt\""),
            ("}\n", "} x\n"),
            ("}\n", "\n"),
        ] {
            let odd = text.replacen(from, to, 1);
            assert_ne!(odd, text);
            assert_eq!(read(odd.as_bytes()), None, "{odd}");
        }
        let elsewhere = text.replacen("01:02:05Z", "01:02:05+09:00", 1);
        let mut outliner = Outliner::default();
        assert!(agrees(&mut outliner, elsewhere.as_bytes()));
        assert!(agrees(&mut outliner, text.as_bytes()), "it is another moment");
    }

    #[test]
    fn only_a_line_that_is_certain_to_tell_of_no_money_is_passed_over() {
        for line in [
            &br#"{"at":"2026-11-23T01:02:03.45\","event":"filed","x":"","event":"limits"}"#[..],
            br#"{"at":"","a":"2026-11-23T01:0","event":"filed","event":"limits"}"#,
            br#"{"at":"2026-11-23T01:02:03.456Z","event":"limits","daily_usd":1}"#,
        ] {
            assert!(!is_no_money(line));
        }
    }

    prop_compose! {
        fn any_line()(
            event in prop::sample::select(vec![LineKind::Attempt, LineKind::End, LineKind::Filed]),
            texts in prop::collection::vec(prop::option::of("[a-z\"\\\\\u{7}é工 }{,:-]{0,6}"), 8),
            amounts in prop::collection::vec(prop::option::of(any::<u64>()), 2),
            tokens in prop::option::of(any::<u64>()),
            times in prop::collection::vec(0i64..4_000_000_000_000, 2),
            is_started in any::<bool>(),
        ) -> Line {
            let time = |n: usize| Timestamp::from_millisecond(times[n]).unwrap();
            let text = |n: usize| texts[n].clone();
            Line {
                attempt: text(0),
                worker_id: text(1),
                worker_type: text(2).map(WorkerType::new),
                task_type: text(3),
                model: text(4),
                outcome: text(5),
                message: text(6),
                batch: text(7),
                reserved_usd: amounts[0].map(Usd::from_pico),
                cost_usd: amounts[1].map(Usd::from_pico),
                usage: tokens.map(|n| Usage { total_tokens: n, ..Usage::default() }),
                started_at: is_started.then(|| time(1)),
                ..Line::new(event, time(0))
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_seen_of_a_line_is_what_it_says(
            lines in prop::collection::vec(any_line(), 1..5),
            places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
            part in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>())),
        ) {
            let mut outliner = Outliner::default();
            for line in lines {
                let mut bytes = line.to_bytes();
                prop_assert!(agrees(&mut outliner, &bytes));
                for (place, byte) in &places {
                    let at = place.index(bytes.len());
                    bytes[at] = *byte;
                }
                if let Some((from, to)) = part {
                    let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                    let part = bytes[from.min(to)..from.max(to)].to_vec();
                    bytes.splice(to..to, part);
                }
                prop_assert!(agrees(&mut outliner, &bytes), "{}", bytes.escape_ascii());
            }
        }
    }
}
