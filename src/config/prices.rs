//! What models cost: rows with a date, shipped and from the config.
//!
//! A row holds from its day on, until a later row of the same model. The rows of
//! the config go before the shipped ones. Models and prices are data: nothing
//! in the program knows a model by name.

use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::complaint::Complaints;
use super::section::{Section, as_money};
use super::tree::{Node, Tree};
use crate::route::price::{Factor, LongContext, Price, ServiceTiers};
use crate::task::Usd;

/// What a model costs from a day on, in dollars for a million tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PriceRow {
    /// The model, without an effort behind it.
    pub(super) model: String,
    /// The first day on which it is known to hold.
    pub(super) effective_from: Date,
    /// What it costs.
    pub(super) price: Price,
    /// Where it was read.
    pub(super) source: String,
}

/// A model, the day from which it holds, the prices of input, cached input, cache writes and output, the terms on which they change, and where all that was read.
type Shipped = (&'static str, &'static str, [&'static str; 4], Terms, &'static str);

/// What the service tiers and a long prompt make of a price.
type Terms = (ServiceTiers, Option<LongContext>);

/// Half for who can wait, and so much for who cannot.
const fn tiers(priority: u32) -> ServiceTiers {
    let half = Factor::thousandths(500);
    ServiceTiers { flex: half, batch: half, priority: Factor::thousandths(priority) }
}

const GPT_5: Terms = (tiers(2_000), None);
const GPT_5_MINI: Terms = (tiers(1_800), None);
/// Their priority price was not found anywhere: that of the older models stands in for it, since
/// an unknown price is never taken for the ordinary one.
const SINCE_5_6: Terms = (
    tiers(2_000),
    Some(LongContext {
        above: 272_000,
        input: Factor::thousandths(2_000),
        output: Factor::thousandths(1_500),
    }),
);

const PAGES: &str = "the provider's price pages and client price maps, 2026-11-23";

/// The day on which the shipped rows were gathered.
pub(super) const GATHERED: Date = date(2026, 11, 23);

/// The shipped rows; a model's day is that of its first known price.
const SHIPPED: &[Shipped] = &[
    ("gpt-5", "2025-08-07", ["1.25", "0.125", "1.25", "10"], GPT_5, PAGES),
    ("gpt-5-mini", "2025-08-07", ["0.25", "0.025", "0.25", "2"], GPT_5_MINI, PAGES),
    ("gpt-5-nano", "2025-08-07", ["0.05", "0.005", "0.05", "0.40"], GPT_5, PAGES),
    (
        "gpt-5.6-sol",
        "2026-07-01",
        ["5", "0.50", "6.25", "30"],
        SINCE_5_6,
        "list price of July 2026",
    ),
    ("gpt-5.6-sol", "2026-10-01", ["4", "0.40", "5", "20"], SINCE_5_6, "litellm 1.106.2"),
    ("gpt-5.6-terra", "2026-10-01", ["2", "0.20", "2.50", "12"], SINCE_5_6, "litellm 1.106.2"),
    ("gpt-5.6-luna", "2026-10-01", ["0.20", "0.02", "0.25", "1.20"], SINCE_5_6, "litellm 1.106.2"),
    ("gpt-6-sol", "2026-11-23", ["2", "0.20", "2.50", "10"], SINCE_5_6, PAGES),
    ("gpt-6-luna", "2026-11-23", ["0.10", "0.01", "0.125", "0.50"], SINCE_5_6, PAGES),
    ("gpt-6.1-sol", "2026-11-23", ["2", "0.10", "2.50", "10"], SINCE_5_6, PAGES),
    ("gpt-6.1-terra", "2026-11-23", ["1", "0.05", "1.25", "5"], SINCE_5_6, "PromptFuel 1.0.24"),
];

/// The efforts that a model's configured name may end in.
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// All rows that are known.
#[derive(Clone, Debug)]
pub(super) struct PriceList {
    own: Vec<PriceRow>,
    shipped: Vec<PriceRow>,
    today: Date,
}

impl PriceList {
    /// The shipped rows, with the config's own before them.
    pub(super) fn new(own: Vec<PriceRow>, now: Timestamp) -> Self {
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        Self { own, shipped: shipped(), today }
    }

    /// The price of a model today. A dated snapshot (`gpt-5-2025-08-07`) costs what its model costs.
    pub(super) fn price(&self, model: &str) -> Option<Price> {
        let undated = without_date(model);
        [&self.own, &self.shipped]
            .into_iter()
            .flat_map(|rows| [(rows, model), (rows, undated)])
            .find_map(|(rows, name)| self.row(rows, name))
            .map(|row| row.price)
    }

    /// Whether a model's price is a shipped one.
    pub(super) fn is_shipped(&self, model: &str) -> bool {
        let own = [model, without_date(model)];
        self.price(model).is_some() && !self.own.iter().any(|row| own.contains(&row.model.as_str()))
    }

    /// The latest row that has begun, or else the earliest: better an early price than none.
    fn row<'a>(&self, rows: &'a [PriceRow], model: &str) -> Option<&'a PriceRow> {
        let of_model = || rows.iter().filter(|row| row.model == model);
        of_model()
            .filter(|row| row.effective_from <= self.today)
            .max_by_key(|row| row.effective_from)
            .or_else(|| of_model().min_by_key(|row| row.effective_from))
    }

    /// `gpt-5-high` is `gpt-5` with high effort, unless the config prices it under its whole name.
    pub(super) fn split_effort(&self, name: &str) -> (String, Option<String>) {
        let whole = (name.to_owned(), None);
        let Some((model, effort)) = name.rsplit_once('-') else { return whole };
        let priced_whole = self.own.iter().any(|row| row.model == name);
        if priced_whole || !EFFORTS.contains(&effort) {
            return whole;
        }
        match model.starts_with("gpt-") || self.price(model).is_some() {
            true => (model.to_owned(), Some(effort.to_owned())),
            false => whole,
        }
    }
}

