//! Where a word stands in its sentence, and so what it counts.
//!
//! A verb counts where it asks: at the beginning of a sentence or behind `and`,
//! `please`, `need to` in English, before する or at the end in Japanese. A
//! thing counts most as the object of that verb, less as what the object is in
//! or of. Where the verb or its object is small, all else in the sentence only
//! says where it is: a typo in a chapter on deadlocks is a typo.

use super::beside::{beside_mechanical, beside_small, counts_of_small};
use super::grammar::{self, Part};
use super::keywords::Keywords;
use super::lexicon::{Entry, Feature, Hit, Lexicon};
use super::plain::{ARROW, COLON, ITEM, NAME, PARAGRAPH, PAUSE, Plain, STOP};
use super::score::Shape;

/// What one word of the text adds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finding {
    /// What it says.
    pub(super) feature: Feature,
    /// How much, negative for easy.
    pub(super) weight: f64,
    /// Whether it stands in the object of the verb itself, and not beside it.
    direct: bool,
    /// Where it stands in the plain text.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What was read in one text.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Each word that counts.
    pub(super) findings: Vec<Finding>,
    /// How it is made.
    pub(super) shape: Shape,
}

/// Reads a plain text.
pub(super) fn read(plain: &Plain, keywords: &Keywords) -> Reading {
    let mut walk = Walk::new(plain);
    let mut at = 0;
    for hit in Lexicon::shipped().find(&plain.text) {
        walk.gap(at, hit.start);
        if !keywords.has_silenced(&plain.text[hit.start..hit.end]) {
            walk.hit(hit);
            at = hit.end;
        }
    }
    walk.gap(at, plain.text.len());
    walk.end_sentence();
    let mut reading = walk.reading;
    for Hit { entry, start, end } in keywords.find(&plain.text) {
        if let Some((feature, weight)) = entry.noun {
            reading.findings.push(Finding { feature, weight, direct: true, start, end });
        }
    }
    reading.shape.words /= WORD;
    reading.shape.asks = plain.is_question && !plain.text.contains(" how ");
    reading
}

/// What an English word is counted as while reading, and what a Japanese sign is.
const WORD: usize = 5;
const SIGN: usize = 2;
/// Behind a verb that makes one text of another, all that is announced is that text.
const ANNOUNCED_TEXT: f64 = 0.05;
/// What is announced and is no list is mostly data.
const ANNOUNCED: f64 = 0.4;
/// What a number of thousands adds.
const THOUSANDS: f64 = 0.3;
/// What a replacement takes off.
const REPLACED: f64 = -1.2;
/// What is told before it is said what is wanted.
const TOLD: f64 = 0.15;
/// Behind the first paragraph things are told rather than asked.
const LATER_PARAGRAPH: f64 = 0.75;

/// In which part of an English sentence we are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Region {
    /// Before a verb that asks.
    #[default]
    Opening,
    /// Behind it: its object.
    Object,
    /// Behind `in`, `of`, `for`.
    Place,
    /// Behind `that`, `which`, `when`.
    Condition,
}

#[derive(Debug, Default)]
struct Sentence {
    found: Vec<Finding>,
    region: Region,
    /// Whether the next verb would ask.
    expecting: bool,
    /// Whether any word went before.
    begun: bool,
    acted: bool,
    /// Whether the next verb would only say what for.
    purpose: bool,
    /// The hardest verb that asks.
    hardest: Option<f64>,
    is_about_text: bool,
    is_small: bool,
    /// A small thing that is the object if no other noun follows.
    pending: Option<usize>,
    /// Names, quotations and numbers.
    names: usize,
    quoted: usize,
    turns: bool,
    first_name: usize,
}

struct Walk<'a> {
    plain: &'a Plain,
    text: &'a str,
    sentence: Sentence,
    factor: f64,
    was_colon: bool,
    was_text: bool,
    is_first: bool,
    reading: Reading,
}

impl<'a> Walk<'a> {
    fn new(plain: &'a Plain) -> Self {
        Self {
            plain,
            text: &plain.text,
            sentence: Sentence { expecting: true, ..Sentence::default() },
            factor: 1.0,
            was_colon: false,
            was_text: false,
            is_first: true,
            reading: Reading::default(),
        }
    }

