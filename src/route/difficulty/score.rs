//! The score: what each feature adds, and which level the sum is.
//!
//! The hardest verb decides for the verbs. Of several words that say the same
//! each counts half of the one before it, so that no long text is hard by its
//! length alone.

use super::lexicon::Feature;
use crate::task::Difficulty;

/// At most this is low.
pub(super) const LOW: f64 = -1.0;
/// At least this is high.
pub(super) const HIGH: f64 = 1.0;
/// What says less than this is no evidence.
const EVIDENCE: f64 = 0.25;
/// The words of what is neither short nor long.
const USUAL_WORDS: f64 = 17.0;
/// How far a keyword of medium difficulty pulls towards the middle.
const PULL: f64 = 1.5;

/// Something that counts, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub(super) feature: Feature,
    /// What it adds to the score.
    pub(super) weight: f64,
    /// The word or words, as the lexicon has them.
    pub(super) word: String,
    /// The JSON pointer of its text.
    pub(super) field: String,
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
    pub(super) fn of(found: Vec<Share>, words: usize, demands: usize) -> Self {
        let mut score = Self { shares: Vec::new() };
        let (actions, others): (Vec<Share>, Vec<Share>) =
            found.into_iter().partition(|share| share.feature.is_action());
        let (pulls, others): (Vec<Share>, Vec<Share>) = others
            .into_iter()
            .partition(|share| share.feature == Feature::Keyword && share.weight == 0.0);
        score.add_actions(actions);
        score.add_fading(others);
        score.add_size(words, demands);
        score.pull(pulls);
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
            fade = if before == Some(share.feature) { fade / 2.0 } else { 1.0 };
            before = Some(share.feature);
            share.weight *= fade;
            if share.weight.abs() >= 0.02 {
                self.shares.push(share);
            }
        }
    }

    fn add_size(&mut self, words: usize, demands: usize) {
        let length = ((words as f64 - USUAL_WORDS) / 25.0).clamp(-0.5, 0.7);
        // Few words make nothing easier that is hard by them.
        if length < 0.0 && !self.shares.is_empty() && self.total() < EVIDENCE {
            self.add(Feature::Brevity, length);
        } else if length > 0.0 && words > 0 {
            self.add(Feature::Length, length);
        }
        if demands > 2 {
            self.add(Feature::ManyDemands, (0.2 * (demands - 2) as f64).min(0.8));
        }
    }

    fn pull(&mut self, pulls: Vec<Share>) {
        if let Some(mut share) = pulls.into_iter().next() {
            share.weight = -self.total().clamp(-PULL, PULL);
            self.shares.push(share);
        }
    }

    fn add(&mut self, feature: Feature, weight: f64) {
        let (word, field) = (String::new(), String::new());
        self.shares.push(Share { feature, weight, word, field, span: None });
    }
}