fn shipped() -> Vec<PriceRow> {
    let usd = |text: &str| text.parse::<Usd>().ok();
    let row = |&(model, day, [input, cached, write, output], terms, source): &Shipped| {
        let (service_tiers, long_context) = terms;
        Some(PriceRow {
            model: model.to_owned(),
            effective_from: day.parse().ok()?,
            price: Price {
                input: usd(input)?,
                cached_input: usd(cached)?,
                cache_write: usd(write)?,
                output: usd(output)?,
                long_context,
                service_tiers,
            },
            source: source.to_owned(),
        })
    };
    SHIPPED.iter().filter_map(row).collect()
}

fn without_date(model: &str) -> &str {
    let at = model.len().wrapping_sub("-2025-08-07".len());
    match (model.get(..at), model.get(at..)) {
        (Some(base), Some(tail)) if tail.starts_with('-') && tail[1..].parse::<Date>().is_ok() => {
            base
        }
        _ => model,
    }
}

const ROW_KEYS: &[&str] = &[
    "model",
    "effective_from",
    "input",
    "cached_input",
    "cache_write",
    "output",
    "long_context",
    "service_tiers",
    "source",
];

/// What a worker's own price may say.
const PRICE_KEYS: &[&str] =
    &["input", "cached_input", "cache_write", "output", "long_context", "service_tiers"];

/// Reads the list `prices`.
pub(super) fn read(top: &Section<'_>, complaints: &Complaints) -> Vec<PriceRow> {
    let rows = top.list("prices").unwrap_or_default();
    rows.iter().filter_map(|node| read_row(node, complaints)).collect()
}

