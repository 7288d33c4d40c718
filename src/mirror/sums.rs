//! What the mirror's rows come to, for whoever asks again and again: only what is new is read.

use super::MirrorError;
use super::query::Reader;

/// What a worker type was paid for, all in all. It only grows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spent {
    /// How many attempts used or cost anything.
    pub attempts: u64,
    /// The tokens of their prompts.
    pub prompt_tokens: u64,
    /// The tokens of their answers.
    pub completion_tokens: u64,
    /// What they cost, in dollars.
    pub cost: f64,
}

/// The sums, and up to which row they were taken.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    by_worker: std::collections::BTreeMap<String, Spent>,
    /// The first row and the last that were added: a mirror that was made anew has others.
    first: Option<i64>,
    last: i64,
}

impl Sums {
    /// Adds what came since.
    ///
    /// # Errors
    /// What SQLite says; the sums stand as they were.
    pub fn follow(&mut self, reader: &Reader) -> Result<(), MirrorError> {
        let first: Option<i64> = reader
            .rows("SELECT MIN(tracking_id) FROM cost_tracking", (), |row| row.get(0))?
            .pop()
            .flatten();
        if first != self.first {
            *self = Self { first, ..Self::default() };
        }
        let sql = "SELECT worker_type, COUNT(*), SUM(prompt_tokens), SUM(completion_tokens),
                SUM(cost_usd), MAX(tracking_id)
            FROM cost_tracking WHERE tracking_id > ?1 GROUP BY worker_type";
        let new = reader.rows(sql, [self.last], |row| {
            let spent = Spent {
                attempts: row.get::<_, i64>(1)?.unsigned_abs(),
                prompt_tokens: row.get::<_, i64>(2)?.unsigned_abs(),
                completion_tokens: row.get::<_, i64>(3)?.unsigned_abs(),
                cost: row.get(4)?,
            };
            Ok((row.get::<_, String>(0)?, spent, row.get::<_, i64>(5)?))
        })?;
        for (worker, spent, last) in new {
            let sum = self.by_worker.entry(worker).or_default();
            sum.attempts += spent.attempts;
            sum.prompt_tokens += spent.prompt_tokens;
            sum.completion_tokens += spent.completion_tokens;
            sum.cost += spent.cost;
            self.last = self.last.max(last);
        }
        Ok(())
    }

    /// What each worker type was paid for.
    pub fn by_worker(&self) -> impl Iterator<Item = (&str, &Spent)> {
        self.by_worker.iter().map(|(worker, spent)| (worker.as_str(), spent))
    }
}

/// The tasks that wait, taken together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many, by their type, the most first.
    pub by_type: Vec<(String, u64)>,
    /// How many, by the worker that would get them.
    pub by_worker: Vec<(String, u64)>,
    /// When the oldest was dropped, in seconds since 1970.
    pub oldest: Option<i64>,
}

impl Reader {
    /// The tasks that wait.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn waiting(&self) -> Result<Waiting, MirrorError> {
        let by = |column: &str| {
            let sql = format!(
                "SELECT COALESCE({column}, '-'), COUNT(*) FROM task_master
                 WHERE status = 'pending' GROUP BY 1 ORDER BY 2 DESC, 1"
            );
            self.rows(&sql, (), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))
        };
        let oldest = "SELECT CAST(strftime('%s', MIN(created_at)) AS INTEGER) FROM task_master
                      WHERE status = 'pending'";
        Ok(Waiting {
            by_type: by("task_type")?,
            by_worker: by("assigned_worker_type")?,
            oldest: self.rows(oldest, (), |row| row.get(0))?.pop().flatten(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::rebuild::rebuild;
    use super::super::rebuild::tests::{cost, task};
    use super::*;
    use crate::task::Folder;

    #[test]
    fn sums_follow_what_comes_and_begin_anew_with_the_mirror() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("koubou.db");
        let mut sums = Sums::default();
        let attempts = |sums: &Sums| sums.by_worker().map(|(_, spent)| spent.attempts).sum::<u64>();
        for (costs, wanted) in [(2, 2), (3, 3), (3, 3)] {
            let facts = (0..costs).map(|n| cost("a", &n.to_string()));
            rebuild(&path, facts.chain([task("p", Folder::Pending)])).unwrap();
            for _ in 0..2 {
                sums.follow(&Reader::open(&path).unwrap()).unwrap();
                assert_eq!(attempts(&sums), wanted);
            }
        }
        let waiting = Reader::open(&path).unwrap().waiting().unwrap();
        assert_eq!(waiting.by_type, [("general".to_owned(), 1)]);
        assert_eq!(waiting.by_worker, [("local".to_owned(), 1)]);
        assert_eq!(waiting.oldest, Some(1_795_395_723));
    }
}
