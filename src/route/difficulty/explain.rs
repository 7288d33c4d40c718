//! The score in sentences: one reason for each feature that counted.

use super::lexicon::Feature;
use super::score::{HIGH, LOW, Score, Share};
use crate::base::words;
use crate::task::Difficulty;
use crate::task::result::Reason;

/// The most features that are told one by one.
const MOST: usize = 10;

/// Tells the heaviest shares and the sum.
pub(super) fn tell(score: &Score, reasons: &mut Vec<Reason>) {
    let told = score.shares.iter().take(MOST);
    reasons.extend(told.map(reason));
    let rest: f64 = score.shares.iter().skip(MOST).map(|share| share.weight).sum();
    if score.shares.len() > MOST {
        let mut reason = Reason::new("smaller_shares", "difficulty", "", "lesser words, together");
        reason.share = Some(rounded(rest));
        reasons.push(reason);
    }
    reasons.push(Reason::new("score", "difficulty", "", sentence(score)));
}

/// Says that nothing was found.
pub(super) fn tell_nothing(reasons: &mut Vec<Reason>) {
    let why = "no word speaks for a difficulty: medium";
    reasons.push(Reason::new("no_evidence", "default", "", why));
}

fn sentence(score: &Score) -> String {
    let total = signed(score.total());
    match score.level() {
        Difficulty::Low => format!("the score is {total}, and {LOW:+} or less is low"),
        Difficulty::Medium => {
            format!("the score is {total}, and between {LOW:+} and {HIGH:+} is medium")
        }
        Difficulty::High => format!("the score is {total}, and {HIGH:+} or more is high"),
    }
}

fn reason(share: &Share) -> Reason {
    let weight = rounded(share.weight);
    let word = words::excerpt(share.word.trim(), 40);
    let why = match share.word.is_empty() {
        true => format!("{} ({})", says(share.feature), signed(weight)),
        false => format!("`{word}` {} ({})", says(share.feature), signed(weight)),
    };
    let mut reason = Reason::new(share.feature.name(), "difficulty", &share.field, why);
    reason.span = share.span;
    reason.share = Some(weight);
    reason
}

/// With its sign, and nothing for nothing.
fn signed(weight: f64) -> String {
    match rounded(weight) {
        0.0 => "0".into(),
        weight => format!("{weight:+}"),
    }
}

/// Two places behind the point, and no `-0`.
fn rounded(weight: f64) -> f64 {
    (weight * 100.0).round() / 100.0 + 0.0
}

fn says(feature: Feature) -> &'static str {
    match feature {
        Feature::Keyword => "is a keyword of the settings",
        Feature::MechanicalAction => "asks for something mechanical",
        Feature::TextAction => "asks to make one text of another",
        Feature::LightAction => "asks for something that is mostly quick",
        Feature::OrdinaryAction => "asks for work whose approach is known",
        Feature::ProbingAction => "asks for work that wants thought",
        Feature::HardAction => "asks for design, proof or a search",
        Feature::HardResult => "is the fruit of hard work",
        Feature::Question => "asks for a fact",
        Feature::MinorObject => "is a small thing where little is done to it",
        Feature::HiddenFault => "is a fault of the sort that hides",
        Feature::SmallObject => "is a small thing",
        Feature::Replacement => "one given thing is put in the place of another",
        Feature::DeepDomain => "names a deep field",
        Feature::Domain => "names a field that takes knowledge",
        Feature::Scope => "speaks of many places",
        Feature::UnknownCause => "speaks of a cause that is not known",
        Feature::Quality => "makes a demand on how it is done",
        Feature::Judgement => "asks for a choice",
        Feature::Ease => "says that it is easy",
        Feature::Usual => "is made in a known way",
        Feature::Story => "something is told, and no piece of work is named",
        Feature::Narrow => "little is done, to what is named",
        Feature::ManyDemands => "several things are asked",
        Feature::Length => "what is asked takes long to say",
        Feature::Brevity => "what is asked is said in a few words",
        Feature::Turn | Feature::Nothing => "says nothing",
    }
}
