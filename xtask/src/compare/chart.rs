//! Bar charts as SVG: a group of bars for each program, a bar for each subject,
//! on a logarithmic scale, so that half as much is as far everywhere.

use std::fmt::Write;

const COLOURS: [&str; 9] = [
    "#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#e15759", "#76b7b2", "#edc948", "#9c755f",
    "#bab0ac",
];

/// Pixels.
const BAR: f64 = 11.0;
const GAP: f64 = 10.0;
const LABELS: f64 = 120.0;
const PLOT: f64 = 640.0;
const HEAD: f64 = 70.0;

/// A chart of `groups`, which have a name and a value for each of `subjects`.
pub fn bars(title: &str, subjects: &[&str], groups: &[(&str, Vec<Option<f64>>)]) -> String {
    let values = || groups.iter().flat_map(|group| group.1.iter().flatten());
    let low = values().copied().fold(f64::INFINITY, f64::min);
    let high = values().copied().fold(0.0, f64::max);
    let (low, high) = if high > 0.0 {
        (low.log10().floor(), high.log10().ceil())
    } else {
        (0.0, 1.0)
    };
    let decades = (high - low).max(1.0);
    let x = |value: f64| (value.log10() - low) / decades * PLOT;

    let group_height = BAR * subjects.len() as f64 + GAP;
    let bottom = HEAD + group_height * groups.len() as f64;
    let (width, height) = (LABELS + PLOT + 70.0, bottom + 30.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    text(&mut svg, 10.0, 20.0, "start", title);
    let legend_step = (width - 20.0) / subjects.len() as f64;
    for (number, subject) in subjects.iter().enumerate() {
        let left = 10.0 + legend_step * number as f64;
        rect(&mut svg, left, 32.0, 10.0, number);
        text(&mut svg, left + 14.0, 41.0, "start", subject);
    }
    for decade in 0..=decades as i32 {
        let value = 10f64.powf(low + f64::from(decade));
        let at = LABELS + x(value);
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{HEAD}\" x2=\"{at:.1}\" y2=\"{bottom:.1}\" stroke=\"#ddd\"/>"
        );
        text(&mut svg, at, bottom + 15.0, "middle", &format!("{value}"));
    }
    for (number, (name, bars)) in groups.iter().enumerate() {
        let top = HEAD + group_height * number as f64;
        let middle = top + group_height / 2.0;
        text(&mut svg, LABELS - 6.0, middle, "end", name);
        for (subject, value) in bars.iter().enumerate() {
            let Some(value) = *value else { continue };
            let y = top + BAR * subject as f64;
            rect(&mut svg, LABELS, y, x(value), subject);
            text(
                &mut svg,
                LABELS + x(value) + 3.0,
                y + BAR - 1.5,
                "start",
                &format!("{value:.1}"),
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn rect(svg: &mut String, x: f64, y: f64, width: f64, subject: usize) {
    let colour = COLOURS[subject % COLOURS.len()];
    let height = BAR - 1.0;
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{colour}\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}
