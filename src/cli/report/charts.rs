//! The charts of the HTML report, as SVG that takes its colours from the page.
//!
//! They are drawn with plotters, in three small crates without a font or a bitmap:
//! it is what most of the ecosystem draws with, its SVG is plain shapes and escaped text,
//! and it leaves every stroke to whoever draws. charming needs a script in the page;
//! kuva and charts-rs lay out whole figures in colours of their own, and bring more along.
//!
//! plotters knows no style sheet. So each chart is drawn in colours that stand for a
//! part, nearly black and never seen, and what was drawn is then given the page's
//! variables instead: light and dark are one drawing. A text cannot forge that, for
//! no raw quotation mark of it comes through.
//!
//! A chart speaks to the eye alone. Its label says what it is, and the page has a table of its figures.

use std::fmt::Display;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, Color, DrawingArea, IntoDrawingArea, IntoFont,
    PathElement, RGBColor, Rectangle, SVGBackend, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::table::width as columns;
use crate::base::words::tame;

/// Drawn so wide and scaled to the page, with letters that can still be read on a phone.
const WIDTH: u32 = 880;
const HEIGHT: u32 = 460;
/// plotters' size of a letter; in the drawing it comes to four fifths of it.
const LETTER: i32 = 36;

/// A colour that stands for a part of a chart, and the page's variable for it.
const PARTS: [(RGBColor, &str); 6] = [
    (INK, "var(--ink)"),
    (GRID, "var(--grid)"),
    (FIRST, "var(--first)"),
    (SECOND, "var(--second)"),
    (LIMIT, "var(--limit)"),
    (BAD, "var(--bad)"),
];
const INK: RGBColor = RGBColor(1, 0, 1);
const GRID: RGBColor = RGBColor(2, 0, 1);
const FIRST: RGBColor = RGBColor(3, 0, 1);
const SECOND: RGBColor = RGBColor(4, 0, 1);
const LIMIT: RGBColor = RGBColor(5, 0, 1);
const BAD: RGBColor = RGBColor(6, 0, 1);

type Paper<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = Result<(), Unable>;

/// plotters could not draw; into memory that does not happen.
pub(super) struct Unable(pub(super) String);

impl<E: Display> From<E> for Unable {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// A bar with the name below it.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: f64,
}

/// A line across the bars, with what it means.
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) meaning: String,
}

/// Upright bars of dollars, with a limit across them. A limit that is far above them is left
/// out: it would press them flat.
pub(super) fn costs(
    label: &str,
    what: &str,
    bars: &[Bar],
    limit: Option<&Mark>,
) -> Result<String, Unable> {
    let most = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    let limit = limit.filter(|limit| is_in_sight(limit.at, most));
    let top = limit.map_or(most, |limit| most.max(limit.at)).max(f64::MIN_POSITIVE) * 1.12;
    draw(label, HEIGHT, |paper| {
        if let Some(limit) = limit {
            legend(paper, &[(what, FIRST), (&limit.meaning, LIMIT)])?;
        }
        let mut chart = ChartBuilder::on(paper)
            .margin_top(if limit.is_some() { 58 } else { 14 })
            .margin_right(14)
            .x_label_area_size(52)
            .y_label_area_size(150)
            .build_cartesian_2d(0.0..bars.len() as f64, 0.0..top)?;
        grid(&mut chart, &|value| dollars(*value, top))?;
        for (n, bar) in bars.iter().enumerate().filter(|(_, bar)| bar.value > 0.0) {
            upright(&mut chart, n as f64 + 0.14, n as f64 + 0.86, bar.value, FIRST)?;
        }
        names_below(paper, &chart, bars.iter().map(|bar| bar.name.as_str()))?;
        if let Some(limit) = limit {
            let line = vec![(0.0, limit.at), (bars.len() as f64, limit.at)];
            chart.draw_series([PathElement::new(line, LIMIT.stroke_width(4))])?;
        }
        Ok(())
    })
}

/// Whether a limit can be shown beside values of this size.
pub(super) fn is_in_sight(limit: f64, most: f64) -> bool {
    limit <= most * 4.0
}

