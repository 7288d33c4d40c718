//! The words that speak for a difficulty, found in one pass.
//!
//! One table holds both languages. It is read from left to right and the longest
//! entry that fits is taken, so that a long term hides the shorter ones in it.
//! English counts by the word, in its ordinary forms.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::plain::STOP;
use super::{english, japanese};
use crate::base::quick::Quick;

/// What a word says, or what the text as a whole does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Feature {
    /// A keyword of the settings.
    Keyword,
    /// A verb for work that needs no thought.
    MechanicalAction,
    /// A verb that makes one text of another.
    TextAction,
    /// A verb for work that is mostly quick.
    LightAction,
    /// A question for a fact.
    Question,
    /// A verb for work whose approach is known.
    OrdinaryAction,
    /// A verb for work that wants to be thought about.
    ProbingAction,
    /// Design, proof, search for causes.
    HardAction,
    /// What such work leaves behind.
    HardResult,
    /// A thing so small that no judgement is needed.
    SmallObject,
    /// A thing that is small where little is done to it.
    MinorObject,
    /// One thing in the place of another, both given.
    Replacement,
    /// A field where the simple answer is often wrong.
    DeepDomain,
    /// A field that takes some knowledge.
    Domain,
    /// A fault of the sort that hides.
    HiddenFault,
    /// Many places at once.
    Scope,
    /// Nobody knows yet what is the matter.
    UnknownCause,
    /// A demand on how it is done.
    Quality,
    /// A choice between ways.
    Judgement,
    /// The writer says that it is easy.
    Ease,
    /// A thing that is made in a known way.
    Usual,
    /// Little is done to something that is named.
    Narrow,
    /// Something is told and nothing asked.
    Story,
    /// Several things are asked.
    ManyDemands,
    /// What is asked takes long to say.
    Length,
    /// What is asked is said in a few words.
    Brevity,
    /// From here on it is asked; what went before was told.
    Turn,
    /// A term that only hides others.
    Nothing,
}

impl Feature {
    /// Its name in an explanation.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Keyword => "difficulty_keywords",
            Self::MechanicalAction => "mechanical_action",
            Self::TextAction => "text_action",
            Self::LightAction => "light_action",
            Self::Question => "question",
            Self::OrdinaryAction => "ordinary_action",
            Self::ProbingAction => "probing_action",
            Self::HardAction => "hard_action",
            Self::HardResult => "hard_result",
            Self::SmallObject => "small_object",
            Self::MinorObject => "minor_object",
            Self::Replacement => "replacement",
            Self::DeepDomain => "deep_domain",
            Self::Domain => "domain",
            Self::HiddenFault => "hidden_fault",
            Self::Scope => "scope",
            Self::UnknownCause => "unknown_cause",
            Self::Quality => "quality",
            Self::Judgement => "judgement",
            Self::Ease => "ease",
            Self::Story => "story",
            Self::Narrow => "narrow",
            Self::Usual => "usual",
            Self::ManyDemands => "many_demands",
            Self::Length => "length",
            Self::Brevity => "brevity",
            Self::Turn => "turn",
            Self::Nothing => "nothing",
        }
    }

    /// Whether it is what is to be done.
    pub(super) fn is_action(self) -> bool {
        (Self::MechanicalAction..=Self::HardAction).contains(&self)
    }
}

/// Words that say the same.
#[derive(Debug)]
pub(super) struct Group {
    feature: Feature,
    weight: f64,
    words: &'static str,
}

impl Group {
    /// `words` are set apart by commas.
    pub(super) const fn new(feature: Feature, weight: f64, words: &'static str) -> Self {
        Self { feature, weight, words }
    }
}

/// Stands for the second sign of a term that has only one.
const NO_SECOND: char = '\0';

/// How many bits say which signs terms begin with.
const BEGINNINGS: usize = 1 << 16;

/// What one spelling says: as a verb, as anything else, or as either.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// As what is to be done.
    pub(super) action: Option<(Feature, f64)>,
    /// As anything else.
    pub(super) noun: Option<(Feature, f64)>,
}

/// An entry, and which bytes of the plain text it was read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) entry: Entry,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// All entries.
///
/// It is a table and no automaton: it is made in the time of reading it once,
/// and a command that judges one task does not wait for more.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    /// By the whole spelling.
    entries: Spellings,
    /// How many words the longest term of English has that begins with a word of this hash.
    reach: HashMap<u64, usize, BuildHasherDefault<Quick>>,
    /// A bit for each hash of two signs that any other term begins with: most begin none.
    beginnings: Vec<u64>,
    /// All other terms by their first two signs, the longest first.
    by_signs: HashMap<[char; 2], Vec<(String, Entry)>, BuildHasherDefault<Quick>>,
}

/// Entries by their spelling in plain text.
pub(super) type Spellings = HashMap<String, Entry, BuildHasherDefault<Quick>>;

