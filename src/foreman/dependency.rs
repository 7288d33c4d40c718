//! Tasks that wait for others: freed when those complete, failed when those fail.

use super::*;

impl Foreman {
    pub(super) fn looked(
        &mut self,
        id: &TaskId,
        folder: Option<Folder>,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        // A task that is being tried again has an older result; the new one counts.
        if self.tasks.contains_key(id) {
            return;
        }
        match folder {
            Some(Folder::Completed) => self.satisfy_dependents(id, now, orders),
            Some(Folder::Failed) => self.fail_dependents(id, "failed", now, orders),
            _ => {}
        }
        // Whoever put a result there by hand has not said that it may leave the house.
        let level = Sensitivity::Confidential;
        match folder {
            Some(Folder::Pending | Folder::InProgress) => {}
            Some(folder) => {
                self.child_ended(id, id, folder == Folder::Completed, level, now, orders);
            }
            None => self.unseen_child_left(id, now, orders),
        }
    }

    pub(super) fn satisfy_dependents(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        for waiting in self.dependents.remove(id).unwrap_or_default() {
            let Some(State::Blocked(missing)) =
                self.tasks.get_mut(&waiting).map(|entry| &mut entry.state)
            else {
                continue;
            };
            missing.remove(id);
            if missing.is_empty() {
                self.has_its_answers(&waiting, now, orders);
            }
        }
    }

    /// All that a task depends on is completed. One that is to be filled with their answers is
    /// judged anew with those in it, before anybody may have it.
    fn has_its_answers(&mut self, id: &TaskId, now: Now, orders: &mut Vec<Order>) {
        match self.tasks.get_mut(id) {
            Some(entry) if entry.summary.lacks_answers && entry.was_judged_anew => {
                let why = "an answer that is to be filled in cannot be read: what stands in \
                           `completed` is no result; mend it, or have that task run again";
                let is_news = entry.told.replace(why.to_owned()).as_deref() != Some(why);
                if is_news {
                    orders.push(say(log::Level::Warn, Some(id), why));
                }
                self.set_state(id, State::Stuck(why.to_owned()), orders);
            }
            Some(entry) if entry.summary.lacks_answers => {
                orders.push(Order::Afresh(entry.file.clone()));
            }
            _ => self.await_time(id, now, orders),
        }
    }

    pub(super) fn fail_dependents(
        &mut self,
        id: &TaskId,
        what: &str,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        for waiting in self.dependents.remove(id).unwrap_or_default() {
            let mend = if what == "failed" { "mend that one" } else { "drop it again" };
            let text = format!(
                "`{id}`, which this task depends on, {what}; {mend}, then `koubou retry {waiting}`"
            );
            self.refuse(&waiting, error(ErrorKind::DependencyFailed, text), now, orders);
        }
    }
}
