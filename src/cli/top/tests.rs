//! The screen as a whole, drawn without a terminal, and what keys make of it.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::draw;
use super::model::{Deed, Mode, Model, Pane, Wish};
use super::page::tests::story;
use super::paint::{Paint, width};
use super::seen::{Daemon, Doing, EventRow, Money, Rate, Seen, TaskRow, Want, WorkerRow};
use crate::base::clock::Timestamp;
use crate::cli::language::tests::in_japanese;
use crate::cli::workers::WorkerState;
use crate::route::budget::Standing;
use crate::task::{Folder, TaskId, Usd, WorkerType};

fn at(time: &str) -> Timestamp {
    format!("2026-11-26T{time}Z").parse().unwrap()
}

fn now() -> Timestamp {
    at("12:00:00")
}

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn cents(n: u64) -> Usd {
    Usd::dollars(n).divided_by(100)
}

fn task(name: &str, folder: Folder, worker: &str, says: &str) -> TaskRow {
    let worker = Some(worker.to_owned()).filter(|worker| !worker.is_empty());
    TaskRow { id: id(name), folder, worker, since: None, says: says.into() }
}

fn worker(name: &str, state: &str, limits: (Option<u32>, Option<u32>)) -> WorkerRow {
    WorkerRow {
        name: WorkerType::new(name),
        state: WorkerState {
            worker_type: name.into(),
            state: state.into(),
            reason: None,
            until: None,
            since: None,
            paused: false,
            batches: None,
            hands: 4,
            busy: 0,
            max_rpm: limits.0,
            max_tpm: limits.1,
            model: "m".into(),
            endpoint: "-".into(),
            local: false,
            tasks: Vec::new(),
        },
        rate: Rate::default(),
        cost_today: Usd::ZERO,
        doing: Vec::new(),
    }
}

fn event(time: &str, name: &str, words: &str, is_bad: bool) -> EventRow {
    EventRow { at: at(time), task: Some(id(name)), words: words.into(), is_bad }
}

/// A shop in the middle of its day.
fn seen() -> Seen {
    let mut local = worker("local", "busy", (None, None));
    local.state.hands = 1;
    local.doing.push(Doing {
        hand: "local-1".into(),
        task: id("議事録-要約"),
        since: at("11:59:18"),
    });
    let mut cloud = worker("gpt5_high", "rate_limited", (Some(10), Some(30_000)));
    cloud.state.until = Some("2026-11-26 12:00:20".into());
    cloud.state.reason = Some("its server wants to be left alone".into());
    cloud.rate.count(at("11:59:30"), 10, 28_400);
    cloud.cost_today = cents(31);
    let mut echo = worker("echo", "idle", (None, None));
    echo.state.paused = true;
    Seen {
        home: "/srv/koubou".into(),
        daemon: Some(Daemon { pid: 4711, since: Some(at("09:54:55")) }),
        money: Some(Money {
            day: Standing { limit: Usd::dollars(10), spent: cents(31), reserved: cents(2) },
            month: Standing {
                limit: Usd::dollars(100),
                spent: Usd::dollars(85),
                reserved: Usd::ZERO,
            },
            year_month: "2026-11".into(),
            alert_percent: 80,
        }),
        counts: [3, 1, 120, 2],
        tasks: vec![
            task("invoice-17", Folder::Pending, "gpt5_high", "a free hand of worker `gpt5_high`"),
            task("請求書-18", Folder::Pending, "local", "a free hand of worker `local`"),
            task("new", Folder::Pending, "", "to be looked at"),
        ],
        workers: vec![local, cloud, echo],
        news: vec![
            event("11:58:01", "a", "completed   a", false),
            event("11:59:02", "bad", "failed      bad  command_failed: exit code 3", true),
            event("11:59:18", "議事録-要約", "begun       議事録-要約  by local-1", false),
        ],
        has_mirror: true,
        ..Seen::default()
    }
}

fn model() -> Model {
    let mut model = Model::of_size(80, 24);
    assert_eq!(model.see(seen()), []);
    model
}

fn drawn_with(model: &Model, columns: u16, rows: u16, paint: Paint) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw::draw(frame, model, now(), paint)).unwrap();
    terminal.backend().clone()
}

