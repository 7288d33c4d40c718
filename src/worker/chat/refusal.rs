//! What it means when a server answers with anything but an answer.
//!
//! The words of servers differ, their habits less: a status, an `error` with a
//! `code` that may be a word, a number or nothing, and the time after which to
//! come again in one of five places.

use std::time::Duration;

use serde_json::Value;
use ureq::http::HeaderMap;

use super::line::Reply;
use crate::base::{clock, words};

/// No server makes a task wait longer than this, whatever it says.
const LONGEST_PAUSE: Duration = Duration::from_secs(7 * 86_400);

/// What a refusal comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Too fast: come again later.
    RateLimited(Option<Duration>),
    /// The account is out of credit, or over a limit of its own.
    Billing,
    /// The key is not accepted.
    BadKey,
    /// It knows no such model.
    NoModel,
    /// It has nothing at this path.
    NoSuchPath,
    /// It sends us elsewhere, and we do not go.
    Redirect,
    /// It will not do this, now or later.
    Refused,
    /// It failed, and may not fail again.
    ServerError {
        /// Come again no sooner than this.
        at_least: Option<Duration>,
        /// It says itself that coming again is of no use.
        in_vain: bool,
        /// Whether the API itself says so, rather than something on the way to it.
        from_api: bool,
    },
}

/// What a server says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// Its sentence, in one line.
    pub(super) message: String,
    /// Its code, whatever type it had.
    pub(super) code: String,
    /// Its `type`.
    kind: String,
    /// Whether there was an error object.
    from_api: bool,
}

impl Words {
    pub(super) fn of(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(document) => Self::of_json(&document),
            Err(_) => Self { message: of_page(&String::from_utf8_lossy(body)), ..Self::default() },
        }
    }

    pub(super) fn of_json(document: &Value) -> Self {
        let error = &document["error"];
        let part = |name: &str| match &error[name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let message = [&error["message"], error, &document["message"], &document["detail"]]
            .into_iter()
            .find_map(Value::as_str);
        let message = match message {
            Some(text) => text.to_owned(),
            None if document["detail"].is_null() => String::new(),
            None => document["detail"].to_string(),
        };
        Self {
            message: one_line(&message),
            code: one_line(&part("code")),
            kind: part("type"),
            from_api: error.is_object() || error.is_string(),
        }
    }

    fn is_about_billing(&self) -> bool {
        const CODES: [&str; 5] = [
            "insufficient_quota",
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
        ];
        CODES.contains(&self.code.as_str()) || self.kind == "insufficient_quota"
    }

    /// A local server that is loading a model, or has just dropped one, says so with a 400.
    fn is_about_loading(&self) -> bool {
        let said = self.message.to_lowercase();
        ["unloaded", "loading model", "model is loading", "has crashed", "unloaded or crashed"]
            .iter()
            .any(|sign| said.contains(sign))
    }

    /// Gateways answer so with a 400.
    fn says_there_is_no_such_model(&self) -> bool {
        let said = self.message.to_lowercase();
        self.code == "model_not_found"
            || ["invalid model name", "model not found", "no such model"]
                .iter()
                .any(|sign| said.contains(sign))
    }

    fn is_about_the_model(&self) -> bool {
        let said = self.message.to_lowercase();
        self.code == "model_not_found" || said.contains("model")
    }
}

/// What `reply`, whose status is no success, comes to.
pub(super) fn meaning(reply: &Reply, words: &Words) -> Meaning {
    let at_least = || pause(&reply.headers, &words.message);
    match reply.status {
        300..=399 => Meaning::Redirect,
        402 => Meaning::Billing,
        429 if words.is_about_billing() => Meaning::Billing,
        429 => Meaning::RateLimited(at_least()),
        401 | 403 => Meaning::BadKey,
        404 if words.is_about_the_model() => Meaning::NoModel,
        404 | 405 => Meaning::NoSuchPath,
        408 | 409 | 425 | 500.. => server_error(reply, words, at_least()),
        400 if words.says_there_is_no_such_model() => Meaning::NoModel,
        400 if words.is_about_loading() => server_error(reply, words, at_least()),
        _ => Meaning::Refused,
    }
}

fn server_error(reply: &Reply, words: &Words, at_least: Option<Duration>) -> Meaning {
    let in_vain = header(&reply.headers, "x-should-retry") == Some("false");
    // Whoever gave up waiting does not know what became of the request behind it.
    let gave_up = matches!(reply.status, 408 | 504 | 524);
    Meaning::ServerError { at_least, in_vain, from_api: words.from_api && !gave_up }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// How long the server asks us to stay away.
pub(super) fn pause(headers: &HeaderMap, message: &str) -> Option<Duration> {
    let milliseconds = header(headers, "retry-after-ms").and_then(|text| seconds(text, 0.001));
    milliseconds
        .or_else(|| header(headers, "retry-after").and_then(|text| seconds(text, 1.0)))
        .or_else(|| header(headers, "retry-after").and_then(until))
        .or_else(|| used_up(headers))
        .or_else(|| of_sentence(message))
        .map(|pause| pause.min(LONGEST_PAUSE))
}

fn seconds(text: &str, unit: f64) -> Option<Duration> {
    let number: f64 = text.parse().ok()?;
    Duration::try_from_secs_f64((number * unit).clamp(0.0, LONGEST_PAUSE.as_secs_f64())).ok()
}

/// A date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn until(text: &str) -> Option<Duration> {
    let at = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(clock::between(clock::wall(), at.timestamp()))
}

