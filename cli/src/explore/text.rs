//! A module's summary as text for people.

use std::fmt::{Display, Write};

use super::summary::{Data, Elements, Entity, Kind, Summary, Tool};

/// The whole text. Names in it are as they are in the module.
pub fn render(summary: &Summary<'_>) -> String {
    let mut out = String::new();
    head(&mut out, summary);
    list(&mut out, "imports", summary.imports.iter(), |i| {
        format!("{} {} {}", i.module, i.name, typed(i.kind, &i.ty))
    });
    list(&mut out, "exports", summary.exports.iter(), |e| {
        format!("{} {}", e.name, typed(e.kind, &e.ty))
    });
    list(&mut out, "memories", summary.memories.iter(), |m| {
        let most = match m.max_bytes {
            Some(bytes) if bytes > m.min_bytes => format!(" to {}", size(bytes)),
            _ => String::new(),
        };
        format!("{}, {}{most}", entity(&m.entity), size(m.min_bytes))
    });
    list(&mut out, "tables", summary.tables.iter(), entity);
    list(&mut out, "tags", summary.tags.iter(), entity);
    list(&mut out, "sections", summary.sections.iter(), |s| {
        match s.name {
            Some(name) => format!("{} {name} {}", s.kind, size(s.bytes)),
            None => format!("{} {}", s.kind, size(s.bytes)),
        }
    });
    let largest = summary.functions.largest.iter();
    list(&mut out, "largest functions", largest, |function| {
        let bytes = size(function.bytes);
        match function.name {
            Some(name) => format!("{bytes} {}", rwasm::demangle(name)),
            None => format!("{bytes} function {}", function.index),
        }
    });
    out
}

fn head(out: &mut String, summary: &Summary<'_>) {
    let what = match summary.kind {
        Kind::Program => "a program (run it with `rwasm run`)",
        Kind::Reactor => "a reactor (call its exports with `rwasm run --invoke`)",
        Kind::Library => "a library (call its exports with `rwasm run --invoke`)",
    };
    let functions = &summary.functions;
    line(
        out,
        summary.file,
        format_args!("{what}, {}", size(summary.bytes)),
    );
    if let Some(name) = summary.name {
        line(out, "  name", name);
    }
    let code = size(functions.code_bytes);
    line(
        out,
        "  functions",
        format_args!(
            "{} defined ({code} of code), {} imported, {} named",
            functions.defined, functions.imported, summary.names.functions
        ),
    );
    if let Some(start) = summary.start {
        line(out, "  start function", start);
    }
    line(out, "  types", summary.types);
    let imported = summary.globals.iter().filter(|g| g.imported).count();
    let defined = summary.globals.len() - imported;
    line(
        out,
        "  globals",
        format_args!("{defined} defined, {imported} imported"),
    );
    let Data { segments, bytes } = summary.data;
    line(
        out,
        "  data",
        format_args!("{segments} segments, {}", size(bytes)),
    );
    let Elements { segments, items } = summary.elements;
    line(
        out,
        "  elements",
        format_args!("{segments} segments, {items} items"),
    );
    let debug_info = if summary.debug_info { "DWARF" } else { "none" };
    line(out, "  debug information", debug_info);
    let producers = &summary.producers;
    for (label, tools) in [
        ("  language", &producers.languages),
        ("  processed by", &producers.processed_by),
        ("  SDK", &producers.sdks),
    ] {
        for Tool { name, version } in tools {
            line(out, label, format_args!("{name} {version}"));
        }
    }
}

fn list<T>(
    out: &mut String,
    title: &str,
    items: impl ExactSizeIterator<Item = T>,
    show: impl Fn(T) -> String,
) {
    if items.len() == 0 {
        return;
    }
    let _ = writeln!(out, "{title} ({})", items.len());
    for item in items {
        let _ = writeln!(out, "  {}", show(item));
    }
}

fn line(out: &mut String, label: &str, value: impl Display) {
    let _ = writeln!(out, "{label}: {value}");
}

/// Function types say themselves what they are.
fn typed(kind: &str, ty: &str) -> String {
    match kind {
        "func" => ty.to_owned(),
        kind => format!("({kind} {ty})"),
    }
}

fn entity(entity: &Entity) -> String {
    let origin = if entity.imported { ", imported" } else { "" };
    format!("{}{origin}", entity.ty)
}

/// A number of bytes, in the largest unit that it has one of.
fn size(bytes: impl TryInto<u128>) -> String {
    const UNITS: [&str; 6] = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let bytes = bytes.try_into().unwrap_or(u128::MAX);
    let unit = (0..UNITS.len())
        .rev()
        .find(|&unit| bytes >> (10 * unit) > 0)
        .unwrap_or(0);
    if unit == 0 {
        return if bytes == 1 {
            "1 byte".into()
        } else {
            format!("{bytes} bytes")
        };
    }
    let value = bytes as f64 / (1_u128 << (10 * unit)) as f64;
    // Rounded to a tenth, without a needless `.0`.
    let value = format!("{value:.1}");
    format!(
        "{} {}",
        value.strip_suffix(".0").unwrap_or(&value),
        UNITS[unit]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0_u128, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (1 << 20, "1 MiB"),
            (1 << 32, "4 GiB"),
            (1 << 64, "16384 PiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
