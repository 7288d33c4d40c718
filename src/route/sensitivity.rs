//! Finds what must not leave the house.

use crate::task::result::Reason;

/// Finds secrets and markings in text.
#[derive(Debug, Default)]
pub struct SensitivityScanner;

impl SensitivityScanner {
    /// Adds a reason for each thing found in `text`, which stands at `field`.
    pub fn scan(&self, _field: &str, _text: &str, _reasons: &mut Vec<Reason>) {}
}
