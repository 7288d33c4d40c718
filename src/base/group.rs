//! One sync for many who ask at once.
//!
//! Whoever asks while no sync runs becomes the one who syncs; whoever asks
//! meanwhile shares the next. One alone does not wait for company. A failure is
//! told to everybody whose writes it covered, and nobody tries the same sync
//! again in the hope of a better answer: after a failed `fsync` the kernel may
//! have dropped the very pages it failed to write.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Lets concurrent callers share one costly operation that covers them all.
#[derive(Debug, Default)]
pub struct GroupSync {
    state: Mutex<State>,
    turned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The last ticket handed out.
    asked: u64,
    /// Every ticket up to here has its answer.
    answered: u64,
    running: bool,
    /// Groups that failed and whose members have not all been told.
    failed: Vec<Failure>,
}

#[derive(Debug)]
struct Failure {
    first: u64,
    last: u64,
    untold: u64,
    error: i32,
}

impl GroupSync {
    /// Runs `sync`, or shares one that begins after this call.
    ///
    /// # Errors
    /// What the shared operation answered.
    pub fn sync(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut state = self.lock();
        state.asked += 1;
        let ticket = state.asked;
        while state.running && state.answered < ticket {
            state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.answered >= ticket {
            return state.answer_for(ticket);
        }
        state.running = true;
        let (first, last) = (state.answered + 1, state.asked);
        drop(state);

        let result = sync();

        let mut state = self.lock();
        state.running = false;
        state.answered = last;
        if let Err(error) = &result
            && last > first
        {
            let error = error.raw_os_error().unwrap_or(libc::EIO);
            state.failed.push(Failure { first, last, untold: last - first, error });
        }
        self.turned.notify_all();
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn answer_for(&mut self, ticket: u64) -> io::Result<()> {
        let covers = |failure: &Failure| (failure.first..=failure.last).contains(&ticket);
        let Some(at) = self.failed.iter().position(covers) else {
            return Ok(());
        };
        let error = io::Error::from_raw_os_error(self.failed[at].error);
        self.failed[at].untold -= 1;
        if self.failed[at].untold == 0 {
            self.failed.swap_remove(at);
        }
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};

    #[test]
    fn one_alone_syncs_at_once() {
        let group = GroupSync::default();
        let runs = AtomicUsize::new(0);
        for _ in 0..3 {
            group
                .sync(|| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }

    /// Holds a first sync until `others` callers have queued behind it, then lets all go.
    fn crowd(others: usize, result: fn() -> io::Result<()>) -> (usize, usize) {
        let group = Arc::new(GroupSync::default());
        let runs = Arc::new(AtomicUsize::new(0));
        let (begun, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let first = std::thread::spawn({
            let (group, begun, release) = (group.clone(), begun.clone(), release.clone());
            move || {
                group.sync(|| {
                    begun.wait();
                    release.wait();
                    Ok(())
                })
            }
        });
        begun.wait();
        let followers: Vec<_> = (0..others)
            .map(|_| {
                let (group, runs) = (group.clone(), runs.clone());
                std::thread::spawn(move || {
                    group.sync(|| {
                        runs.fetch_add(1, Ordering::SeqCst);
                        result()
                    })
                })
            })
            .collect();
        while group.lock().asked < 1 + others as u64 {
            std::thread::yield_now();
        }
        release.wait();
        first.join().unwrap().unwrap();
        let failures = followers.into_iter().filter_map(|f| f.join().unwrap().err()).count();
        assert!(group.lock().failed.is_empty(), "everybody was told");
        (runs.load(Ordering::SeqCst), failures)
    }

    #[test]
    fn those_who_wait_share_one_sync() {
        assert_eq!(crowd(8, || Ok(())), (1, 0));
    }

    #[test]
    fn a_failure_is_told_to_all_whom_it_covered() {
        assert_eq!(crowd(8, || Err(io::Error::from_raw_os_error(libc::EIO))), (1, 8));
    }
}