    /// What stands between two entries: other words, names and pauses.
    fn gap(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let rest = &self.text[at..end];
            let Some(first) = rest.chars().next() else { return };
            let len = match first {
                ' ' => 1 + rest.bytes().skip(1).take_while(u8::is_ascii_alphanumeric).count(),
                other => other.len_utf8(),
            };
            match first {
                ' ' if len > 1 => self.word(&rest[1..len], at),
                ' ' => {}
                NAME => self.name(at),
                COLON if announces_request(&self.text[..at]) => self.turn(),
                STOP | PAUSE | COLON | PARAGRAPH | ITEM | ARROW => self.mark(first),
                _ => self.sign(first, &rest[len..]),
            }
            at += len;
        }
    }

    /// A sign of another script: the particles of Japanese turn one thing into another.
    fn sign(&mut self, sign: char, rest: &str) {
        self.was_colon = false;
        self.sentence.begun = true;
        self.count_signs(1);
        if self.sentence.names > 0
            && (matches!(sign, 'に' | 'へ') || (sign == 'と' && !rest.is_empty()))
        {
            self.sentence.turns = true;
        }
    }

    fn count_signs(&mut self, signs: usize) {
        self.count(signs * SIGN);
    }

    /// What comes along makes nothing longer.
    fn count(&mut self, size: usize) {
        self.reading.shape.words += if self.factor < 0.5 { 0 } else { size };
    }

    fn name(&mut self, at: usize) {
        self.was_colon = false;
        self.sentence.quoted += usize::from(!self.text[at..].starts_with(' '));
        self.confirm();
        self.sentence.begun = true;
        self.sentence.names += 1;
        self.reading.shape.names += usize::from(self.factor > 0.5);
        if self.sentence.names == 1 {
            self.sentence.first_name = at;
        }
        self.sentence.expecting = false;
        self.count(WORD);
    }

    fn word(&mut self, word: &str, at: usize) {
        self.was_colon = false;
        self.count(WORD);
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            self.number(word, at);
            return;
        }
        let sentence = &mut self.sentence;
        match word {
            "and" | "then" | "or" | "plus" => sentence.expecting = true,
            "to" => {
                sentence.purpose = sentence.acted;
                sentence.turns |= sentence.names > 0;
                self.confirm();
                self.sentence.expecting = true;
                self.sentence.region = Region::Place;
            }
            "with" | "be" | "instead" | "into" | "becomes" | "not" | "as" if sentence.names > 0 => {
                sentence.turns = true;
                self.step_into(Region::Place);
            }
            _ => match grammar::part_of(word) {
                Some(Part::Filler) => {}
                Some(Part::Preposition) => self.step_into(Region::Place),
                Some(Part::Subordinator) => self.step_into(Region::Condition),
                None => {
                    sentence.expecting &= word.ends_with("ly");
                    self.cancel();
                }
            },
        }
        self.sentence.begun = true;
    }

    fn number(&mut self, digits: &str, at: usize) {
        if digits.ends_with("000") {
            let (feature, weight, direct) = (Feature::Scope, THOUSANDS, true);
            let (start, end) = (at, at + 1 + digits.len());
            self.sentence.found.push(Finding { feature, weight, direct, start, end });
        }
        self.name(at);
    }

    fn step_into(&mut self, region: Region) {
        self.confirm();
        self.sentence.region = region;
        self.sentence.expecting = false;
    }

    fn mark(&mut self, mark: char) {
        match mark {
            PAUSE => {
                self.confirm();
                self.sentence.expecting = true;
                return;
            }
            ARROW => {
                self.sentence.turns = true;
                return;
            }
            _ => {}
        }
        let announced = self.was_colon && mark != ITEM;
        self.end_sentence();
        self.was_colon = mark == COLON;
        if announced || (mark == COLON && self.was_text) {
            self.factor *= if self.was_text { ANNOUNCED_TEXT } else { ANNOUNCED };
        } else if mark == PARAGRAPH {
            self.factor = self.factor.min(LATER_PARAGRAPH);
        }
        if mark == ITEM {
            self.reading.shape.demands += 1;
        }
    }

    fn hit(&mut self, hit: Hit) {
        self.was_colon = false;
        let spelled = &self.text[hit.start..hit.end];
        if let Some((Feature::Turn, _)) = hit.entry.noun {
            self.turn();
            return;
        }
        if spelled.starts_with(' ') {
            self.count(WORD * spelled.matches(' ').count());
            self.english(hit);
        } else {
            self.count_signs(spelled.chars().count());
            self.japanese(hit);
        }
        self.sentence.begun = true;
    }

    /// What went before was the story; what comes now is asked.
    fn turn(&mut self) {
        self.end_sentence();
        self.reading.findings.retain(|finding| !finding.feature.is_action());
        self.reading.findings.iter_mut().for_each(|finding| finding.weight *= TOLD);
        self.reading.shape = Shape::default();
        (self.is_first, self.factor) = (true, 1.0);
    }

    fn english(&mut self, hit: Hit) {
        let past = self.text[hit.start..hit.end].ends_with("ed");
        let is_noun = self.plain.has_article(hit.start)
            || grammar::is_japanese_noun(&self.text[hit.end..])
            || (past && self.sentence.begun);
        let asks = self.sentence.expecting && !is_noun;
        match hit.entry {
            Entry { action: Some((feature, weight)), .. } if asks => {
                self.action(feature, weight, hit);
                self.sentence.region = Region::Object;
                self.sentence.expecting = false;
            }
            Entry { noun: Some((feature, weight)), .. } => self.english_noun(feature, weight, hit),
            Entry { action: Some((Feature::HardAction, _)), .. } => {
                self.cancel();
                self.sentence.expecting = false;
                let weight = if past { 0.2 } else { 0.6 };
                self.found(Feature::HardResult, weight * self.place_factor(), hit);
            }
            _ => {
                self.cancel();
                self.sentence.expecting = false;
            }
        }
    }

    fn english_noun(&mut self, feature: Feature, weight: f64, hit: Hit) {
        if matches!(feature, Feature::Ease | Feature::UnknownCause) {
            // `just` before what is told says nothing of what is asked.
            let is_told = feature == Feature::Ease && self.sentence.begun && !self.sentence.acted;
            self.found(feature, if is_told { weight * 0.4 } else { weight }, hit);
            return;
        }
        self.cancel();
        self.sentence.expecting = false;
        match feature {
            Feature::SmallObject | Feature::MinorObject => {
                let direct = matches!(self.sentence.region, Region::Opening | Region::Object);
                self.found(feature, weight * if direct { 1.0 } else { 0.4 }, hit);
                if direct {
                    self.sentence.pending = Some(self.sentence.found.len() - 1);
                }
            }
            Feature::DeepDomain | Feature::Domain | Feature::HardResult | Feature::HiddenFault => {
                self.found(feature, weight * self.place_factor(), hit);
            }
            _ => self.found(feature, weight, hit),
        }
    }

    fn place_factor(&self) -> f64 {
        match self.sentence.region {
            Region::Opening | Region::Object => 1.0,
            Region::Condition => 0.8,
            Region::Place => 0.5,
        }
    }

    fn japanese(&mut self, hit: Hit) {
        let (before, behind) = (&self.text[..hit.start], &self.text[hit.end..]);
        let spelled = &self.text[hit.start..hit.end];
        match hit.entry {
            Entry { action: Some((feature, weight)), .. }
                if feature == Feature::Question || grammar::asks(before, spelled, behind) =>
            {
                self.action(feature, weight, hit);
            }
            Entry { noun: Some((feature, weight)), .. } => {
                let heads = grammar::is_object(behind);
                self.sentence.is_small |= feature == Feature::SmallObject && heads;
                let factor = match feature {
                    Feature::SmallObject | Feature::MinorObject if !heads => 0.2,
                    Feature::DeepDomain | Feature::Domain | Feature::HardResult if !heads => 0.6,
                    _ => 1.0,
                };
                self.found(feature, weight * factor, hit);
            }
            Entry { action: Some((Feature::HardAction, _)), .. } => {
                self.found(Feature::HardResult, 0.6, hit);
            }
            _ => {}
        }
    }

    fn action(&mut self, feature: Feature, weight: f64, hit: Hit) {
        let sentence = &mut self.sentence;
        if std::mem::take(&mut sentence.purpose) {
            match feature {
                Feature::MechanicalAction => self.found(Feature::Ease, weight / 2.0, hit),
                _ => self.found(Feature::Quality, (weight * 0.2).max(0.0), hit),
            }
            return;
        }
        sentence.acted = true;
        sentence.hardest = Some(sentence.hardest.map_or(weight, |other| other.max(weight)));
        sentence.is_about_text |= feature == Feature::TextAction;
        self.reading.shape.demands += 1;
        self.found(feature, weight, hit);
    }

    fn found(&mut self, feature: Feature, weight: f64, hit: Hit) {
        if feature != Feature::Nothing {
            let (start, end) = (hit.start, hit.end);
            let is_english = self.text[start..].starts_with(' ');
            let direct = matches!(self.sentence.region, Region::Opening | Region::Object)
                && (is_english || grammar::is_object(&self.text[end..]));
            self.sentence.found.push(Finding { feature, weight, direct, start, end });
        }
    }

    /// The small thing is the object.
    fn confirm(&mut self) {
        let pending = self.sentence.pending.take();
        let is_small = |n: usize| self.sentence.found[n].feature == Feature::SmallObject;
        self.sentence.is_small |= pending.is_some_and(is_small);
    }

    /// Another noun follows: the small thing only said which.
    fn cancel(&mut self) {
        if let Some(n) = self.sentence.pending.take() {
            self.sentence.found[n].weight *= 0.3;
        }
    }

    fn end_sentence(&mut self) {
        self.confirm();
        let next = Sentence { expecting: true, ..Sentence::default() };
        let mut sentence = std::mem::replace(&mut self.sentence, next);
        sentence.add_replacement(self.is_first);
        if self.factor < 0.2 {
            // Nothing is asked in what only comes along.
            sentence.found.retain(|finding| !finding.feature.is_action());
        }
        for finding in &sentence.found {
            let weight = finding.weight * self.factor * sentence.counts(finding, self.is_first);
            self.reading.findings.push(Finding { weight, ..*finding });
        }
        self.is_first = false;
        if sentence.acted {
            self.was_text = sentence.is_about_text;
        }
    }
}