/// For each name a row of squares, one an hour, the darker the more.
pub(super) fn hours(label: &str, rows: &[(String, [u64; 24])]) -> Result<String, Unable> {
    const ROW: u32 = 62;
    const LEFT: i32 = 270;
    let most = rows.iter().flat_map(|(_, hours)| hours).copied().max().unwrap_or(0).max(1);
    let cell = (WIDTH.cast_signed() - LEFT - 10) / 24;
    let height = ROW * rows.len() as u32 + 60;
    draw(label, height, |paper| {
        for (n, (name, hours)) in rows.iter().enumerate() {
            let top = (ROW as usize * n) as i32 + 8;
            let middle = top + ROW.cast_signed() / 2 - 4;
            let anchor = Pos::new(HPos::Right, VPos::Center);
            write(paper, &short(name, LEFT - 24), (LEFT - 16, middle), INK, anchor)?;
            for (hour, count) in hours.iter().enumerate() {
                let left = LEFT + cell * hour as i32;
                let square = [(left + 1, top), (left + cell - 1, top + ROW.cast_signed() - 8)];
                // Even one of very many is seen.
                let share = 0.15 + 0.85 * *count as f64 / most as f64;
                let style = if *count > 0 { FIRST.mix(share) } else { GRID.mix(0.45) };
                paper.draw(&Rectangle::new(square, style.filled()))?;
            }
        }
        for hour in [0, 6, 12, 18, 23] {
            let at = (LEFT + cell * hour + cell / 2, height.cast_signed() - 46);
            write(paper, &hour.to_string(), at, INK, Pos::new(HPos::Center, VPos::Top))?;
        }
        Ok(())
    })
}

/// Pairs of upright bars, the names of the pairs below them and what each of a pair is above.
pub(super) fn pairs(
    label: &str,
    names: &[String],
    first: (&str, &[u64]),
    second: (&str, &[u64]),
) -> Result<String, Unable> {
    let most = first.1.iter().chain(second.1).copied().max().unwrap_or(0).max(1) as f64;
    draw(label, HEIGHT, |paper| {
        legend(paper, &[(first.0, FIRST), (second.0, SECOND)])?;
        let mut chart = ChartBuilder::on(paper)
            .margin_top(58)
            .margin_right(14)
            .x_label_area_size(52)
            .y_label_area_size(112)
            .build_cartesian_2d(0.0..names.len() as f64, 0.0..most * 1.08)?;
        grid(&mut chart, &|value| whole(*value))?;
        for (n, (one, two)) in first.1.iter().zip(second.1).enumerate() {
            let n = n as f64;
            upright(&mut chart, n + 0.1, n + 0.49, *one as f64, FIRST)?;
            upright(&mut chart, n + 0.51, n + 0.9, *two as f64, SECOND)?;
        }
        names_below(paper, &chart, names.iter().map(String::as_str))
    })
}

/// Lying bars with their names before and their counts behind them, in two sorts.
pub(super) fn lying(
    label: &str,
    first: (&str, &[(String, u64)]),
    second: (&str, &[(String, u64)]),
) -> Result<String, Unable> {
    const ROW: i32 = 46;
    const TOP: i32 = 58;
    const LEFT: i32 = 350;
    const ROOM: i32 = WIDTH.cast_signed() - LEFT - 110;
    let all = || {
        let colour = |rows: &'_ [(String, u64)], colour| -> Vec<(String, u64, RGBColor)> {
            rows.iter().map(|(name, count)| (name.clone(), *count, colour)).collect()
        };
        colour(first.1, BAD).into_iter().chain(colour(second.1, SECOND))
    };
    let most = all().map(|(_, count, _)| count).max().unwrap_or(0).max(1);
    let height = TOP.unsigned_abs() + ROW.unsigned_abs() * all().count() as u32 + 8;
    draw(label, height, |paper| {
        legend(paper, &[(first.0, BAD), (second.0, SECOND)])?;
        for (n, (name, count, colour)) in all().enumerate() {
            let top = TOP + ROW * n as i32;
            let middle = top + ROW / 2;
            let before = Pos::new(HPos::Right, VPos::Center);
            write(paper, &short(&name, LEFT - 22), (LEFT - 14, middle), INK, before)?;
            let long = (f64::from(ROOM) * count as f64 / most as f64).ceil() as i32;
            let bar = [(LEFT, top + 6), (LEFT + long, top + ROW - 6)];
            paper.draw(&Rectangle::new(bar, colour.filled()))?;
            let behind = Pos::new(HPos::Left, VPos::Center);
            write(paper, &count.to_string(), (LEFT + long + 10, middle), INK, behind)?;
        }
        Ok(())
    })
}