static SHIPPED: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut spellings = Spellings::with_capacity_and_hasher(1 << 14, BuildHasherDefault::default());
    for group in english::GROUPS.iter().chain(japanese::GROUPS) {
        let is_action = group.feature.is_action();
        for word in group.words.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            for form in forms(word, is_action) {
                let entry = spellings.entry(form).or_default();
                let side = if is_action { &mut entry.action } else { &mut entry.noun };
                side.get_or_insert((group.feature, group.weight));
            }
        }
    }
    Lexicon::of(spellings)
});

impl Lexicon {
    /// The words that koubou comes with.
    pub(super) fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Entries by their spelling in plain text.
    pub(super) fn of(entries: Spellings) -> Self {
        let mut lexicon = Self::default();
        for (spelling, entry) in &entries {
            lexicon.index(spelling, *entry);
        }
        let all = lexicon.by_signs.values_mut();
        all.for_each(|terms| terms.sort_unstable_by_key(|(term, _)| usize::MAX - term.len()));
        Self { entries, ..lexicon }
    }

    fn index(&mut self, spelling: &str, entry: Entry) {
        match spelling.chars().next() {
            Some(' ') => {
                let words = spelling.bytes().filter(|byte| *byte == b' ').count();
                let first = hash(&spelling[..word_end(spelling, 1)]);
                let reach = self.reach.entry(first).or_default();
                *reach = words.max(*reach);
            }
            Some(first) => {
                let signs = [first, spelling.chars().nth(1).unwrap_or(NO_SECOND)];
                self.beginnings.resize(BEGINNINGS / 64, 0);
                let bit = beginning(signs);
                self.beginnings[bit / 64] |= 1 << (bit % 64);
                self.by_signs.entry(signs).or_default().push((spelling.into(), entry));
            }
            None => {}
        }
    }

    /// The entries in a plain text, in its order: of those that overlap the first and longest.
    pub(super) fn find(&self, plain: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut at = 0;
        while let Some(first) = plain[at..].chars().next() {
            at = match self.longest(plain, at, first) {
                Some(hit) => {
                    hits.push(hit);
                    hit.end
                }
                None if first.is_ascii_alphanumeric() => word_end(plain, at),
                None => at + first.len_utf8(),
            };
        }
        hits
    }

    /// The longest entry that begins here.
    fn longest(&self, plain: &str, at: usize, first: char) -> Option<Hit> {
        if first == ' ' {
            return self.longest_of_words(plain, at);
        }
        let rest = &plain[at..];
        let fits = |term: &str| {
            let whole = rest.starts_with(term);
            whole && !ends_inside_a_word(plain.as_bytes(), at + term.len())
                // The end of the text ends its last sentence.
                || term.strip_suffix(STOP) == Some(rest)
        };
        let second = rest.chars().nth(1).unwrap_or(STOP);
        let terms = [second, NO_SECOND].into_iter().filter_map(|s| self.beginning_with([first, s]));
        let (term, entry) = terms.flatten().find(|(term, _)| fits(term))?;
        Some(Hit { entry: *entry, start: at, end: plain.len().min(at + term.len()) })
    }

    fn beginning_with(&self, signs: [char; 2]) -> Option<&Vec<(String, Entry)>> {
        let bit = beginning(signs);
        let some = self.beginnings.get(bit / 64).is_some_and(|bits| bits & (1 << (bit % 64)) != 0);
        some.then(|| self.by_signs.get(&signs)).flatten()
    }

    fn longest_of_words(&self, plain: &str, at: usize) -> Option<Hit> {
        let mut end = word_end(plain, at + 1);
        let mut reach = *self.reach.get(&hash(&plain[at..end]))?;
        let mut longest = None;
        loop {
            if let Some(entry) = self.entries.get(&plain[at..end]) {
                longest = Some(Hit { entry: *entry, start: at, end });
            }
            reach -= 1;
            if reach == 0 || plain.as_bytes().get(end) != Some(&b' ') {
                return longest;
            }
            end = word_end(plain, end + 1);
        }
    }
}

/// The place of two signs among the bits for beginnings.
fn beginning([first, second]: [char; 2]) -> usize {
    let mixed =
        u32::from(first).wrapping_mul(0x9e37_79b9) ^ u32::from(second).wrapping_mul(0x85eb_ca6b);
    (mixed >> 16) as usize % BEGINNINGS
}

fn hash(word: &str) -> u64 {
    let mut quick = Quick::default();
    quick.write(word.as_bytes());
    quick.finish()
}

/// Where the run of letters and digits that begins at `start` ends.
fn word_end(plain: &str, start: usize) -> usize {
    let behind = plain.as_bytes()[start..].iter();
    start + behind.take_while(|byte| byte.is_ascii_alphanumeric()).count()
}

fn ends_inside_a_word(plain: &[u8], end: usize) -> bool {
    let inside = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    inside(end.checked_sub(1).and_then(|last| plain.get(last))) && inside(plain.get(end))
}

