//! Stacked bars as SVG and PNG: what share of answers was good, fine and bad.

use std::{fmt::Write, path::Path, process::Command};

use crate::{error::Result, process, toolchain::debian};

/// A group of bars, one for each arm.
pub struct Group {
    pub name: String,
    pub bars: Vec<Bar>,
}

/// The shares of an arm: good, fine and bad, which are 1 together.
pub struct Bar {
    pub name: String,
    pub shares: [f64; 3],
}

const NAMES: [&str; 3] = [
    "good (below 20 ms)",
    "fine (20 to 30 ms)",
    "bad (above 30 ms, or failed)",
];
const COLOURS: [&str; 3] = ["#4a9a5c", "#e8c547", "#c8553d"];

/// Pixels.
const BAR: f64 = 15.0;
const GAP: f64 = 28.0;
const LABELS: f64 = 130.0;
const PLOT: f64 = 600.0;
const HEAD: f64 = 60.0;

/// A figure.
pub fn stacked(title: &str, groups: &[Group]) -> String {
    let bars: usize = groups.iter().map(|group| group.bars.len()).sum();
    let height = HEAD + groups.len() as f64 * GAP + bars as f64 * BAR + 30.0;
    let width = LABELS + PLOT + 60.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    text(&mut svg, 10.0, 22.0, "start", title);
    for (number, name) in NAMES.iter().enumerate() {
        let x = LABELS + 210.0 * number as f64;
        rect(&mut svg, (x, 34.0, 12.0), number);
        text(&mut svg, x + 18.0, 45.0, "start", name);
    }
    let mut y = HEAD;
    for group in groups {
        text(&mut svg, 10.0, y + 20.0, "start", &group.name);
        y += GAP;
        for bar in &group.bars {
            text(&mut svg, LABELS - 8.0, y + 11.0, "end", &bar.name);
            let mut x = LABELS;
            for (number, share) in bar.shares.iter().enumerate() {
                let width = PLOT * share;
                rect(&mut svg, (x, y, width), number);
                x += width;
            }
            let good = format!("{:.1} %", 100.0 * bar.shares[0]);
            text(&mut svg, LABELS + PLOT + 6.0, y + 11.0, "start", &good);
            y += BAR;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Draws the PNG beside an SVG, by librsvg.
pub fn png(svg: &Path) -> Result<()> {
    let mut convert = Command::new("rsvg-convert");
    convert.args(["--zoom", "1.5"]).arg(svg);
    convert.arg("--output").arg(svg.with_extension("png"));
    if process::output(Command::new("rsvg-convert").arg("--version")).is_err() {
        debian::install(&["librsvg2-bin".to_owned(), "fonts-dejavu-core".to_owned()])?;
    }
    process::run(&mut convert)
}

fn rect(svg: &mut String, (x, y, width): (f64, f64, f64), colour: usize) {
    let (height, colour) = (BAR - 2.0, COLOURS[colour]);
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{colour}\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}