/// Draws on fresh paper, and makes of it what the page shows.
fn draw(
    label: &str,
    height: u32,
    paint: impl FnOnce(&Paper<'_>) -> Drawn,
) -> Result<String, Unable> {
    let mut svg = String::new();
    let paper = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    paint(&paper)?;
    paper.present()?;
    drop(paper);
    Ok(in_the_page(&svg, label, height))
}

/// Its shapes in a frame of our own, in the page's colours and letters.
fn in_the_page(svg: &str, label: &str, height: u32) -> String {
    let shapes = svg.split_once(">\n").map_or("", |(_, rest)| rest);
    // What is the same everywhere is said once, by the page or by the frame.
    let size = f64::from(LETTER) / 1.24;
    let said = [
        " opacity=\"1\"",
        " stroke=\"none\"",
        " font-family=\"sans-serif\"",
        &format!(" font-size=\"{size}\""),
    ];
    let mut shapes = said.iter().fold(shapes.to_owned(), |all, said| all.replace(said, ""));
    for (colour, variable) in PARTS {
        let RGBColor(red, green, blue) = colour;
        let stands_for = format!("\"#{red:02X}{green:02X}{blue:02X}\"");
        shapes = shapes.replace(&stands_for, &format!("\"{variable}\""));
    }
    let label = maud::html! { (label) }.into_string();
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" font-size=\"{size:.0}\" role=\"img\" aria-label=\"{label}\">\n{shapes}"
    )
}

/// Lines across for the numbers at the left, and nothing for what is below.
fn grid(chart: &mut Chart<'_, '_>, number: &dyn Fn(&f64) -> String) -> Drawn {
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(5)
        .light_line_style(GRID.mix(0.0))
        .bold_line_style(GRID.stroke_width(2))
        .axis_style(GRID.stroke_width(2))
        .label_style(letters(INK))
        .y_label_formatter(number)
        .draw()?;
    Ok(())
}

fn upright(
    chart: &mut Chart<'_, '_>,
    left: f64,
    right: f64,
    value: f64,
    colour: RGBColor,
) -> Drawn {
    chart.draw_series([Rectangle::new([(left, 0.0), (right, value)], colour.filled())])?;
    Ok(())
}

/// As many of the names as there is room for, each below the middle of its bar.
fn names_below<'a>(
    paper: &Paper<'_>,
    chart: &Chart<'_, '_>,
    names: impl ExactSizeIterator<Item = &'a str> + Clone,
) -> Drawn {
    let longest = names.clone().map(long).max().unwrap_or(1);
    let (room, _) = chart.plotting_area().dim_in_pixel();
    let fit = (room as usize / (longest + 8)).max(1);
    let every = names.len().div_ceil(fit).max(1);
    for (n, name) in names.enumerate().filter(|(n, _)| n % every == 0) {
        let (x, y) = chart.backend_coord(&(n as f64 + 0.5, 0.0));
        write(paper, name, (x, y + 12), INK, Pos::new(HPos::Center, VPos::Top))?;
    }
    Ok(())
}

fn legend(paper: &Paper<'_>, meanings: &[(&str, RGBColor)]) -> Drawn {
    let mut left = 16;
    for (meaning, colour) in meanings {
        paper.draw(&Rectangle::new([(left, 12), (left + 26, 38)], colour.filled()))?;
        write(paper, meaning, (left + 38, 26), INK, Pos::new(HPos::Left, VPos::Center))?;
        left += 38 + long(meaning) as i32 * 17 / 15 + 30;
    }
    Ok(())
}

/// How long a few words are in the usual letters, about: wide ones count for less than two narrow ones.
fn long(text: &str) -> usize {
    let signs = text.chars().count();
    let wide = columns(text) - signs;
    (signs - wide) * 15 + wide * 26
}

fn write(paper: &Paper<'_>, text: &str, at: (i32, i32), colour: RGBColor, anchor: Pos) -> Drawn {
    paper.draw(&Text::new(text.to_owned(), at, letters(colour).pos(anchor)))?;
    Ok(())
}

fn letters(colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", LETTER).into_font().color(&colour)
}

