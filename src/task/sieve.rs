//! Which lines of the journal tell of money, seen without reading all of them.
//!
//! Of most lines a part of what they say is enough to know that they change no sum: that a result
//! was filed, that a free attempt began and ended. The others are to be read whole, and so is every
//! line that is not of the form in which koubou writes them; [`Sieve::is_unsure`] says where it is
//! not certain that none was passed over that counts.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::journal::LineKind;

/// Passes over the lines that change no sum. It is to be shown every line, in their order.
#[derive(Debug, Default)]
pub struct Sieve {
    /// The attempts that money was promised to, by their mark.
    promised: HashSet<String>,
    is_unsure: bool,
}

/// As much of a line as says whether it counts. A text with an escape in it is not read.
#[derive(Deserialize)]
struct Outline<'a> {
    event: LineKind,
    attempt: Option<&'a str>,
    reserved_usd: Option<IgnoredAny>,
    cost_usd: Option<f64>,
    worker_type: Option<IgnoredAny>,
    task_type: Option<IgnoredAny>,
}

/// How a line begins that says that a result is on disk, behind the time, which is always as long.
const FILED: &[u8] = br#"","event":"filed","#;
const BEHIND_THE_TIME: usize = r#"{"at":"2026-11-23T01:02:03.456Z"#.len();

impl Sieve {
    /// Whether a line is to be read.
    pub fn holds(&mut self, line: &[u8]) -> bool {
        if line.get(BEHIND_THE_TIME..).is_some_and(|rest| rest.starts_with(FILED)) {
            return false;
        }
        let Ok(outline) = serde_json::from_slice::<Outline<'_>>(line) else {
            // Whoever reads it whole may make more of it than we do.
            self.is_unsure = true;
            return true;
        };
        match outline.event {
            LineKind::Limits => true,
            LineKind::Attempt => self.begins(&outline),
            LineKind::End => self.ends(&outline),
            _ => false,
        }
    }

    /// Whether a line may have been passed over that counts: then all are to be read.
    pub fn is_unsure(&self) -> bool {
        self.is_unsure
    }

    fn begins(&mut self, outline: &Outline<'_>) -> bool {
        let is_promise = outline.reserved_usd.is_some();
        if let Some(mark) = outline.attempt.filter(|_| is_promise) {
            self.promised.insert(mark.to_owned());
        }
        is_promise
    }

    fn ends(&mut self, outline: &Outline<'_>) -> bool {
        let was_promised = outline.attempt.is_some_and(|mark| self.promised.remove(mark));
        let is_spent = outline.cost_usd.is_some_and(|cost| cost != 0.0);
        let says_what_for = outline.worker_type.is_some() && outline.task_type.is_some();
        // What an older koubou's line does not say, that of its beginning did.
        self.is_unsure |= is_spent && !was_promised && !says_what_for;
        was_promised || is_spent
    }
}

#[cfg(test)]
mod tests {
    use super::super::journal::{Line, Replay};
    use super::*;
    use crate::base::clock::Timestamp;
    use crate::task::WorkerType;

    fn line(event: LineKind, mark: &str, reserved: Option<&str>, cost: Option<&str>) -> Line {
        let at: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let usd = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        Line {
            attempt: Some(mark.into()),
            worker_type: Some(WorkerType::new("w")),
            task_type: Some("general".into()),
            reserved_usd: usd(reserved),
            cost_usd: usd(cost),
            ..Line::new(event, at).of(&"x".parse().unwrap())
        }
    }

    fn begun(mark: &str, reserved: Option<&str>) -> Vec<u8> {
        line(LineKind::Attempt, mark, reserved, None).to_bytes()
    }

    fn ended(mark: &str, cost: Option<&str>) -> Vec<u8> {
        line(LineKind::End, mark, None, cost).to_bytes()
    }

    /// Which of the lines are to be read, and whether that is certain.
    fn held(lines: &[Vec<u8>]) -> (Vec<bool>, bool) {
        let mut sieve = Sieve::default();
        let held = lines.iter().map(|line| sieve.holds(line)).collect();
        (held, !sieve.is_unsure())
    }

    #[test]
    fn what_is_free_is_passed_over_and_what_is_promised_or_paid_is_not() {
        let mut lines = vec![
            begun("free", None),
            ended("free", Some("0")),
            line(LineKind::Filed, "free", None, None).to_bytes(),
            begun("paid", Some("0.05")),
            ended("paid", Some("0.01")),
            begun("given back", Some("0.05")),
            ended("given back", None),
            begun("open", Some("0.07")),
            begun("told by its program alone", None),
            ended("told by its program alone", Some("0.02")),
            line(LineKind::Retry, "open", None, None).to_bytes(),
        ];
        let wanted = [false, false, false, true, true, true, true, true, false, true, false];
        assert_eq!(held(&lines), (wanted.to_vec(), true));
        let limits = Line { daily_usd: Some("3".parse().unwrap()), ..line_of(LineKind::Limits) };
        lines.push(limits.to_bytes());
        let (mut all, mut some) = (Replay::default(), Replay::default());
        let (held, _) = held(&lines);
        for (line, is_held) in lines.iter().zip(held) {
            let line: Line = serde_json::from_slice(line).unwrap();
            all.follow(line.clone());
            is_held.then(|| some.follow(line));
        }
        assert_eq!((&all.spent, &all.limits), (&some.spent, &some.limits));
        assert_eq!(all.open, some.open, "what is promised stays promised");
    }

    fn line_of(event: LineKind) -> Line {
        Line::new(event, "2026-11-23T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn it_says_where_a_line_is_not_as_koubou_writes_them() {
        let nameless = Line { worker_type: None, ..line(LineKind::End, "a", None, Some("1")) };
        assert_eq!(held(&[nameless.to_bytes()]), (vec![true], false));
        let known = [begun("a", Some("1")), nameless.to_bytes()];
        assert_eq!(held(&known), (vec![true, true], true), "its beginning was read");
        for odd in [
            &br#"{"event":"attempt","attempt":"a\u0062","reserved_usd":1}"#[..],
            br#"{"event":"end","attempt":"a","cost_usd":"0.5"}"#,
            br#"{"at":"2026-11-23T01:02:03.456Z","event":"en"#,
        ] {
            assert_eq!(held(&[odd.to_vec()]), (vec![true], false));
        }
    }
}