/// Whether a server failed because it has more to do than it can.
pub(super) fn is_overload(status: u16, words: &Words) -> bool {
    matches!(status, 503 | 529) || words.code == "server_is_overloaded"
}

/// The reset of whichever allowance is used up; the later of two.
pub(super) fn used_up(headers: &HeaderMap) -> Option<Duration> {
    ["requests", "tokens"]
        .iter()
        .filter(|what| header(headers, &format!("x-ratelimit-remaining-{what}")) == Some("0"))
        .filter_map(|what| go_span(header(headers, &format!("x-ratelimit-reset-{what}"))?))
        .max()
}

/// `Please try again in 6s`, `(reset after 2m 13s)`.
fn of_sentence(message: &str) -> Option<Duration> {
    let said = message.to_lowercase();
    ["try again in ", "retry in ", "retry after ", "reset after ", "resets in "]
        .iter()
        .find_map(|sign| go_span(&said[said.find(sign)? + sign.len()..]))
}

/// A span as Go writes it, `1h2m`, `6m0s`, `12ms`, with or without spaces, up to the first thing that is none.
fn go_span(text: &str) -> Option<Duration> {
    let (mut total, mut rest, mut found) = (0.0, text.trim_start(), false);
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let Ok(number) = rest[..digits].trim_end_matches('.').parse::<f64>() else { break };
        let after = rest[digits..].trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let unit = match &after[..letters] {
            "ms" | "milliseconds" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            _ => break,
        };
        total += number * unit;
        found = true;
        rest = after[letters..].trim_start();
    }
    found.then(|| Duration::try_from_secs_f64(total).unwrap_or(LONGEST_PAUSE))
}

/// The title of an HTML page, or the text itself where it is none.
fn of_page(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if !lower.trim_start().starts_with('<') {
        return one_line(text);
    }
    let title = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        let end = lower[start..].find("</title>")?;
        Some(one_line(&text[start..start + end]))
    });
    title.filter(|title| !title.is_empty()).unwrap_or_else(|| "an HTML page".to_owned())
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words::excerpt(&words::tame(&line), 300)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_pause_is_found_wherever_it_is_said() {
        let seconds = |s: f64| Some(Duration::from_secs_f64(s));
        type Case = (&'static [(&'static str, &'static str)], &'static str, Option<Duration>);
        let table: [Case; 12] = [
            (&[("retry-after", "7")], "", seconds(7.0)),
            (&[("retry-after", "1.5")], "", seconds(1.5)),
            (&[("retry-after", "-3")], "", seconds(0.0)),
            (&[("retry-after", "9"), ("retry-after-ms", "250")], "", seconds(0.25)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], "", seconds(0.0)),
            (
                &[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s")],
                "",
                seconds(360.0),
            ),
            (
                &[("x-ratelimit-remaining-tokens", "5"), ("x-ratelimit-reset-tokens", "6m0s")],
                "",
                None,
            ),
            (
                &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "12ms")],
                "",
                seconds(0.012),
            ),
            (&[], "Rate limit reached. Please try again in 6s. Visit …", seconds(6.0)),
            (&[], "used up (reset after 2m 13s)", seconds(133.0)),
            (&[], "Try again in 1h2m", seconds(3_720.0)),
            (&[("retry-after", "soon")], "slow down", None),
        ];
        for (pairs, message, expected) in table {
            assert_eq!(pause(&headers(pairs), message), expected, "{pairs:?} {message}");
        }
        let far = headers(&[("retry-after", "1e99")]);
        assert_eq!(pause(&far, ""), Some(LONGEST_PAUSE));
    }

    #[test]
    fn a_date_in_the_future_is_waited_for() {
        let at = clock::later(clock::wall(), Duration::from_secs(90));
        let text = jiff::fmt::rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).unwrap();
        let pause = pause(&headers(&[("retry-after", &text)]), "").unwrap();
        assert!((80..=90).contains(&pause.as_secs()), "{pause:?}");
    }

    #[test]
    fn errors_are_understood_in_every_dialect() {
        for (body, message, code) in [
            (json!({ "error": { "message": "no", "code": "x" } }), "no", "x"),
            (json!({ "error": { "message": "no", "code": 400 } }), "no", "400"),
            (json!({ "error": { "message": "no", "code": null } }), "no", ""),
            (json!({ "error": "Model unloaded." }), "Model unloaded.", ""),
            (json!({ "message": "no\n  really" }), "no really", ""),
            (json!({ "detail": [{ "msg": "no" }] }), "[{\"msg\":\"no\"}]", ""),
            (json!({}), "", ""),
        ] {
            let words = Words::of(body.to_string().as_bytes());
            assert_eq!((words.message.as_str(), words.code.as_str()), (message, code), "{body}");
        }
        let page = b"<!DOCTYPE html><html><head><TITLE>502 Bad\nGateway</TITLE></head></html>";
        assert_eq!(Words::of(page).message, "502 Bad Gateway");
        assert_eq!(Words::of(b"<p>hm").message, "an HTML page");
        assert_eq!(Words::of(b"\xffplain\x1b").message, "\u{fffd}plain\\u{1b}");
    }

    #[test]
    fn a_span_ends_where_it_ends() {
        assert_eq!(go_span("1h2m3.5s."), Some(Duration::from_secs_f64(3_723.5)));
        assert_eq!(go_span("20 seconds, then"), Some(Duration::from_secs(20)));
        for none in ["", "soon", "5 apples", ".", "-1s"] {
            assert_eq!(go_span(none), None, "{none}");
        }
    }
}
