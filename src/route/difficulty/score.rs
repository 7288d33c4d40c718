//! The score: what each feature adds, and which level the sum is.
//!
//! The hardest verb decides for the verbs. Of several words that say the same
//! each counts a fifth less than the one before it, so that no long text is hard
//! by its length alone. Things that are made in a known way pull towards the
//! middle.

use std::rc::Rc;

use super::lexicon::Feature;
use crate::task::Difficulty;

/// At most this is low.
pub(super) const LOW: f64 = -0.65;
/// At least this is high.
pub(super) const HIGH: f64 = 1.1;
/// What says less than this is no evidence.
const EVIDENCE: f64 = 0.25;
/// What each further word of a feature counts of the one before it.
const FADE: f64 = 0.8;
/// What a story counts in which nothing is asked.
const STORY: f64 = 0.25;
/// What it counts that little is done to what is named.
const NARROW: f64 = -0.5;
/// What a short question or a short word on a named thing counts that no entry fits.
const BARE: f64 = -0.9;
/// More than this in doubts, and a question is none for a fact.
const DOUBTED: f64 = 0.8;
/// The words of what is neither short nor long.
const USUAL_WORDS: f64 = 17.0;
/// How far a thing that is made in a known way pulls towards the middle; two and more pull twice.
const USUAL: f64 = 0.5;
/// How far a keyword of medium difficulty pulls towards the middle.
const PULL: f64 = 1.5;

/// How the text that asks is made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// How many words it has, a Japanese word taken as two and a half signs.
    pub(super) words: usize,
    /// How many things are asked.
    pub(super) demands: usize,
    /// Names, quotations and numbers.
    pub(super) names: usize,
    /// Whether it ends with a question, and not one for the how.
    pub(super) asks: bool,
}

impl Shape {
    /// Takes in another text.
    pub(super) fn add(&mut self, other: Self) {
        self.words += other.words;
        self.demands += other.demands;
        self.names += other.names;
        self.asks |= other.asks;
    }
}

/// Something that counts, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub(super) feature: Feature,
    /// What it adds to the score.
    pub(super) weight: f64,
    /// The word or words, as the lexicon has them.
    pub(super) word: String,
    /// The JSON pointer of its text.
    pub(super) field: Rc<str>,
    /// Where it stands in it.
    pub(super) span: Option<(usize, usize)>,
}

/// All shares, the heaviest first.
#[derive(Debug)]
pub(super) struct Score {
    pub(super) shares: Vec<Share>,
}

impl Score {
    /// Weighs what was found.
    pub(super) fn of(found: Vec<Share>, shape: Shape) -> Self {
        let mut score = Self { shares: Vec::new() };
        let (actions, others): (Vec<Share>, Vec<Share>) =
            found.into_iter().partition(|share| share.feature.is_action());
        let (pulls, others): (Vec<Share>, Vec<Share>) = others
            .into_iter()
            .partition(|share| share.feature == Feature::Keyword && share.weight == 0.0);
        let (usual, others): (Vec<Share>, Vec<Share>) =
            others.into_iter().partition(|share| share.feature == Feature::Usual);
        let others = in_context(others, &actions, shape);
        score.add_actions(actions);
        score.add_fading(others);
        score.add_size(shape);
        score.add_usual(usual);
        score.pull(pulls, PULL);
        score.shares.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        score
    }

    /// The sum.
    pub(super) fn total(&self) -> f64 {
        self.shares.iter().map(|share| share.weight).sum()
    }

    /// The level.
    pub(super) fn level(&self) -> Difficulty {
        match self.total() {
            total if total <= LOW => Difficulty::Low,
            total if total >= HIGH => Difficulty::High,
            _ => Difficulty::Medium,
        }
    }

    /// Whether anything spoke for a level: a verb, a keyword, or words of some weight.
    pub(super) fn is_evident(&self) -> bool {
        self.shares.iter().any(|share| match share.feature {
            Feature::Length | Feature::Brevity => false,
            Feature::Keyword => true,
            feature => feature.is_action() || share.weight.abs() >= EVIDENCE,
        })
    }

    /// The hardest verb counts in full, and harder ones than usual a little each; where all are
    /// easy, their mean.
    fn add_actions(&mut self, mut actions: Vec<Share>) {
        actions.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let Some(hardest) = actions.first().map(|share| share.weight) else { return };
        if hardest < 0.0 {
            actions.drain(1..actions.len().max(2) - 1);
            let many = actions.len() as f64;
            actions.iter_mut().for_each(|share| share.weight /= many);
            self.shares.append(&mut actions);
            return;
        }
        let rest = actions.iter_mut().skip(1);
        rest.enumerate().for_each(|(n, share)| {
            share.weight = share.weight.max(0.0) * 0.3 * 0.5_f64.powi(n as i32);
        });
        actions.retain(|share| share.weight != 0.0 || share.feature == Feature::OrdinaryAction);
        self.shares.append(&mut actions);
    }

