//! Work that several processors do at once.
//!
//! The threads end with the call that began them. Where none may be begun, the caller's own does
//! it all.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};

/// What two deeds make that are done at once, the first of them by a thread of its own.
///
/// # Panics
/// Where one of them does.
pub fn both<A: Send, B>(aside: impl FnOnce() -> A + Send, here: impl FnOnce() -> B) -> (A, B) {
    let aside = Mutex::new(Some(aside));
    let do_it = || {
        let deed = aside.lock().unwrap_or_else(PoisonError::into_inner).take();
        deed.map(|deed| deed())
    };
    thread::scope(|all| {
        let begun = thread::Builder::new().spawn_scoped(all, do_it);
        let here = here();
        let made = begun.map_or_else(|_| do_it(), whole);
        match made {
            Some(made) => (made, here),
            // It is done once: by its thread, or here where there is none.
            None => unreachable!(),
        }
    })
}

/// What a thread made.
fn whole<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|why| std::panic::resume_unwind(why))
}

/// What is made of each part of so many things, in their order: each processor has a part of its
/// own, but for a part that is smaller than `least`, which is done sooner than a thread is begun.
///
/// # Panics
/// Where `make` does.
pub fn in_parts<T: Send>(
    count: usize,
    least: usize,
    make: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    // To ask how many there are takes longer than a few things do.
    let processors = match count > least {
        true => thread::available_parallelism().map_or(1, usize::from),
        false => 1,
    };
    split(count, count.div_ceil(processors).max(least), make)
}

/// Does something to each of so many things, of which one may take much longer than another: a
/// processor that is done with one takes the next.
///
/// # Panics
/// Where `deed` does.
pub fn in_turn(count: usize, deed: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    // Whoever comes first may do it all: the parts are of hands, not of things.
    in_parts(count, 1, |_| {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= count {
                break;
            }
            deed(n);
        }
    });
}

fn split<T: Send>(count: usize, part: usize, make: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    if count <= part {
        return vec![make(0..count)];
    }
    thread::scope(|all| {
        let make = &make;
        let begin = |from: usize| {
            let of_part = from..count.min(from + part);
            let other = of_part.clone();
            (of_part, thread::Builder::new().spawn_scoped(all, move || make(other)))
        };
        let others: Vec<_> = (part..count).step_by(part).map(begin).collect();
        let mut made = vec![make(0..part)];
        made.extend(others.into_iter().map(|(of_part, other)| match other {
            Ok(other) => whole(other),
            Err(_) => make(of_part),
        }));
        made
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_in_their_order_and_leave_nothing_out() {
        for count in [0, 1, 2, 7, 10, 11] {
            for part in [1, 2, 3, 10, 100] {
                let made = split(count, part, Vec::from_iter);
                assert_eq!(made.concat(), (0..count).collect::<Vec<usize>>(), "{count} by {part}");
                assert!(made.iter().all(|made| made.len() <= part));
            }
        }
        assert_eq!(in_parts(5, 10, Vec::from_iter), [[0, 1, 2, 3, 4]], "so few are one part");
    }

    #[test]
    fn both_deeds_are_done() {
        let (word, text) = ("a".to_owned(), "b".to_owned());
        assert_eq!(both(|| word + "1", || text + "2"), ("a1".to_owned(), "b2".to_owned()));
        let panics = std::panic::catch_unwind(|| both(|| panic!("aside"), || ()));
        assert_eq!(panics.unwrap_err().downcast_ref(), Some(&"aside"));
    }

    #[test]
    fn each_has_its_turn_once() {
        for count in [0, 1, 2, 100] {
            let done: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
            in_turn(count, |n| _ = done[n].fetch_add(1, Ordering::Relaxed));
            assert!(done.iter().all(|done| done.load(Ordering::Relaxed) == 1));
        }
    }
}
