//! The report as a page: one file, no script, no network, for a screen of any width and for paper.
//!
//! Everything that comes from tasks is escaped by maud, which lets nothing else through, and
//! the page forbids scripts and every request on top. The style sheet is [`STYLE`]; what
//! the charts draw is in [`super::charts`]. Words are told in the language that is spoken; names
//! of workers, types and kinds are never taken for words.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::language::{self, told};
use super::super::trouble::Trouble;
use super::charts::{self, Bar, Mark, Unable};
use super::figures::{Figures, Spread, Times, percent, time};
use super::standing::Account;
use super::{By, Report, Row, shown, text};
use crate::base::words::Count;
use crate::task::Usd;

const STYLE: &str = include_str!("report.css");
/// Nothing is asked for, nothing is run; only the page's own style sheet is used.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Rows beyond these are left to the other formats.
const MOST_DAYS: usize = 400;
const MOST_ROWS: usize = 40;
/// Beyond so many days a bar is a week, and then a month.
const DAYS_IN_BARS: usize = 62;
const WEEKS_IN_BARS: usize = 60;
const WORKERS_IN_HOURS: usize = 8;
const KINDS_IN_CHART: usize = 8;

pub(super) fn html(report: &Report) -> Result<String, Trouble> {
    let title = format!("koubou report, {}", report.title());
    let title = told(&title);
    let made = format!("Days as in {}. Made {}.", report.timezone, report.generated_at);
    let page = html! {
        (DOCTYPE)
        html lang=(language::code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        h1 { (title) }
                        p.soft { (told(&made)) }
                    }
                    (cards(report))
                    div.charts {
                        (costs(report)?)
                        (hours(report)?)
                        (latencies(report)?)
                        (failures(report)?)
                    }
                    (budget(report))
                    @for rows in report.tables() { (figures(rows)) }
                    (explanations(report))
                }
            }
        }
    };
    Ok(page.into_string())
}

