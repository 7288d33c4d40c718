//! Files results, many in one go, in the one order that no crash can spoil.
//!
//! All of a result is written aside and synced, then renamed into its folder, the
//! folder is synced, and only then is the claim dropped. Until the rename the
//! task is in progress; after it the result stands, and a claim beside it is a
//! leftover that the next start removes.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::{Claim, Spool};
use crate::base::bug::has_bug;
use crate::base::files::{self, At, FileError};
use crate::task::{Folder, TaskId};

/// A result to be filed.
#[derive(Debug)]
pub struct Filing {
    /// The claim that it ends.
    pub claim: Claim,
    /// `completed` or `failed`.
    pub folder: Folder,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its file's mode.
    pub mode: u32,
    /// Whether it takes the place of an older result of the same task.
    pub replaces: bool,
    /// Whether the claimed thing is no task, to be kept beside the result.
    pub rejected: bool,
}

/// What became of a filing: the id that it has, or the claim with the reason why not.
pub type Filed = Result<(TaskId, Folder), (Box<Filing>, FileError)>;

/// So many results are written one after the other; of more, several at a time.
const FEW: usize = 32;
/// By so many threads at most.
const WRITERS: usize = 4;

/// Files a batch. Results share the syncs of their folders; each answers for itself.
pub fn file(batch: Vec<Filing>) -> Vec<Filed> {
    let (moved, mut done) = place_all(batch);
    let folders: BTreeSet<PathBuf> =
        moved.iter().map(|filing| dir(filing, filing.folder)).collect();
    let synced: Result<(), FileError> = folders.iter().try_for_each(|dir| files::sync_dir(dir));
    for filing in moved {
        done.push(match &synced {
            Ok(()) => finish(filing),
            Err(error) => {
                // It stands, and may not survive a power cut: it is written anew, over itself.
                let why = io::Error::from(error.kind());
                let again = Filing { replaces: true, ..filing };
                Err((Box::new(again), FileError::new(error.doing, &error.path, why)))
            }
        });
    }
    done
}

/// Those that are in place, and what became of the others.
type Placed = (Vec<Filing>, Vec<Filed>);