/// A name that fits into so much room, with `…` where something was cut. Nobody knows here in
/// which letters a page is shown; they are taken to be wide ones.
fn short(name: &str, room: i32) -> String {
    let width = |c: char| match c {
        'i' | 'j' | 'l' | 'f' | 't' | 'r' | 'I' | ' ' | '.' | ',' | ':' | ';' | '|' | '!'
        | '\'' => 12,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 30,
        'A'..='Z' | '<' | '>' | '=' | '+' | '~' => 25,
        '\u{1100}'.. => 31,
        _ => 19,
    };
    let name = tame(name);
    let mut left = room;
    let mut fits = name.char_indices().take_while(|(_, c)| {
        left -= width(*c);
        left >= 0
    });
    match fits.by_ref().map(|(at, c)| at + c.len_utf8()).last() {
        Some(end) if end == name.len() => name,
        Some(end) => {
            let mut kept = name[..end].to_owned();
            kept.pop();
            kept.push('…');
            kept
        }
        None if name.is_empty() => name,
        None => "…".to_owned(),
    }
}

/// Dollars with as many places as the numbers up to `top` need.
fn dollars(value: f64, top: f64) -> String {
    let places = match top {
        20.0.. => 0,
        0.2.. => 2,
        _ => (1.0 - top.log10()).ceil().clamp(2.0, 12.0) as usize,
    };
    format!("${value:.places$}")
}

/// A number of things; between two of them there is none.
fn whole(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(values: &[f64]) -> Vec<Bar> {
        values
            .iter()
            .enumerate()
            .map(|(n, value)| Bar { name: n.to_string(), value: *value })
            .collect()
    }

    fn drawn(svg: Result<String, Unable>) -> String {
        svg.unwrap_or_else(|Unable(why)| panic!("{why}"))
    }

    #[test]
    fn a_chart_has_a_label_and_the_pages_colours_alone() {
        let limit = Mark { at: 2.0, meaning: "limit".into() };
        let svg = drawn(costs("a \"chart\" <b>", "cost", &bars(&[1.0, 0.0, 3.0]), Some(&limit)));
        assert!(svg.starts_with("<svg viewBox=\"0 0 880 460\" font-size=\"29\" role=\"img\" aria-label=\"a &quot;chart&quot; &lt;b&gt;\">"), "{svg}");
        assert!(svg.trim_end().ends_with("</svg>"));
        assert!(!svg.contains("\"#"), "a colour of its own: {svg}");
        assert!(svg.contains("var(--first)") && svg.contains("var(--limit)"));
    }

    #[test]
    fn a_limit_that_would_press_the_bars_flat_is_left_out() {
        let limit = Mark { at: 100.0, meaning: "far".into() };
        assert!(!drawn(costs("c", "cost", &bars(&[1.0]), Some(&limit))).contains("far"));
        assert!(is_in_sight(4.0, 1.0) && !is_in_sight(4.1, 1.0));
    }

    #[test]
    fn a_hostile_name_stays_a_name() {
        let name = "\"#010001\"</text><script>alert(1)</script>\n".to_owned();
        for svg in [
            drawn(hours(&name, &[(name.clone(), [1; 24])])),
            drawn(lying("l", ("a", &[(name.clone(), 1)]), ("b", &[]))),
        ] {
            assert!(!svg.contains("<script") && !svg.contains("</text><"), "{svg}");
        }
    }

    #[test]
    fn a_name_is_cut_to_its_room() {
        assert_eq!(short("local", 200), "local");
        assert_eq!(short("WWWWWWWW", 100), "WW…");
        assert_eq!(short("工房工房", 70), "工…");
        assert_eq!((short("abc", 5), short("", 5)), ("…".to_owned(), String::new()));
    }

    #[test]
    fn nothing_can_be_drawn_too() {
        drawn(costs("c", "cost", &[], None));
        drawn(pairs("p", &["a".to_owned()], ("x", &[0]), ("y", &[0])));
        drawn(hours("h", &[]));
        drawn(lying("l", ("a", &[]), ("b", &[])));
    }

    #[test]
    fn small_amounts_keep_their_digits() {
        assert_eq!(dollars(0.0002, 0.0005), "$0.00020");
        assert_eq!(dollars(0.5, 1.0), "$0.50");
        assert_eq!(dollars(25.0, 100.0), "$25");
        assert_eq!((whole(2.0), whole(2.5)), ("2".to_owned(), String::new()));
    }
}