/// The lines of the screen, without the marks that the backend adds behind wide letters.
fn drawn(model: &Model, columns: u16, rows: u16) -> String {
    let screen = drawn_with(model, columns, rows, Paint { has_colours: false }).to_string();
    let line = |line: &str| {
        let line = line.split("\" Hidden by").next().unwrap_or_default();
        line.trim_matches('"').trim_end().to_owned()
    };
    screen.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn press(model: &mut Model, code: KeyCode) -> Vec<Wish> {
    model.press(KeyEvent::new(code, KeyModifiers::NONE))
}

fn typed(model: &mut Model, text: &str) -> Vec<Wish> {
    text.chars().flat_map(|c| press(model, KeyCode::Char(c))).collect()
}

#[test]
fn a_small_window_has_all_of_it() {
    insta::assert_snapshot!(drawn(&model(), 80, 24));
}

#[test]
fn a_large_window_has_more_of_it() {
    insta::assert_snapshot!(drawn(&model(), 200, 50));
}

#[test]
fn a_small_window_has_all_of_it_in_japanese() {
    insta::assert_snapshot!(in_japanese(|| drawn(&model(), 80, 24)));
}

#[test]
fn the_keys_are_told_in_japanese_a_line_each() {
    let screen = |keys: &str| {
        let mut model = model();
        model.see(Seen { tasks: Vec::new(), ..seen() });
        typed(&mut model, keys);
        drawn(&model, 80, 24)
    };
    let english = screen("?");
    let help = in_japanese(|| screen("?"));
    assert_eq!(help.lines().count(), english.lines().count(), "no line is longer than its room");
    let is_key = |line: &&str| line.contains("     ") || line.starts_with("Ctrl");
    for line in help.lines().filter(is_key) {
        let keys = line.split("  ").next().unwrap();
        let told = line[keys.len()..].trim_start();
        assert_eq!(width(&line[..line.len() - told.len()]), 19, "{line}");
    }
    let asked = in_japanese(|| screen("x"));
    assert!(asked.contains("タスクを選んでいません"), "{asked}");
    assert!(in_japanese(|| screen("/工")).contains("探す ID: 工_"));
}

#[test]
fn what_is_asked_has_room_for_a_long_id_in_every_language() {
    let mut model = model();
    let long = "x".repeat(200);
    model.see(Seen { tasks: vec![task(&long, Folder::Pending, "", "")], ..seen() });
    typed(&mut model, "x");
    for screen in [drawn(&model, 80, 24), in_japanese(|| drawn(&model, 80, 24))] {
        let last = screen.lines().last().unwrap();
        assert!(last.contains("…`") && last.contains("y: "), "{screen}");
        assert!(last.ends_with("no") || last.ends_with("いいえ"), "{screen}");
    }
}

#[test]
fn a_home_without_daemon_money_or_mirror_says_so() {
    let mut model = model();
    model.see(Seen {
        daemon: None,
        paused: true,
        money: None,
        troubles: vec!["states and reasons may be old: cannot read\u{1b}[2J".into()],
        has_mirror: false,
        ..seen()
    });
    let screen = drawn(&model, 80, 24);
    for part in [
        "NO DAEMON: `koubou start`",
        "PAUSED: P lets it go on",
        "money: not known",
        "! states and reasons may be old: cannot read\\u{1b}[2J",
    ] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
}

#[test]
fn a_window_that_is_too_small_says_so_and_none_crashes() {
    let mut model = model();
    assert!(drawn(&model, 39, 24).contains("the window is too small"));
    assert!(drawn(&model, 80, 11).contains("40 columns and 12 rows are needed"));
    for mode in 0..5 {
        match mode {
            1 => drop(press(&mut model, KeyCode::Char('?'))),
            2 => {
                press(&mut model, KeyCode::Esc);
                model.open(story("public", "工房 says\nmuch"));
            }
            3 => drop(typed(&mut model, "q/工")),
            4 => {
                press(&mut model, KeyCode::Esc);
                typed(&mut model, "x");
            }
            _ => {}
        }
        for (columns, rows) in (1..90).step_by(7).flat_map(|c| (1..30).map(move |r| (c, r))) {
            model.resize(columns, rows);
            drawn(&model, columns, rows);
        }
    }
}

#[test]
fn nothing_that_others_wrote_moves_the_cursor() {
    let mut model = model();
    let hostile = "x\u{1b}[31m\u{9b}2J\r\u{202e}\u{7}";
    let mut seen = seen();
    seen.home = hostile.into();
    seen.tasks[0].says = hostile.into();
    seen.tasks[0].worker = Some(hostile.into());
    seen.workers[0].name = WorkerType::new(hostile);
    seen.workers[0].state.state = hostile.into();
    seen.workers[0].state.reason = Some(hostile.into());
    seen.workers[0].doing[0].hand = hostile.into();
    seen.news[0].words = hostile.into();
    model.see(seen);
    model.message = Some(hostile.into());
    let mut screens = vec![drawn_with(&model, 200, 50, Paint { has_colours: true })];
    model.open(story("public", hostile));
    screens.push(drawn_with(&model, 200, 50, Paint { has_colours: true }));
    for cell in screens.iter().flat_map(|screen| screen.buffer().content()) {
        let is_tame = |c: char| !c.is_control() && c != '\u{202e}';
        assert!(cell.symbol().chars().all(is_tame), "{:?}", cell.symbol());
    }
    for screen in screens {
        assert!(screen.to_string().contains("x\\u{1b}[31m\\u{9b}2J\\r\\u{202e}\\u{7}"));
    }
}

#[test]
fn without_colours_the_words_are_the_same() {
    let model = model();
    let plain = drawn_with(&model, 80, 24, Paint { has_colours: false });
    let coloured = drawn_with(&model, 80, 24, Paint { has_colours: true });
    assert_eq!(plain.to_string(), coloured.to_string());
    let colours =
        |screen: &TestBackend| screen.buffer().content().iter().any(|cell| cell.fg != Color::Reset);
    assert!(colours(&coloured) && !colours(&plain));
}

#[test]
fn columns_line_up_whatever_the_script() {
    let screen = drawn(&model(), 80, 24);
    let column_of = |id: &str, word: &str| {
        let line = screen.lines().find(|line| line.contains(id)).unwrap();
        width(&line[..line.rfind(word).unwrap()])
    };
    assert_eq!(column_of("invoice-17", "a free hand"), column_of("請求書-18", "a free hand"));
}

#[test]
fn what_is_selected_stays_selected_while_rows_come_and_go() {
    let mut model = model();
    press(&mut model, KeyCode::Down);
    assert_eq!(press(&mut model, KeyCode::Enter), [Wish::Open(id("請求書-18"))]);
    let mut more = seen();
    more.tasks.insert(0, task("urgent", Folder::Pending, "", ""));
    model.see(more);
    assert_eq!(press(&mut model, KeyCode::Enter), [Wish::Open(id("請求書-18"))]);
    let mut fewer = seen();
    fewer.tasks.remove(1);
    model.see(fewer);
    let next = press(&mut model, KeyCode::Enter);
    assert_eq!(next, [Wish::Open(id("new"))], "what lies in its place follows");
    model.see(Seen { tasks: Vec::new(), ..seen() });
    assert_eq!(press(&mut model, KeyCode::Enter), []);
    assert!(model.message.as_ref().unwrap().contains("no task is selected"));
}

#[test]
fn a_pause_is_of_the_selected_worker_or_of_all() {
    let mut model = model();
    let local = WorkerType::new("local");
    assert_eq!(typed(&mut model, "p"), [Wish::Do(Deed::Pause(None))]);
    press(&mut model, KeyCode::Tab);
    assert_eq!(typed(&mut model, "p"), [Wish::Do(Deed::Pause(Some(local.clone())))]);
    assert_eq!(typed(&mut model, "jp"), [Wish::Do(Deed::Pause(Some(local)))], "its hand's row");
    let echo = Some(WorkerType::new("echo"));
    assert_eq!(typed(&mut model, "Gp"), [Wish::Do(Deed::Resume(echo))]);
    press(&mut model, KeyCode::Up);
    press(&mut model, KeyCode::Enter);
    let screen = drawn(&model, 80, 24);
    for part in ["10 rpm, 30000 tpm", "its server wants to be left alone"] {
        assert!(screen.replace('\n', " ").contains(part), "{screen}");
    }
    model.see(Seen { paused: true, ..seen() });
    assert_eq!(typed(&mut model, "P"), [Wish::Do(Deed::Resume(None))]);
}

#[test]
fn a_cancel_asks_first() {
    let mut model = model();
    press(&mut model, KeyCode::Tab);
    assert_eq!(typed(&mut model, "jx"), []);
    assert!(
        drawn(&model, 80, 24).contains("cancel `議事録-要約`? y: yes"),
        "{}",
        drawn(&model, 80, 24)
    );
    assert_eq!(typed(&mut model, "n"), []);
    assert_eq!(typed(&mut model, "xq"), [], "any other key is no, and does nothing else");
    assert_eq!(typed(&mut model, "xy"), [Wish::Do(Deed::Cancel(id("議事録-要約")))]);
}

#[test]
fn events_are_followed_until_one_is_selected() {
    let mut model = model();
    press(&mut model, KeyCode::BackTab);
    assert_eq!((model.pane, model.picked(Pane::Events)), (Pane::Events, 2));
    assert_eq!(typed(&mut model, "kr"), [Wish::Do(Deed::Retry(id("bad")))]);
    model.see(seen());
    assert_eq!(model.picked(Pane::Events), 1);
    typed(&mut model, "G");
    model.see(seen());
    assert_eq!(model.picked(Pane::Events), 8);
    for _ in 0..500 {
        model.see(seen());
    }
    assert_eq!(model.events.len(), 1_000, "and old ones are forgotten");
}

#[test]
fn other_folders_and_parts_of_ids_can_be_looked_for() {
    let mut model = model();
    let of = |folder| Wish::See(Want { folder, filter: None });
    assert_eq!(press(&mut model, KeyCode::Left), [of(Folder::Failed)]);
    assert!(model.tasks().is_empty(), "what is shown is never another folder's");
    assert_eq!(press(&mut model, KeyCode::Right), [of(Folder::Pending)]);
    assert_eq!(typed(&mut model, "/bax"), []);
    press(&mut model, KeyCode::Backspace);
    let want = Want { folder: Folder::Pending, filter: Some("ba".into()) };
    assert_eq!(press(&mut model, KeyCode::Enter), [Wish::See(want.clone())]);
    assert_eq!(model.events_shown().count(), 1);
    model.see(Seen {
        tasks: vec![task("bad", Folder::Failed, "w", "2026-11-26 11:59:02  command_failed")],
        want,
        ..seen()
    });
    let screen = drawn(&model, 80, 24);
    assert!(screen.contains("like \"ba\"") && screen.contains("failed      w"), "{screen}");
    assert_eq!(press(&mut model, KeyCode::Esc), [of(Folder::Pending)]);
}

#[test]
fn a_page_comes_up_to_date_until_its_task_has_ended() {
    let mut model = model();
    model.open(story("confidential", "the answer"));
    assert!(!drawn(&model, 80, 24).contains("the answer"));
    typed(&mut model, "c");
    assert!(drawn(&model, 80, 24).contains("the answer"));
    assert_eq!(model.see(seen()), [], "it has ended");
    typed(&mut model, "q");
    assert!(matches!(model.mode, Mode::Browse));
    let mut open = story("public", "");
    open.folder = Folder::Pending;
    model.open(open);
    assert_eq!(model.see(seen()), [Wish::Open(id("x"))]);
    typed(&mut model, "?");
    model.mode = Mode::Help;
    model.open(story("public", "late"));
    assert!(matches!(model.mode, Mode::Help), "who has gone on does not want it any more");
}

#[test]
fn the_screen_is_drawn_by_the_clock_only_while_there_is_one() {
    let mut model = model();
    assert_eq!(model.next_tick(now()), 1);
    let mut idle = seen();
    idle.workers[0].doing.clear();
    model.see(idle.clone());
    assert_eq!(model.next_tick(now()), 30, "when the oldest request leaves the minute");
    idle.workers[1].rate = Rate::default();
    model.see(idle);
    assert_eq!(model.next_tick(now()), 60);
    model.see(Seen { daemon: None, ..seen() });
    assert_eq!(model.next_tick(now()), 60);
}

#[test]
fn control_keys_work_wherever_one_is() {
    let mut model = model();
    let control = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
    for opener in ["", "?", "/", "x"] {
        typed(&mut model, opener);
        assert_eq!(model.press(control('z')), [Wish::Suspend]);
        assert_eq!(model.press(control('l')), [Wish::Repaint]);
        assert_eq!(model.press(control('c')), [Wish::Quit]);
        press(&mut model, KeyCode::Esc);
    }
    assert_eq!(typed(&mut model, "q"), [Wish::Quit]);
}
