//! What a server says of the models that it has.
//!
//! `GET /models` lists them, `GET /models/NAME` tells of one; neither costs anything.
//! A listed model is known and not more: some servers list what they would have to
//! load first. A model that is not listed is not there.

use std::time::Duration;

use jiff::civil::Date;
use serde_json::Value;

use super::ChatWorker;
use super::line::{Ask, Broken, Reply};
use super::refusal::{Meaning, Words, meaning};
use crate::base::words;
use crate::task::prompt::Prompt;
use crate::worker::Leash;

/// How long a server may take to say what it has.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest list that is read.
const LONGEST: u64 = 16 << 20;

/// A model, as its server tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name there.
    pub id: String,
    /// From which day on it answers no more, where the server says so.
    pub ends_on: Option<Date>,
}

/// Why a server did not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untold {
    /// Nobody answers.
    Unreachable(String),
    /// It does not accept the key.
    BadKey,
    /// It has nothing at that path, or no such model.
    NotThere,
    /// It answered something else: this, in a few words.
    Odd(String),
}

impl ChatWorker {
    /// The models that the server lists.
    ///
    /// # Errors
    /// Why it does not.
    pub fn models(&mut self) -> Result<Vec<Model>, Untold> {
        let document = self.ask("/models")?;
        match document["data"].as_array() {
            Some(models) => Ok(models.iter().filter_map(model).collect()),
            None => Err(Untold::Odd("its list of models cannot be read".into())),
        }
    }

    /// What the server says of the worker's own model.
    ///
    /// # Errors
    /// Why it says nothing.
    pub fn own_model(&mut self) -> Result<Model, Untold> {
        let document = self.ask(&format!("/models/{}", escaped(&self.chat.model)))?;
        model(&document).ok_or_else(|| Untold::Odd("what it says of the model is none".into()))
    }

    fn ask(&mut self, path: &str) -> Result<Value, Untold> {
        let url = format!("{}{path}", self.chat.endpoint.trim_end_matches('/'));
        let reply = self.line.ask(
            Ask::Get,
            &url,
            self.chat.key.as_ref(),
            (PATIENCE, LONGEST),
            &Leash::default(),
        );
        let reply = reply.map_err(|broken| self.why_untold(broken))?;
        if !(200..300).contains(&reply.status) {
            return Err(self.refused_to_tell(&reply));
        }
        serde_json::from_slice(&reply.body)
            .map_err(|_| Untold::Odd("it answers with something that is not JSON".into()))
    }

    fn why_untold(&self, broken: Broken) -> Untold {
        let endpoint = self.shown_endpoint();
        match broken {
            Broken::NotReached(why) => {
                Untold::Unreachable(format!("nobody answers at {endpoint} ({why})"))
            }
            Broken::TimedOut => {
                Untold::Odd(format!("it did not answer within {}", words::span(PATIENCE)))
            }
            Broken::Lost(why) => Untold::Odd(format!("the connection broke ({why})")),
            Broken::TooLong(_) => Untold::Odd("its list of models has no end".into()),
        }
    }

    fn refused_to_tell(&self, reply: &Reply) -> Untold {
        let words = Words::of(&reply.body);
        match meaning(reply, &words) {
            Meaning::BadKey => Untold::BadKey,
            _ if reply.status == 404 => Untold::NotThere,
            _ => {
                let said = self.quoted(&words, &Prompt::default());
                Untold::Odd(format!("it answered {}{said}", reply.status))
            }
        }
    }
}

/// A model in a server's words.
fn model(told: &Value) -> Option<Model> {
    let id = told["id"].as_str()?.to_owned();
    let ends_on = told["shutdown_date"].as_str().and_then(|day| day.get(..10)?.parse().ok());
    Some(Model { id, ends_on })
}

/// A model's name in an address: what would end the path is escaped, a slash stays as servers expect it.
fn escaped(name: &str) -> String {
    let mut path = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b':' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_model_may_say_when_it_ends() {
        let ends_on = |told: Value| model(&told).and_then(|model| model.ends_on);
        let day = "2026-12-11".parse().ok();
        assert_eq!(ends_on(json!({ "id": "a", "shutdown_date": "2026-12-11" })), day);
        assert_eq!(ends_on(json!({ "id": "a", "shutdown_date": "2026-12-11T00:00:00Z" })), day);
        for never in [json!(null), json!("soon"), json!(7)] {
            assert_eq!(ends_on(json!({ "id": "a", "shutdown_date": never })), None);
        }
        assert_eq!(model(&json!({ "name": "a" })), None);
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        assert_eq!(escaped("openai/gpt-oss:20b"), "openai/gpt-oss:20b");
        assert_eq!(escaped("a?b#c d"), "a%3Fb%23c%20d");
    }
}