    fn add_fading(&mut self, mut others: Vec<Share>) {
        others.sort_by(|a, b| {
            a.feature.cmp(&b.feature).then(b.weight.abs().total_cmp(&a.weight.abs()))
        });
        let mut before: Option<Feature> = None;
        let mut fade = 1.0;
        for mut share in others {
            fade = if before == Some(share.feature) { fade * FADE } else { 1.0 };
            before = Some(share.feature);
            share.weight *= fade;
            if share.weight.abs() >= 0.02 {
                self.shares.push(share);
            }
        }
    }

    /// What stands apart from all words: something is told and nothing asked, or little is asked
    /// of what is named.
    fn add_manner(&mut self, shape: Shape) {
        let hard: f64 = self.shares.iter().map(|share| share.weight.max(0.0)).sum();
        if hard > DOUBTED {
            // Who asks for a cause asks for no fact.
            let asked = self.shares.iter_mut().filter(|share| share.feature == Feature::Question);
            asked.for_each(|share| share.weight *= 0.3);
        }
        let is_short = (4..=12).contains(&shape.words);
        if self.shares.is_empty()
            && shape.demands == 0
            && is_short
            && (shape.asks || shape.names > 0)
        {
            self.add(Feature::Narrow, BARE);
        } else if shape.demands == 0 && shape.words > 5 && self.total() > -0.3 {
            self.add(Feature::Story, STORY);
        } else if shape.names > 0 && shape.words <= 20 && hard < 0.5 && self.speaks_of_little() {
            self.add(Feature::Narrow, NARROW);
        }
    }

    fn speaks_of_little(&self) -> bool {
        let works = self.shares.iter().any(|share| share.feature == Feature::OrdinaryAction);
        let small = self.shares.iter().any(|share| share.feature == Feature::SmallObject);
        (small || !works)
            && self.shares.iter().any(|share| {
                let is_small = matches!(
                    share.feature,
                    Feature::SmallObject | Feature::MinorObject | Feature::Ease
                );
                share.weight < -0.15 && (is_small || share.feature.is_action())
            })
    }

    /// Each thing that is made in a known way pulls a little towards the middle.
    fn add_usual(&mut self, mut usual: Vec<Share>) {
        let many = usual.len() as f64;
        usual.truncate(1);
        self.pull(usual, (many * USUAL).min(2.0 * USUAL));
    }

    fn add_size(&mut self, shape: Shape) {
        self.add_manner(shape);
        let Shape { words, demands, .. } = shape;
        let length = ((words as f64 - USUAL_WORDS) / 18.0).clamp(-0.6, 0.5);
        // Few words make nothing easier that is hard by them.
        if length < 0.0 && !self.shares.is_empty() && self.total() < EVIDENCE {
            self.add(Feature::Brevity, length);
        } else if length > 0.0 && words > 0 {
            self.add(Feature::Length, length);
        }
        if demands > 2 {
            self.add(Feature::ManyDemands, (0.15 * (demands - 2) as f64).min(0.6));
        }
    }

    fn pull(&mut self, pulls: Vec<Share>, most: f64) {
        if let Some(mut share) = pulls.into_iter().next() {
            share.weight = -self.total().clamp(-most, most);
            self.shares.push(share);
        }
    }

    fn add(&mut self, feature: Feature, weight: f64) {
        let (word, field) = (String::new(), Rc::from(""));
        self.shares.push(Share { feature, weight, word, field, span: None });
    }
}

/// Deep words are only what a short text is about where it asks for little and raises no doubt;
/// what is simple is still work where something is to be made.
fn in_context(mut found: Vec<Share>, actions: &[Share], shape: Shape) -> Vec<Share> {
    let makes = actions.iter().any(|share| share.weight >= 0.0);
    let doubts: f64 =
        found.iter().filter(|s| !is_topic(s.feature)).map(|s| s.weight.max(0.0)).sum();
    let little = found.iter().chain(actions).any(|share| share.weight < -0.1);
    let is_aside = !makes && little && shape.names > 0 && shape.words <= 25 && doubts < 0.3;
    for share in &mut found {
        share.weight *= match share.feature {
            Feature::Ease if makes => 0.5,
            feature if is_aside && is_topic(feature) => 0.4,
            _ => 1.0,
        };
    }
    found
}

fn is_topic(feature: Feature) -> bool {
    matches!(feature, Feature::DeepDomain | Feature::Domain)
}