/// What matters most, at one look.
fn cards(report: &Report) -> Markup {
    let total = &report.total;
    let Figures { completed, failed, in_progress, pending, .. } = total;
    let parts = [
        (completed, "completed"),
        (failed, "failed"),
        (in_progress, "in progress"),
        (pending, "pending"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| **count > 0)
        .map(|(count, what)| told(&format!("{} {what}", grouped(*count))).into_owned())
        .collect();
    html! {
        dl.cards {
            (card("Tasks", &grouped(total.task_count), &parts.join(&told(", "))))
            (card("Success", &percent(total.success_percent), &Count(total.retries, "retry").to_string()))
            (times_card("Waiting, median", total.waiting_ms))
            (times_card("Running, median", total.running_ms))
            (card("Tokens", &grouped(total.total_tokens),
                &format!("{} sent, {} answered", grouped(total.prompt_tokens), grouped(total.completion_tokens))))
            (card("Cost", &total.total_cost_usd.to_string(), "spent in these days"))
            @if let Some(account) = report.budget.months.last().filter(|account| account.left_usd.is_some()) { (budget_card(account)) }
            @if let Some(saving) = &report.routing {
                (card("Saved by routing", &saving.saved_usd.to_string(),
                    &format!("against all work at {}", shown(Some(&saving.dearest_worker)))))
            }
        }
    }
}

fn card(name: &str, value: &str, more: &str) -> Markup {
    html! { div { dt { (told(name)) } dd { (told(value)) small { (told(more)) } } } }
}

fn times_card(name: &str, spread: Option<Spread>) -> Markup {
    match spread {
        Some(Spread { median, p90, p99 }) => {
            card(name, &time(median), &format!("p90 {}, p99 {}", time(p90), time(p99)))
        }
        None => card(name, "-", "nothing has run"),
    }
}

fn budget_card(account: &Account) -> Markup {
    let of = account
        .limit_usd
        .map_or_else(String::new, |limit| format!("of {limit} for {}", account.window));
    let left = account.left_usd.map_or_else(|| "-".to_owned(), |left| left.to_string());
    card("Budget left", &left, &text::and_projected(of, account))
}

/// A chart with its title, and a table of its figures below it.
fn chart(title: &str, svg: &str, more: &str, figures: &Markup) -> Markup {
    html! {
        section {
            h2 { (told(title)) }
            (PreEscaped(svg))
            @if !more.is_empty() { p.soft { (told(more)) } }
            details { summary { (told("Figures")) } (wide(title, figures)) }
        }
    }
}

fn without_chart(title: &str, why: &str) -> Markup {
    html! { section { h2 { (told(title)) } p { (told(why)) } } }
}

/// A table that may be wider than its place: then it is moved, and not the page.
fn wide(name: &str, table: &Markup) -> Markup {
    let label = format!("{name}, figures");
    html! { div.wide tabindex="0" role="region" aria-label=(told(&label)) { (table) } }
}

/// A name with its numbers.
type Line = (String, Vec<String>);

/// A small table: names before numbers.
fn small_table(head: &[&str], rows: &[Line]) -> Markup {
    html! {
        table {
            (head_row(head))
            tbody {
                @for (name, cells) in rows {
                    tr { th scope="row" { (name) } @for cell in cells { td { (cell) } } }
                }
            }
        }
    }
}

fn head_row(names: &[&str]) -> Markup {
    html! { thead { tr { @for name in names { th scope="col" { (told(name)) } } } } }
}

fn costs(report: &Report) -> Result<Markup, Trouble> {
    let (unit, bars) = spending(report);
    let title = format!("Cost by {unit}");
    if bars.iter().all(|(_, _, cost)| *cost == Usd::ZERO) {
        return Ok(without_chart(&title, "Nothing was spent in these days."));
    }
    let daily = report.budget.daily_limit_usd;
    let (limit, meaning) = match unit {
        "day" => (Some(daily), format!("daily limit {daily}")),
        "week" => (Some(daily.times(7)), format!("seven daily limits, {}", daily.times(7))),
        _ => (None, String::new()),
    };
    let mark = limit.map(|limit| Mark { at: limit.as_f64(), meaning: told(&meaning).into_owned() });
    let drawn: Vec<Bar> = bars
        .iter()
        .map(|(short, _, cost)| Bar { name: short.clone(), value: cost.as_f64() })
        .collect();
    let most = bars.iter().map(|(_, _, cost)| *cost).max().unwrap_or_default();
    let more = match &mark {
        Some(mark) if !charts::is_in_sight(mark.at, most.as_f64()) => {
            format!("The {meaning} is far above these bars and not drawn.")
        }
        _ => String::new(),
    };
    let label = format!(
        "Bar chart: cost by {unit}, {} in all, at most {most} in a {unit}{}{meaning}",
        report.total.total_cost_usd,
        if meaning.is_empty() { "" } else { "; " }
    );
    let svg = charts::costs(&told(&label), &told("cost"), &drawn, mark.as_ref())?;
    let rows: Vec<Line> =
        bars.into_iter().map(|(_, long, cost)| (long, vec![cost.to_string()])).collect();
    Ok(chart(&title, &svg, &more, &small_table(&[unit, "cost"], &rows)))
}

/// The unit of a bar, and every bar with its short name, its long one and its money.
fn spending(report: &Report) -> (&'static str, Vec<(String, String, Usd)>) {
    let days: Vec<_> = std::iter::successors(Some(report.from), |day| day.tomorrow().ok())
        .take_while(|day| *day <= report.to)
        .collect();
    let spent = |n: usize| report.by_day.get(n).map_or(Usd::ZERO, |row| row.figures.total_cost_usd);
    let is_one_month = report.from.first_of_month() == report.to.first_of_month();
    let mut bars: Vec<(String, String, Usd)> = Vec::new();
    let unit = match days.len() {
        0..=DAYS_IN_BARS => "day",
        _ if days.len().div_ceil(7) <= WEEKS_IN_BARS => "week",
        _ => "month",
    };
    for (n, day) in days.iter().enumerate() {
        let begins = match unit {
            "day" => true,
            "week" => n % 7 == 0,
            _ => n == 0 || day.day() == 1,
        };
        if begins {
            let short = match unit {
                "day" if is_one_month => day.strftime("%-d").to_string(),
                "month" => day.strftime("%Y-%m").to_string(),
                _ => day.strftime("%m-%d").to_string(),
            };
            let long = match unit {
                "day" => day.to_string(),
                _ => told(&format!("from {day}")).into_owned(),
            };
            bars.push((short, long, Usd::ZERO));
        }
        if let Some(bar) = bars.last_mut() {
            bar.2 += spent(n);
        }
    }
    (unit, bars)
}

fn hours(report: &Report) -> Result<Markup, Trouble> {
    const TITLE: &str = "Tasks by worker and hour";
    let mut rows: Vec<(String, [u64; 24])> = report
        .by_worker_and_hour
        .iter()
        .map(|row| {
            (
                row.worker_type
                    .as_deref()
                    .map_or_else(|| told("no worker").into_owned(), |name| shown(Some(name))),
                row.hours,
            )
        })
        .collect();
    if rows.is_empty() {
        return Ok(without_chart(TITLE, "No task was dropped in these days."));
    }
    if rows.len() > WORKERS_IN_HOURS {
        let rest = rows.split_off(WORKERS_IN_HOURS - 1);
        let mut sum = [0; 24];
        for (_, hours) in &rest {
            sum.iter_mut().zip(hours).for_each(|(sum, n)| *sum += n);
        }
        rows.push((told(&format!("{} others", rest.len())).into_owned(), sum));
    }
    let by_hour = |hour: usize| rows.iter().map(|(_, hours)| hours[hour]).sum::<u64>();
    let busiest = (0..24).max_by_key(|hour| by_hour(*hour)).unwrap_or_default();
    let label = format!(
        "Heat map: when tasks were dropped, by worker and hour of the day; most at {busiest} o'clock, {}",
        Count(by_hour(busiest), "task")
    );
    let svg = charts::hours(&told(&label), &rows)?;
    let names: Vec<String> = (0..24).map(|hour| hour.to_string()).collect();
    let head: Vec<&str> =
        std::iter::once("worker").chain(names.iter().map(String::as_str)).collect();
    let rows: Vec<Line> = rows
        .into_iter()
        .map(|(name, hours)| (name, hours.iter().map(|n| grouped(*n)).collect()))
        .collect();
    Ok(chart(TITLE, &svg, "The hour in which a task was dropped.", &small_table(&head, &rows)))
}

/// The bounds of the latency chart in milliseconds, and what is below each.
const BOUNDS: [u64; 7] = [100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 86_400_000];
const BOUND_NAMES: [&str; 8] = ["<0.1s", "<1s", "<10s", "<1m", "<10m", "<1h", "<1d", "≥1d"];

fn latencies(report: &Report) -> Result<Markup, Trouble> {
    const TITLE: &str = "Waiting and running time";
    let Times { waiting, running } = &report.times;
    if waiting.is_empty() && running.is_empty() {
        return Ok(without_chart(TITLE, "No task has run in these days."));
    }
    let (waits, runs) = (Times::histogram(waiting, &BOUNDS), Times::histogram(running, &BOUNDS));
    let median = |spread: Option<Spread>| spread.map_or_else(|| "-".to_owned(), |s| time(s.median));
    let label = format!(
        "Bar chart: how many tasks waited and ran for how long; median {} waiting, {} running",
        median(report.total.waiting_ms),
        median(report.total.running_ms)
    );
    let names = BOUND_NAMES.map(|name| told(name).into_owned());
    let (waiting, running) = (told("waiting"), told("running"));
    let svg = charts::pairs(&told(&label), &names, (&waiting, &waits), (&running, &runs))?;
    let rows: Vec<Line> = names
        .into_iter()
        .zip(waits.iter().zip(&runs))
        .map(|(name, (wait, run))| (name, vec![grouped(*wait), grouped(*run)]))
        .collect();
    let more = "Tasks by how long they took. Each bar begins where the one before it ends.";
    Ok(chart(TITLE, &svg, more, &small_table(&["time", "waiting", "running"], &rows)))
}

fn failures(report: &Report) -> Result<Markup, Trouble> {
    const TITLE: &str = "Failures by kind";
    let tasks: Vec<(String, u64)> =
        report.failures.iter().map(|row| (shown(Some(&row.error_kind)), row.tasks)).collect();
    let mut attempts: Vec<(String, u64)> = Vec::new();
    for row in &report.failed_attempts {
        let name = shown(Some(&row.outcome));
        match attempts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += row.attempts,
            None => attempts.push((name, row.attempts)),
        }
    }
    attempts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if tasks.is_empty() && attempts.is_empty() {
        return Ok(without_chart(TITLE, "Nothing failed in these days."));
    }
    let sum = |rows: &[(String, u64)]| rows.iter().map(|(_, count)| count).sum::<u64>();
    let label = format!(
        "Bar chart: {} that failed by kind, and {} that did",
        Count(sum(&tasks), "task"),
        Count(sum(&attempts), "attempt")
    );
    let some =
        |rows: &[(String, u64)]| rows.iter().take(KINDS_IN_CHART).cloned().collect::<Vec<_>>();
    let svg = charts::lying(
        &told(&label),
        (&told("failed tasks"), &some(&tasks)),
        (&told("failed attempts"), &some(&attempts)),
    )?;
    let row = |what: &str, (name, count): &(String, u64)| {
        (name.clone(), vec![what.to_owned(), grouped(*count)])
    };
    let rows: Vec<Line> = tasks
        .iter()
        .map(|kind| row(&told("tasks"), kind))
        .chain(attempts.iter().map(|kind| row(&told("attempts"), kind)))
        .collect();
    let more = "An attempt that failed is often followed by one that does not.";
    Ok(chart(TITLE, &svg, more, &small_table(&["kind", "of", "count"], &rows)))
}