/// The ordinary forms of a term as they stand in plain text; a term in Japanese has one.
pub(super) fn forms(term: &str, is_verb: bool) -> Vec<String> {
    if !term.is_ascii() || term.is_empty() {
        return vec![term.to_owned()];
    }
    let (first, rest) = term.split_at(term.find(' ').unwrap_or(term.len()));
    let mut forms: Vec<String> = match is_verb {
        true => verb_forms(first).iter().map(|form| format!(" {form}{rest}")).collect(),
        false => vec![format!(" {}", plural(term)), format!(" {term}")],
    };
    // Most terms are the same on both shores, and to look is dear.
    let differs =
        ["iz", "yz", "or", "abel", "odel", "licen"].iter().any(|part| term.contains(part));
    if differs {
        let twins: Vec<String> = forms.iter().filter_map(|form| british(form)).collect();
        forms.extend(twins);
    }
    forms
}

fn plural(noun: &str) -> String {
    match noun.strip_suffix('y').filter(|base| !ends_in_vowel(base)) {
        Some(base) => format!("{base}ies"),
        None if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{noun}es"),
        None => format!("{noun}s"),
    }
}

/// `optimize`, `optimizes`, `optimized`, `optimizing`.
fn verb_forms(verb: &str) -> Vec<String> {
    const IRREGULAR: &[(&str, &[&str])] = &[
        ("write", &["wrote", "written"]),
        ("find", &["found"]),
        ("build", &["built"]),
        ("make", &["made"]),
        ("prove", &["proven"]),
        ("rewrite", &["rewrote", "rewritten"]),
    ];
    let base = match verb.strip_suffix('e').filter(|base| !base.ends_with('e')) {
        Some(base) => base.to_owned(),
        None if doubles(verb) => format!("{verb}{}", &verb[verb.len() - 1..]),
        None => verb.to_owned(),
    };
    let past = match verb.strip_suffix('y').filter(|base| !ends_in_vowel(base)) {
        Some(base) => format!("{base}ied"),
        None => format!("{base}ed"),
    };
    let mut forms = vec![verb.to_owned(), plural(verb), past, format!("{base}ing")];
    let irregular = IRREGULAR.iter().filter(|(first, _)| *first == verb);
    forms.extend(irregular.flat_map(|(_, forms)| forms.iter().map(|form| (*form).to_owned())));
    forms
}

/// Whether the last letter is doubled before `-ing`: `format` and `drop`, not `list`.
fn doubles(verb: &str) -> bool {
    let [.., a, b, c] = verb.as_bytes() else { return false };
    let short = verb.bytes().filter(|letter| is_vowel(*letter)).count() == 1;
    let stressed = short || ["format", "reformat", "debug"].contains(&verb);
    stressed && !is_vowel(*a) && is_vowel(*b) && !is_vowel(*c) && !b"wxy".contains(c)
}

fn ends_in_vowel(base: &str) -> bool {
    base.bytes().next_back().is_some_and(is_vowel)
}

fn is_vowel(letter: u8) -> bool {
    b"aeiou".contains(&letter)
}

/// The spelling of the other shore.
fn british(form: &str) -> Option<String> {
    const PAIRS: &[(&str, &str)] = &[
        ("ize", "ise"),
        ("izing", "ising"),
        ("ization", "isation"),
        ("lyze", "lyse"),
        ("lyzing", "lysing"),
        ("behavior", "behaviour"),
        ("color", "colour"),
        ("labeled", "labelled"),
        ("labeling", "labelling"),
        ("modeled", "modelled"),
        ("modeling", "modelling"),
        ("license", "licence"),
    ];
    let (american, british) = PAIRS.iter().find(|(american, _)| form.contains(american))?;
    Some(form.replace(american, british))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_has_its_ordinary_forms() {
        assert_eq!(forms("fix", true), [" fix", " fixes", " fixed", " fixing"]);
        assert_eq!(verb_forms("format"), ["format", "formats", "formatted", "formatting"]);
        assert_eq!(verb_forms("copy"), ["copy", "copies", "copied", "copying"]);
        assert!(forms("optimize", true).contains(&" optimising".to_owned()));
        assert!(forms("clean up", true).contains(&" cleaned up".to_owned()));
        assert_eq!(forms("data race", false), [" data races", " data race"]);
        assert_eq!(forms("証明", true), ["証明"]);
    }

    #[test]
    fn every_word_of_both_tables_is_found_again() {
        for group in english::GROUPS.iter().chain(japanese::GROUPS) {
            for word in group.words.split(',').map(str::trim) {
                assert!(!word.is_empty() && word == word.to_lowercase(), "`{word}`");
                let is_action = group.feature.is_action();
                for form in forms(word, is_action) {
                    let whole = |hit: &Hit| (hit.start, hit.end) == (0, form.len());
                    let hit = Lexicon::shipped().find(&form).into_iter().find(whole);
                    let side = hit.and_then(|hit| match is_action {
                        true => hit.entry.action,
                        false => hit.entry.noun,
                    });
                    assert!(side.is_some(), "{form}");
                }
            }
        }
    }

    #[test]
    fn a_part_of_an_english_word_is_not_found() {
        assert_eq!(Lexicon::shipped().find(" information on apiary").len(), 0);
    }
}
