//! YAML as a tree in which every key and value knows its line and column.
//!
//! Whatever parses as YAML becomes a tree: no key is unknown and no type is
//! wrong here, so one reading can go on to name every mistake. Keys given twice
//! stay in it twice.
//!
//! It never panics, and refuses what is nested deeper than the parser's limit.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, Spanned};

/// A line and a column, both from 1; (0, 0) where there is none to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The line.
    pub(super) line: u64,
    /// The column, in characters.
    pub(super) column: u64,
}

impl From<Location> for Place {
    fn from(at: Location) -> Self {
        Self { line: at.line(), column: at.column() }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Where it begins.
    pub(super) at: Place,
    /// What it is.
    pub(super) value: Tree,
}

/// A key and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    /// Where it begins.
    pub(super) at: Place,
    /// The key; `None` for one that is no plain value.
    pub(super) name: Option<String>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Null,
    Flag(bool),
    Whole(i128),
    Real(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// Why a text is no YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotYaml {
    /// Where the parser gave up.
    pub(super) at: Place,
    /// Its own words.
    pub(super) why: String,
}

/// Reads a whole document; an empty one is `Null`.
pub(super) fn parse(yaml: &str) -> Result<Node, NotYaml> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        leading_zero_numbers_as_strings: true,
        strict_booleans: true,
        with_snippet: false,
    };
    let yaml = yaml.strip_prefix('\u{feff}').unwrap_or(yaml);
    if yaml.trim().is_empty() {
        return Ok(Node { at: Place { line: 1, column: 1 }, value: Tree::Null });
    }
    let read: Result<Node, _> = serde_saphyr::from_str_with_options(yaml, options);
    read.map_err(|error| {
        let bare = error.without_snippet();
        let said = bare.to_string();
        let first = said.lines().next().unwrap_or_default();
        NotYaml { at: bare.location().map(Place::from).unwrap_or_default(), why: plain(first) }
    })
}

/// The parser's sentence without the place that it repeats, and with no full stop.
fn plain(said: &str) -> String {
    let said = said.strip_prefix("error: ").unwrap_or(said);
    let said = said.split(" at line ").next().unwrap_or(said);
    said.trim_end_matches(['.', ' ']).to_owned()
}

impl Node {
    /// `a number`, `a list`, …: what a person would call it, with the value where it is short.
    pub(super) fn described(&self) -> String {
        use crate::base::words::{excerpt, tame};
        match &self.value {
            Tree::Null => "empty".into(),
            Tree::Flag(flag) => format!("`{flag}`"),
            Tree::Whole(n) => format!("`{n}`"),
            Tree::Real(n) => format!("`{n}`"),
            Tree::Text(text) => format!("`{}`", excerpt(&tame(text), 40)),
            Tree::List(_) => "a list".into(),
            Tree::Map(_) => "a mapping".into(),
        }
    }

    /// The same value as JSON, for what is passed on as it is.
    pub(super) fn to_json(&self) -> Value {
        match &self.value {
            Tree::Null => Value::Null,
            Tree::Flag(flag) => Value::Bool(*flag),
            Tree::Whole(n) => Number::from_i128(*n).map_or(Value::Null, Value::Number),
            Tree::Real(n) => Number::from_f64(*n).map_or(Value::Null, Value::Number),
            Tree::Text(text) => Value::String(text.clone()),
            Tree::List(items) => items.iter().map(Self::to_json).collect(),
            Tree::Map(entries) => Value::Object(
                entries
                    .iter()
                    .filter_map(|(key, value)| Some((key.name.clone()?, value.to_json())))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = Spanned::<Tree>::deserialize(from)?;
        Ok(Self { at: read.referenced.into(), value: read.value })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = Spanned::<Tree>::deserialize(from)?;
        let name = match read.value {
            Tree::Text(text) => Some(text),
            Tree::Flag(flag) => Some(flag.to_string()),
            Tree::Whole(n) => Some(n.to_string()),
            Tree::Real(n) => Some(n.to_string()),
            Tree::Null | Tree::List(_) | Tree::Map(_) => None,
        };
        Ok(Self { at: read.referenced.into(), name })
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Tree, E> {
        Ok(Tree::Flag(flag))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Tree, E> {
        Ok(Tree::Whole(n.into()))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Tree, E> {
        Ok(Tree::Whole(n.into()))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Tree, E> {
        Ok(Tree::Real(n))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element::<Node>()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<Key>()? {
            if key.name.is_some() {
                let value = access.next_value::<Node>()?;
                entries.push((key, value));
            } else {
                access.next_value::<IgnoredAny>()?;
                let nothing = Node { at: key.at, value: Tree::Null };
                entries.push((key, nothing));
            }
        }
        Ok(Tree::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u64, column: u64) -> Place {
        Place { line, column }
    }

    #[test]
    fn every_key_and_value_knows_its_place() {
        let node = parse("a: 1\nb:\n  - x\n  - 2.5\n").unwrap();
        let Tree::Map(entries) = node.value else { panic!() };
        assert_eq!((entries[0].0.at, entries[0].1.at), (at(1, 1), at(1, 4)));
        let Tree::List(items) = &entries[1].1.value else { panic!() };
        assert_eq!(items[1], Node { at: at(4, 5), value: Tree::Real(2.5) });
    }

    #[test]
    fn keys_given_twice_stay_twice_and_octal_stays_text() {
        let node = parse("a: 0644\na: yes\n\"b\": \"1\"\n").unwrap();
        let Tree::Map(entries) = node.value else { panic!() };
        let values: Vec<_> = entries.iter().map(|(_, node)| node.value.clone()).collect();
        let text = |text: &str| Tree::Text(text.into());
        assert_eq!(values, [text("0644"), text("yes"), text("1")]);
    }

    #[test]
    fn a_mistake_in_the_syntax_has_a_place() {
        let error = parse("a: [1,\nb: }\n").unwrap_err();
        assert!(error.at.line >= 1 && !error.why.is_empty(), "{error:?}");
        assert!(!error.why.contains('\n'));
        let error = parse("a: 1\n  b: 2\n").unwrap_err();
        assert_eq!(error.at.line, 2, "{error:?}");
    }

    #[test]
    fn deep_nesting_and_alias_bombs_are_refused() {
        assert!(parse(&"[".repeat(100_000)).is_err());
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for n in 1..12 {
            let link = format!("*a{}", n - 1);
            bomb.push_str(&format!("a{n}: &a{n} [{}]\n", [link.as_str(); 10].join(",")));
        }
        assert!(parse(&bomb).is_err());
    }

    #[test]
    fn nothing_is_null() {
        assert_eq!(parse("").unwrap().value, Tree::Null);
        assert_eq!(parse("# only a remark\n").unwrap().value, Tree::Null);
    }
}