fn budget(report: &Report) -> Markup {
    let accounts = report.budget.months.iter().chain(&report.budget.today);
    let usd =
        |amount: Option<Usd>| amount.map_or_else(|| "-".to_owned(), |amount| amount.to_string());
    let row = |account: &Account| {
        let Account { limit_usd, spent_usd, reserved_usd, left_usd, projected_usd, .. } = account;
        let cells = [*limit_usd, Some(*spent_usd), Some(*reserved_usd), *left_usd, *projected_usd];
        (account.window.clone(), cells.map(usd).to_vec())
    };
    let rows: Vec<Line> = accounts.map(row).collect();
    let table =
        small_table(&["Month or day", "Limit", "Spent", "Reserved", "Left", "Projected"], &rows);
    html! { section.tables { h2 { (told("Budget")) } (wide("Budget", &table)) } }
}

/// A table of figures, the days folded away where they are many. Days on which nothing was are left out.
fn figures(rows: &[Row]) -> Markup {
    let rows: Vec<&Row> = rows.iter().filter(|row| !row.is_empty()).collect();
    let Some(by) = rows.first().map(|row| row.by) else { return html! {} };
    // Of days the last ones are wanted, of all else the largest.
    let shown_rows = match by {
        By::Day => &rows[rows.len().saturating_sub(MOST_DAYS)..],
        _ => &rows[..rows.len().min(MOST_ROWS)],
    };
    let table = wide(by.title(), &figures_table(by, shown_rows));
    let left_out = (rows.len() - shown_rows.len()) as u64;
    let title = format!("By {}", by.title().to_lowercase());
    let days = Count(shown_rows.len() as u64, "day").to_string();
    let more = format!("{} more in the formats json and csv.", Count(left_out, "row"));
    html! {
        section.tables.days[by == By::Day] {
            h2 { (told(&title)) }
            @if by == By::Day && rows.len() > 31 {
                details { summary { (told(&days)) } (table) }
            } @else { (table) }
            @if left_out > 0 { p.soft { (told(&more)) } }
        }
    }
}