fn read_row(node: &Node, complaints: &Complaints) -> Option<PriceRow> {
    let row = Section::open(node, "a row of `prices`", ROW_KEYS, complaints)?;
    let model = row.word("model");
    if !row.has("model") {
        row.error("model", "a row of `prices` needs the name of its `model`");
    }
    let effective_from = match row.word("effective_from") {
        None => Some(Date::MIN),
        Some(day) => day.parse().ok().or_else(|| {
            row.error("effective_from", "`effective_from` must be a day such as `2026-11-23`");
            None
        }),
    };
    let price = read_parts(&row, 1);
    let source = row.text("source").unwrap_or_else(|| "agent.yaml".into());
    Some(PriceRow { model: model?, effective_from: effective_from?, price: price?, source })
}

/// Reads a worker's `price_per_1k` or `price_per_1m`; `None` where it has neither, or a wrong one.
pub(super) fn of_worker(worker: &Section<'_>) -> Option<Price> {
    let (key, times) = match (worker.get("price_per_1k"), worker.get("price_per_1m")) {
        (None, None) => return None,
        (Some(_), None) => ("price_per_1k", 1_000),
        (None, Some(_)) => ("price_per_1m", 1),
        (Some(_), Some(_)) => {
            let message = "give `price_per_1k` or `price_per_1m`, not both";
            worker.error("price_per_1m", message);
            return None;
        }
    };
    let node = worker.get(key)?;
    match node.value {
        Tree::Map(_) => read_parts(&worker.section(key, PRICE_KEYS)?, times),
        // One price for every token, as the original scripts had it.
        _ => match as_money(node) {
            Some(flat) => Some(Price::flat(flat.times(times))),
            None => {
                let message = format!(
                    "`{key}` must be an amount of dollars or `{{input, output}}`, and is {}",
                    node.described()
                );
                worker.error(key, message);
                None
            }
        },
    }
}

/// The parts of a price; a cached token costs what a new one costs where nothing else is said.
fn read_parts(parts: &Section<'_>, times: u64) -> Option<Price> {
    for key in ["input", "output"] {
        if !parts.has(key) {
            parts.error(key, format!("a price needs `{key}`"));
        }
    }
    let input = parts.money("input")?.times(times);
    let or_input = |key: &str| match parts.has(key) {
        true => Some(parts.money(key)?.times(times)),
        false => Some(input),
    };
    Some(Price {
        input,
        cached_input: or_input("cached_input")?,
        cache_write: or_input("cache_write")?,
        output: parts.money("output")?.times(times),
        long_context: read_long_context(parts)?,
        service_tiers: read_service_tiers(parts)?,
    })
}

/// What a long prompt makes of a price; the outer `None` is a wrong one.
fn read_long_context(parts: &Section<'_>) -> Option<Option<LongContext>> {
    if !parts.has("long_context") {
        return Some(None);
    }
    let long = parts.section("long_context", &["above", "input", "output"])?;
    for key in ["above", "input", "output"] {
        if !long.has(key) {
            long.error(key, format!("`long_context` needs `{key}`"));
        }
    }
    let above = long.integer("above", 1, 1_000_000_000);
    let (input, output) = (read_factor(&long, "input"), read_factor(&long, "output"));
    Some(Some(LongContext { above: above?, input: input?, output: output? }))
}

/// What the service tiers make of a price: half for a batch and else nothing, where it does not say.
fn read_service_tiers(parts: &Section<'_>) -> Option<ServiceTiers> {
    if !parts.has("service_tiers") {
        return Some(ServiceTiers::USUAL);
    }
    let tiers = parts.section("service_tiers", &["flex", "batch", "priority"])?;
    let usual = ServiceTiers::USUAL;
    let or = |key: &str, usual: Factor| match tiers.has(key) {
        true => read_factor(&tiers, key),
        false => Some(usual),
    };
    let (flex, batch) = (or("flex", usual.flex), or("batch", usual.batch));
    let priority = or("priority", usual.priority);
    Some(ServiceTiers { flex: flex?, batch: batch?, priority: priority? })
}

