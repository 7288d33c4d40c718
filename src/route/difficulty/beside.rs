//! What a word still counts beside a small thing or a mechanical verb.

use super::lexicon::Feature;

/// What a small and a minor thing count: little where real work is done to them, or where nothing
/// is asked any more.
pub(super) fn counts_of_small(hardest: Option<f64>, is_first: bool) -> (f64, f64) {
    match hardest {
        Some(weight) if weight < -0.2 => (1.0, 1.0),
        Some(weight) if weight < 0.5 => (0.6, 0.0),
        None if is_first => (1.0, 0.5),
        _ => (0.2, 0.0),
    }
}

/// What a word still counts beside a small object.
pub(super) fn beside_small(feature: Feature) -> f64 {
    match feature {
        Feature::DeepDomain | Feature::Domain | Feature::HardResult | Feature::HiddenFault => 0.15,
        Feature::Quality => 0.3,
        Feature::Scope | Feature::Judgement | Feature::UnknownCause => 0.5,
        _ => 1.0,
    }
}

/// What a word still counts beside a mechanical verb: more in its object than elsewhere.
pub(super) fn beside_mechanical(feature: Feature, direct: bool) -> f64 {
    match feature {
        Feature::DeepDomain | Feature::Domain | Feature::HardResult | Feature::HiddenFault => {
            if direct {
                0.6
            } else {
                0.15
            }
        }
        Feature::Quality | Feature::Scope | Feature::UnknownCause => 0.6,
        _ => 1.0,
    }
}