fn figures_table(by: By, rows: &[&Row]) -> Markup {
    html! {
        table {
            (head_row(&[
                by.title(), "Tasks", "Completed", "Failed", "Success", "Waiting p50 / p90 / p99",
                "Running p50 / p90 / p99", "Tokens", "Cost", "Retries",
            ]))
            tbody {
                @for row in rows {
                    @let figures = &row.figures;
                    tr {
                        th scope="row" { (row.shown()) }
                        td { (grouped(figures.task_count)) }
                        td { (grouped(figures.completed)) }
                        td { (grouped(figures.failed)) }
                        td { (percent(figures.success_percent)) }
                        td { (told(&text::spread(figures.waiting_ms))) }
                        td { (told(&text::spread(figures.running_ms))) }
                        td { (grouped(figures.total_tokens)) }
                        td { (figures.total_cost_usd) }
                        td { (grouped(figures.retries)) }
                    }
                }
            }
        }
    }
}

/// How it is reckoned, always.
const EXPLANATIONS: [&str; 4] = [
    "A task counts on the day on which it was dropped; tokens and money on the day on which their attempt began, with the worker that made it.",
    "Waiting is from the drop to the first attempt, running from there to the end, with retries and the pauses between them.",
    "p50 (the median), p90 and p99 are by nearest rank: times that were measured, the first that so many per cent do not exceed.",
    "A month is projected from what is over of it, once that is a day.",
];

/// How it was reckoned, for whoever asks.
fn explanations(report: &Report) -> Markup {
    let routing = format!("Routing: {}.", text::routing(report.routing.as_ref()));
    let confidential = report.routing.as_ref().map(|saving| saving.confidential_at_dearest_usd);
    let confidential = confidential.filter(|cost| *cost > Usd::ZERO).map(|cost| {
        format!(
            "{cost} of that is confidential work, which goes to local workers whatever they cost."
        )
    });
    let first = report.notes.iter().chain([&routing]).chain(&confidential).map(String::as_str);
    html! {
        section {
            h2 { (told("How this is reckoned")) }
            ul.soft { @for line in first.chain(EXPLANATIONS) { li { (told(line)) } } }
        }
    }
}

impl From<Unable> for Trouble {
    fn from(Unable(why): Unable) -> Self {
        Self::new("cannot draw a chart").because(why)
    }
}

/// `1,234,567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        let told = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(told, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn the_style_sheet_ends_no_element_and_asks_for_nothing() {
        for sign in ["</", "url(", "@import"] {
            assert!(!STYLE.contains(sign), "{sign}");
        }
        assert_eq!(BOUND_NAMES.len(), BOUNDS.len() + 1);
    }
}
