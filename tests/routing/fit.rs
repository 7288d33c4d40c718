//! Fits the weights of words to labelled tasks: `KOUBOU_FIT=FILE`, a task a line as
//! `{"label": "confidential" or "public", "task": {…}}`; the table is printed.
//!
//! A task that stands there several times counts as often. The order of the tasks is
//! shuffled from a fixed seed: the same file gives the same table.

use std::collections::HashMap;

use koubou::route::sensitivity::matter::{BIAS, signs, whole};
use koubou::task::prompt::Prompt;
use koubou::task::wire;
use serde_json::Value;

use super::pieces::Chance;

/// In how many tasks a sign must stand to be weighed.
const LEAST: usize = 4;
/// How many signs are kept: those of the greatest weight.
const KEPT: usize = 6000;
const ROUNDS: usize = 30;
/// How much of a long task is learnt from, in bytes.
const PART: usize = 4 << 10;

struct Row {
    confidential: bool,
    signs: Vec<usize>,
}

/// Prints the table that fits a file.
pub(crate) fn print(file: &str) {
    let Ok(text) = std::fs::read_to_string(file) else { panic!("cannot read {file}") };
    let told: Vec<(bool, Vec<String>)> = text.lines().filter_map(row).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for sign in told.iter().flat_map(|(_, signs)| signs) {
        *counts.entry(sign).or_default() += 1;
    }
    let mut names: Vec<&str> =
        counts.into_iter().filter(|(_, count)| *count >= LEAST).map(|(sign, _)| sign).collect();
    names.sort_unstable();
    let first = fit(&rows(&told, &names), names.len());
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|a, b| first.0[*b].abs().total_cmp(&first.0[*a].abs()));
    let mut kept: Vec<&str> = order.into_iter().take(KEPT).map(|n| names[n]).collect();
    kept.sort_unstable();
    // Once more with those alone, which now bear what the others bore.
    let (weights, bias) = fit(&rows(&told, &kept), kept.len());
    println!("{BIAS}\t{:.0}", bias * 100.0);
    for (sign, weight) in kept.iter().zip(weights) {
        println!("{sign}\t{:.0}", weight * 100.0);
    }
}

/// A task's label and the signs in it, each once.
fn row(line: &str) -> Option<(bool, Vec<String>)> {
    let row: Value = serde_json::from_str(line).ok()?;
    let confidential = row["label"] == "confidential";
    let task = wire::read("x", row["task"].to_string().as_bytes()).ok()?;
    let mut text = whole(&Prompt::assemble(&task, &[], None));
    text.truncate((0..=PART.min(text.len())).rev().find(|at| text.is_char_boundary(*at))?);
    let mut all = Vec::new();
    signs(&text, &mut |sign| all.push(sign.to_owned()));
    all.sort_unstable();
    all.dedup();
    Some((confidential, all))
}

fn rows(told: &[(bool, Vec<String>)], names: &[&str]) -> Vec<Row> {
    let number = |sign: &String| names.binary_search(&sign.as_str()).ok();
    told.iter()
        .map(|(confidential, signs)| Row {
            confidential: *confidential,
            signs: signs.iter().filter_map(number).collect(),
        })
        .collect()
}

/// Logistic regression, a row at a time, with a step for each sign that shrinks as it is used.
fn fit(rows: &[Row], count: usize) -> (Vec<f64>, f64) {
    let (mut weights, mut steps, mut bias) = (vec![0.0; count], vec![1.0; count], 0.0);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut chance = Chance::new(1);
    for _ in 0..ROUNDS {
        for n in (1..order.len()).rev() {
            order.swap(n, chance.below(n + 1));
        }
        for row in order.iter().map(|n| &rows[*n]).filter(|row| !row.signs.is_empty()) {
            let root = (row.signs.len() as f64).sqrt();
            let sum: f64 = row.signs.iter().map(|sign| weights[*sign]).sum();
            let said = 1.0 / (1.0 + (-(sum / root + bias)).exp());
            let off = said - f64::from(u8::from(row.confidential));
            for sign in &row.signs {
                let slope = off / root + 1e-3 * weights[*sign];
                steps[*sign] += slope * slope;
                weights[*sign] -= 0.5 * slope / f64::sqrt(steps[*sign]);
            }
            bias -= 0.02 * off;
        }
    }
    (weights, bias)
}