fn read_factor(section: &Section<'_>, key: &str) -> Option<Factor> {
    let node = section.get(key)?;
    let factor = match &node.value {
        Tree::Whole(n) => Factor::read(&n.to_string()),
        Tree::Real(n) => Factor::read(&n.to_string()),
        _ => None,
    };
    if factor.is_none() {
        let message = format!(
            "`{key}` must be a factor such as `0.5` or `2`, from 0.001 to 1000, and is {}",
            node.described()
        );
        section.error(key, message);
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::outcome::{ServiceTier, Usage};

    fn list() -> PriceList {
        PriceList::new(Vec::new(), "2026-11-23T00:00:00Z".parse().unwrap())
    }

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[test]
    fn every_shipped_row_can_be_read() {
        assert_eq!(shipped().len(), SHIPPED.len());
    }

    #[test]
    fn the_row_of_the_day_holds() {
        let mut list = list();
        assert_eq!(list.price("gpt-5.6-sol").unwrap().output, usd("20"));
        list.today = "2026-08-01".parse().unwrap();
        assert_eq!(list.price("gpt-5.6-sol").unwrap().output, usd("30"));
        list.today = "2020-01-01".parse().unwrap();
        assert_eq!(list.price("gpt-5.6-sol").unwrap().output, usd("30"), "better than none");
        assert_eq!(list.price("unheard-of"), None);
    }

    #[test]
    fn shipped_tiers_cost_what_was_read_of_them() {
        let cost = |model: &str, tier: &str| {
            let service_tier = ServiceTier::named(tier);
            let usage = Usage { prompt_tokens: 200_000, service_tier, ..Usage::default() };
            list().price(model).unwrap().cost(&usage)
        };
        for (model, flex, plain, priority) in [
            ("gpt-5", "0.125", "0.25", "0.5"),
            ("gpt-5-mini", "0.025", "0.05", "0.09"),
            ("gpt-6.1-sol", "0.2", "0.4", "0.8"),
        ] {
            let table =
                [("flex", flex), ("batch", flex), ("default", plain), ("priority", priority)];
            for (tier, amount) in table {
                assert_eq!(cost(model, tier), usd(amount), "{model} {tier}");
            }
        }
    }

    #[test]
    fn since_5_6_a_cache_write_and_a_long_prompt_cost_more() {
        for (model, .., terms, _) in SHIPPED {
            let price = list().price(model).unwrap();
            let is_new = *terms == SINCE_5_6;
            assert_eq!(price.long_context.is_some(), is_new, "{model}");
            let write = if is_new { Factor::thousandths(1_250) } else { Factor::ONE };
            assert_eq!(price.cache_write, write.of(price.input), "{model}");
        }
        let usage = Usage { prompt_tokens: 300_000, completion_tokens: 1_000, ..Usage::default() };
        assert_eq!(list().price("gpt-6.1-sol").unwrap().cost(&usage), usd("1.215"));
    }

    #[test]
    fn a_snapshot_costs_what_its_model_costs() {
        assert_eq!(list().price("gpt-5-2025-08-07"), list().price("gpt-5"));
        assert_eq!(list().price("-2025-08-07"), None);
        assert_eq!(list().price("é"), None);
    }

    #[test]
    fn an_effort_stands_behind_the_model() {
        let split = |name: &str| list().split_effort(name);
        assert_eq!(split("gpt-5-high"), ("gpt-5".into(), Some("high".into())));
        assert_eq!(split("gpt-6.1-sol-xhigh"), ("gpt-6.1-sol".into(), Some("xhigh".into())));
        assert_eq!(split("gpt-5-mini"), ("gpt-5-mini".into(), None));
        assert_eq!(split("llama-high"), ("llama-high".into(), None));
        assert_eq!(split("gpt-oss-20b"), ("gpt-oss-20b".into(), None));
    }
}