/// Puts results in place; many by several threads, for each waits for the disk by itself.
fn place_all(mut batch: Vec<Filing>) -> Placed {
    if batch.len() <= FEW {
        return place(batch);
    }
    let share = batch.len().div_ceil(WRITERS);
    let mut shares = Vec::new();
    while !batch.is_empty() {
        shares.push(batch.split_off(batch.len().saturating_sub(share)));
    }
    let (shares, placed) = (Mutex::new(shares), Mutex::new(Placed::default()));
    let work = || {
        // The guard must be gone before the work begins.
        let next = || shares.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some(share) = next() {
            let (moved, done) = place(share);
            let mut placed = placed.lock().unwrap_or_else(PoisonError::into_inner);
            placed.0.extend(moved);
            placed.1.extend(done);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..WRITERS {
            // Where no thread can be had, whoever asks for it does its share.
            let _ = std::thread::Builder::new().name("filer".into()).spawn_scoped(scope, work);
        }
        work();
    });
    placed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn place(batch: Vec<Filing>) -> Placed {
    let mut done = Vec::new();
    let mut halves = Vec::with_capacity(batch.len());
    for filing in batch {
        match write_aside(&filing) {
            Ok(half) => halves.push((filing, half)),
            Err(error) => done.push(Err((Box::new(filing), error))),
        }
    }
    let mut moved = Vec::with_capacity(halves.len());
    for (filing, half) in halves {
        if has_bug("claim-dropped-first") && !filing.rejected {
            let _ = fs::remove_file(filing.claim.path());
        }
        match put_in_place(&filing, half) {
            Ok(()) => moved.push(filing),
            Err(error) => done.push(Err((Box::new(filing), error))),
        }
    }
    (moved, done)
}

/// A result's bytes in `tmp`, written and not yet synced.
struct Half {
    file: File,
    path: PathBuf,
}

fn write_aside(filing: &Filing) -> Result<Half, FileError> {
    let target = target(filing);
    let tmp = filing.claim.spool().home().tmp();
    let path = tmp.join(files::half_made(&target));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(filing.mode).custom_flags(libc::O_NOFOLLOW);
    // The folder is named and not the file: one trouble is told once, however many results it keeps.
    let mut file = options.open(&path).at("write results in", &tmp)?;
    let written = file
        .set_permissions(fs::Permissions::from_mode(filing.mode))
        .and_then(|()| file.write_all(&filing.bytes))
        .at("write results in", &tmp);
    match written {
        Ok(()) => Ok(Half { file, path }),
        Err(error) => {
            let _ = fs::remove_file(&path);
            Err(error)
        }
    }
}

fn put_in_place(filing: &Filing, half: Half) -> Result<(), FileError> {
    let target = target(filing);
    let synced = if has_bug("result-not-synced") { Ok(()) } else { half.file.sync_all() };
    let folder = dir(filing, filing.folder);
    let of_folder = |error: FileError| match error.kind() {
        io::ErrorKind::AlreadyExists => error,
        _ => FileError::new("file results in", &folder, error.source),
    };
    let placed = synced.at("sync", &half.path).and_then(|()| {
        // A result that stands already, from a try whose last step failed, is this
        // very result or an older one of the same task; the claim is proof of it.
        match filing.replaces {
            true => files::rename_over(&half.path, &target),
            false => files::rename_new(&half.path, &target),
        }
    });
    let placed = placed.map_err(of_folder);
    if placed.is_err() {
        let _ = fs::remove_file(&half.path);
    }
    placed
}

/// After the result is durable: what it replaces goes, and then the claim.
fn finish(filing: Filing) -> Filed {
    let (id, folder) = (filing.claim.id().clone(), filing.folder);
    match drop_claim(&filing) {
        Ok(()) => Ok((id, folder)),
        // The result stands; filing it again must not stumble over it.
        Err(error) => Err((Box::new(Filing { replaces: true, ..filing }), error)),
    }
}

fn drop_claim(filing: &Filing) -> Result<(), FileError> {
    let spool = filing.claim.spool();
    if filing.replaces {
        let other =
            if filing.folder == Folder::Completed { Folder::Failed } else { Folder::Completed };
        files::remove(&spool.file(other, filing.claim.id()))?;
    }
    match filing.rejected {
        true => keep_rejected(spool, filing.claim.id()),
        false => match files::remove(&filing.claim.path()) {
            // Somebody put a folder where the claim was: it is not ours to take to pieces.
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                keep_rejected(spool, filing.claim.id())
            }
            other => other,
        },
    }
}

/// Keeps a claimed drop that is no task as it is: a link as a link, a folder as a folder.
///
/// # Errors
/// What the file system says.
pub fn keep_rejected(spool: &Spool, id: &TaskId) -> Result<(), FileError> {
    let claimed = &spool.file(Folder::InProgress, id);
    // It may hold what only its writer should read. What we cannot change stays as it was, and
    // a link has no mode of its own: to set one would reach through it.
    // A file with a second name may be anybody's: its mode is not ours to change either.
    if let Ok(meta) = fs::symlink_metadata(claimed)
        && !meta.is_symlink()
        && (meta.is_dir() || meta.nlink() == 1)
    {
        let mode = if meta.is_dir() { 0o700 } else { 0o600 };
        let _ = fs::set_permissions(claimed, fs::Permissions::from_mode(mode));
    }
    // What lies there already, a person's copy say, is as precious as what comes.
    let (mut name, mut n) = (id.clone(), 1);
    while let Err(error) = files::rename_new(claimed, &spool.rejected(&name)) {
        match error.kind() {
            io::ErrorKind::AlreadyExists => {
                n += 1;
                name = id.numbered(n);
            }
            io::ErrorKind::NotFound => break,
            _ => return Err(error),
        }
    }
    files::sync_dir(&spool.home().folder(Folder::Failed))
}

fn target(filing: &Filing) -> PathBuf {
    filing.claim.spool().file(filing.folder, filing.claim.id())
}