impl Sentence {
    /// One given thing takes the place of another: `"a" should be "b"`.
    fn add_replacement(&mut self, is_first: bool) {
        let is_light = self.hardest.is_some_and(|weight| weight < -0.2);
        let swaps =
            is_light && (is_first || self.quoted > 1) || self.hardest.is_none() && self.quoted > 1;
        if self.turns && self.names > 1 && swaps {
            let (start, end) = (self.first_name, self.first_name + 1);
            let (feature, weight, direct) = (Feature::Replacement, REPLACED, true);
            self.found.push(Finding { feature, weight, direct, start, end });
        }
    }

    /// What share of its weight a word keeps in this sentence.
    fn counts(&self, finding: &Finding, is_first: bool) -> f64 {
        let is_hard = self.hardest.is_some_and(|weight| weight > 0.5);
        let is_mechanical = self.hardest.is_some_and(|weight| weight < -0.9);
        let (small, minor) = counts_of_small(self.hardest, is_first);
        match finding.feature {
            Feature::SmallObject => small,
            Feature::MinorObject => minor,
            Feature::LightAction if !self.is_narrow() => 0.5,
            feature if !is_hard && self.is_small => beside_small(feature),
            feature if is_mechanical => beside_mechanical(feature, finding.direct),
            _ => 1.0,
        }
    }

    /// Whether something says that little is touched: a small thing, a name, the writer.
    fn is_narrow(&self) -> bool {
        const NARROW: &[Feature] = &[Feature::SmallObject, Feature::MinorObject, Feature::Ease];
        self.names > 0 || self.found.iter().any(|finding| NARROW.contains(&finding.feature))
    }
}

/// Whether a colon stands behind the word for what is wanted, as tickets have it.
fn announces_request(before: &str) -> bool {
    [" request", " wanted", " task", " todo", " ask", " action"]
        .iter()
        .any(|word| before.ends_with(word))
}
