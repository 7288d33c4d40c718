//! The echo: gives back what it is given, at once and for nothing.
//!
//! For trying out a fresh home and for measuring what koubou itself costs. It
//! touches neither the network nor a disk.

use super::{Job, Leash, NO_WORKSPACE, Worker, cancelled, within};
use crate::task::outcome::{Answer, Outcome};

/// Gives the description back.
#[derive(Debug, Default)]
pub struct EchoWorker;

impl Worker for EchoWorker {
    fn run(&mut self, job: &Job, leash: &Leash) -> Outcome {
        if leash.is_pulled() {
            return cancelled("it was echoed").into();
        }
        let mut answer = Answer::default();
        answer.warnings.extend(job.workspace.as_ref().map(|_| NO_WORKSPACE.to_owned()));
        let words = job.prompt.get().standard_input();
        answer.content = within(words, job.max_output, &mut answer.warnings);
        answer.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::tests::job;

    #[test]
    fn what_goes_in_comes_out() {
        let Outcome::Done(answer) = EchoWorker.run(&job("six times seven"), &Leash::default())
        else {
            panic!("the echo failed");
        };
        assert_eq!(answer.content, "six times seven");
        assert!(answer.warnings.is_empty());
    }

    #[test]
    fn a_long_echo_is_cut_between_two_characters() {
        let mut job = job("工房");
        job.max_output = 4;
        let Outcome::Done(answer) = EchoWorker.run(&job, &Leash::default()) else {
            panic!("the echo failed");
        };
        assert_eq!(answer.content, "工");
        assert_eq!(answer.warnings.len(), 1);
    }
}
