//! One call at a time: how much later its result lies there than the bare call would have ended.
//!
//! A call begins for koubou with its claim, seen in `in_progress`, and ends when the
//! claim is gone, which comes after the result is durable.

use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{RecursiveMode, Watcher};
use serde_json::json;

use crate::Figure;
use crate::daemon::Home;
use crate::model_server::ModelServer;

const CALLS: usize = 300;
/// The first ones open connections and files.
const WARM_UP: usize = 20;
const MOST: Duration = Duration::from_millis(3);
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn measure() -> Vec<Figure> {
    let server = ModelServer::start();
    let mut home = Home::of(&server, &json!({}));
    let (tell, claims) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if let Some(begins) = event.ok().and_then(|event| begins(&event.kind)) {
            let _ = tell.send((begins, Instant::now()));
        }
    })
    .unwrap();
    watcher.watch(&home.folder("in_progress"), RecursiveMode::NonRecursive).unwrap();
    home.start();
    let through: Vec<Duration> = (0..CALLS).map(|n| through_koubou(&home, n, &claims)).collect();
    let sent = server.requests().into_iter().next().expect("koubou has asked").body.to_string();
    let bare = bare(&server, &sent);
    let (through, bare) = (median(through), median(bare));
    let added = through.saturating_sub(bare);
    println!(
        "one call: {through:?} from claim to durable result, {bare:?} bare; {}",
        disk(home.path())
    );
    vec![Figure {
        what: "added to one call, at the median".into(),
        wanted: format!("< {} ms", MOST.as_millis()),
        found: format!("{:.2} ms", added.as_secs_f64() * 1e3),
        is_reached: added < MOST,
    }]
}

/// Whether a claim begins or ends, where the event is about one.
fn begins(kind: &EventKind) -> Option<bool> {
    match kind {
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(true),
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Some(false),
        _ => None,
    }
}

fn through_koubou(home: &Home, n: usize, claims: &Receiver<(bool, Instant)>) -> Duration {
    home.drop_task(&format!("t{n}"));
    let mut begun = None;
    loop {
        match claims.recv_timeout(PATIENCE).expect("a call comes to its end") {
            (true, at) => begun = Some(at),
            (false, at) => return begun.map_or(Duration::ZERO, |begun| at - begun),
        }
    }
}

/// The same bytes, sent by themselves over one kept connection.
fn bare(server: &ModelServer, body: &str) -> Vec<Duration> {
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("{}/chat/completions", server.endpoint());
    let call = || {
        let begun = Instant::now();
        let mut response = agent.post(&url).content_type("application/json").send(body).unwrap();
        response.body_mut().read_to_vec().unwrap();
        begun.elapsed()
    };
    (0..CALLS).map(|_| call()).collect()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.drain(..WARM_UP);
    times.sort_unstable();
    times[times.len() / 2]
}

/// What one sync of a file and one of its folder take here: most of what is added is theirs.
fn disk(dir: &Path) -> String {
    let sync = |n: usize| {
        let begun = Instant::now();
        let file = std::fs::File::create(dir.join(format!("sync-{n}"))).unwrap();
        file.sync_all().unwrap();
        std::fs::File::open(dir).unwrap().sync_all().unwrap();
        begun.elapsed()
    };
    format!("a file and its folder are synced in {:?}", median((0..CALLS).map(sync).collect()))
}
