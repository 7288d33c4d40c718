//! Known bugs that can be put back, so that a test of the whole can show that it would find them.

/// Whether the bug of this name is put back.
///
/// Never, but in a build with the feature `mutants`, which no release has.
pub fn has_bug(name: &str) -> bool {
    cfg!(feature = "mutants") && std::env::var("KOUBOU_MUTANT").is_ok_and(|mutant| mutant == name)
}
