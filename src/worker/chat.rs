//! chat
use super::*;
use crate::config::ChatSpec;
/// chat
pub struct ChatWorker;
impl ChatWorker {
    /// chat
    pub fn new(_: &WorkerSpec, _: ChatSpec) -> Self {
        Self
    }
}
impl Worker for ChatWorker {
    fn run(&mut self, _: &Job, _: &Leash) -> Outcome {
        todo!()
    }
}
