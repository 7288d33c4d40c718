//! How well tasks are routed: tables of what was judged right and wrong.

mod difficulty;

fn main() {
    let (written, made) = difficulty::table();
    for confusion in [written, made] {
        assert!(confusion.agreement() >= 0.75, "{confusion:?}");
        assert!(confusion.hard_to_low() <= 0.02, "{confusion:?}");
    }
}