fn dir(filing: &Filing, folder: Folder) -> PathBuf {
    filing.claim.spool().home().folder(folder)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{id, spool};
    use super::*;
    use std::ffi::OsStr;
    use std::path::Path;
    use std::sync::Arc;

    fn claimed(spool: &Arc<Spool>, name: &str) -> Claim {
        let file = format!("{name}.json");
        fs::write(spool.pending(OsStr::new(&file)), "task").unwrap();
        spool.claim(OsStr::new(&file), &id(name)).unwrap().unwrap()
    }

    fn filing(claim: Claim, folder: Folder) -> Filing {
        Filing {
            claim,
            folder,
            bytes: b"result".to_vec(),
            mode: 0o600,
            replaces: false,
            rejected: false,
        }
    }

    #[test]
    fn of_many_each_answers_for_itself() {
        let (_dir, spool) = spool();
        let spool = Arc::new(spool);
        let names: Vec<String> = (0..3 * FEW).map(|n| format!("t{n}")).collect();
        for taken in ["t1", "t50"] {
            fs::write(spool.file(Folder::Completed, &id(taken)), "somebody's").unwrap();
        }
        let batch = names.iter().map(|name| filing(claimed(&spool, name), Folder::Completed));
        let (filed, kept): (Vec<Filed>, Vec<Filed>) =
            file(batch.collect()).into_iter().partition(Result::is_ok);
        assert_eq!((filed.len(), kept.len()), (names.len() - 2, 2));
        assert_eq!(spool.ids(Folder::Completed).unwrap().len(), names.len());
        assert_eq!(spool.ids(Folder::InProgress).unwrap().len(), 2);
        assert_eq!(super::super::list(&spool.home().tmp()).unwrap().len(), 0);
    }

    #[test]
    fn a_batch_is_filed_and_its_claims_are_gone() {
        let (_dir, spool) = spool();
        let spool = Arc::new(spool);
        let batch = ["a", "b", "c"].map(|name| filing(claimed(&spool, name), Folder::Completed));
        let filed = file(batch.into());
        assert!(filed.iter().all(Result::is_ok));
        assert_eq!(spool.ids(Folder::Completed).unwrap().len(), 3);
        assert!(spool.ids(Folder::InProgress).unwrap().is_empty());
        assert_eq!(super::super::list(&spool.home().tmp()).unwrap().len(), 0);
        let mode =
            fs::metadata(spool.file(Folder::Completed, &id("a"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_result_is_never_replaced_unless_it_is_the_tasks_own() {
        let (_dir, spool) = spool();
        let spool = Arc::new(spool);
        let older = spool.file(Folder::Failed, &id("x"));
        fs::write(&older, "older").unwrap();
        let refused = file(vec![filing(claimed(&spool, "x"), Folder::Failed)]);
        let Err((again, error)) = refused.into_iter().next().unwrap() else {
            panic!("it was replaced")
        };
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&older).unwrap(), b"older");
        let again = Filing { folder: Folder::Completed, replaces: true, ..*again };
        assert!(file(vec![again])[0].is_ok());
        assert!(!older.exists(), "the task is in exactly one folder");
    }

    #[test]
    fn a_rejected_file_is_closed_to_others_unless_it_has_a_second_name() {
        let (dir, spool) = spool();
        let spool = Arc::new(spool);
        let victim = dir.path().join("victim");
        fs::write(&victim, "no task").unwrap();
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o644)).unwrap();
        fs::hard_link(&victim, spool.pending(OsStr::new("h.json"))).unwrap();
        for name in ["h", "own"] {
            if name == "own" {
                fs::write(spool.pending(OsStr::new("own.json")), "no task").unwrap();
            }
            let file_name = format!("{name}.json");
            let claim = spool.claim(OsStr::new(&file_name), &id(name)).unwrap().unwrap();
            let rejected = Filing { rejected: true, ..filing(claim, Folder::Failed) };
            assert!(file(vec![rejected])[0].is_ok());
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&victim), 0o644);
        assert_eq!(mode(&spool.rejected(&id("own"))), 0o600);
    }

    #[test]
    fn what_is_no_task_is_kept_as_it_is() {
        let (_dir, spool) = spool();
        let spool = Arc::new(spool);
        std::os::unix::fs::symlink("/etc/passwd", spool.pending(OsStr::new("l.json"))).unwrap();
        let claim = spool.claim(OsStr::new("l.json"), &id("l")).unwrap().unwrap();
        let rejected = Filing { rejected: true, ..filing(claim, Folder::Failed) };
        assert!(file(vec![rejected])[0].is_ok());
        assert_eq!(fs::read_link(spool.rejected(&id("l"))).unwrap(), Path::new("/etc/passwd"));
    }
}
