//! Backtraces with places in the sources, from DWARF that the tests write, and
//! from DWARF that lies.

mod common;

use common::call;
use gimli::write::{Address, AttributeValue, DwarfUnit, EndianVec, LineProgram, LineString, Range};
use gimli::write::{RangeList, Sections};
use gimli::{Encoding, Format, LineEncoding, LittleEndian, SectionId};
use rwasm::parser::SectionKind;
use rwasm::{Config, Engine, Error, Instance, Module, Store, Tier, TrapError, WasmBacktrace};
use std::time::Instant;
use wasm_encoder::{CustomSection, Encode, Section};

const GUEST: &str = r#"(module $guest
    (memory 1)
    (func $_ZN4demo4loadEj (param i32) (drop (i32.load (local.get 0))))
    (func $outer (export "fault") (call 0 (i32.const -1)))
    (func $unknown (export "unknown") unreachable))"#;

const ENCODING: Encoding = Encoding {
    format: Format::Dwarf32,
    version: 5,
    address_size: 4,
};

/// The named sections, in order.
type CustomSections = Vec<(&'static str, Vec<u8>)>;

/// The guest with custom sections behind it.
fn with_sections(sections: &CustomSections) -> Vec<u8> {
    let mut bytes = guest().parsed().bytes().to_vec();
    for (name, data) in sections {
        let section = CustomSection {
            name: (*name).into(),
            data: data.into(),
        };
        bytes.push(section.id());
        section.encode(&mut bytes);
    }
    bytes
}

fn guest() -> Module {
    Module::new(&common::engine(), GUEST).unwrap()
}

/// Where the body of an own function lies in the code section's contents.
fn body(func: usize) -> (u64, u64) {
    let guest = guest();
    let guest = guest.parsed();
    let sections = guest.sections().iter();
    let code = sections.clone().find(|s| s.kind == SectionKind::Code);
    let start = u64::from(code.unwrap().range.start);
    let body = &guest.bodies()[func];
    (body.start() as u64 - start, body.end() as u64 - start)
}

/// DWARF for the first two functions: `load` from line 10 on, a line for every
/// byte, and `outer` at 20, column 3.
fn dwarf(version: u16) -> CustomSections {
    let encoding = Encoding {
        version,
        ..ENCODING
    };
    let mut unit = DwarfUnit::new(encoding);
    let dir = LineString::new("/src", encoding, &mut unit.line_strings);
    let file = LineString::new("demo.cc", encoding, &mut unit.line_strings);
    let mut program = LineProgram::new(
        encoding,
        LineEncoding::default(),
        dir,
        None,
        file.clone(),
        None,
    );
    let directory = program.default_directory();
    let file = program.add_file(file, directory, None);
    let mut ranges = Vec::new();
    for (func, line) in [(0, 10), (1, 20)] {
        let (begin, end) = body(func);
        program.begin_sequence(Some(Address::Constant(begin)));
        for offset in 0..end - begin {
            let row = program.row();
            row.address_offset = offset;
            row.file = file;
            row.line = if func == 0 { line + offset } else { line };
            row.column = 3 * func as u64;
            program.generate_row();
        }
        program.end_sequence(end - begin);
        ranges.push(Range::StartLength {
            begin: Address::Constant(begin),
            length: end - begin,
        });
    }
    unit.unit.line_program = program;
    let ranges = unit.unit.ranges.add(RangeList(ranges));
    let comp_dir = unit.strings.add("/src");
    let root = unit.unit.root();
    let root = unit.unit.get_mut(root);
    root.set(gimli::DW_AT_ranges, AttributeValue::RangeListRef(ranges));
    root.set(gimli::DW_AT_comp_dir, AttributeValue::StringRef(comp_dir));
    root.set(
        gimli::DW_AT_low_pc,
        AttributeValue::Address(Address::Constant(0)),
    );
    let mut sections = Sections::new(EndianVec::new(LittleEndian));
    unit.write(&mut sections).unwrap();
    let mut written = Vec::new();
    sections
        .for_each(|id: SectionId, data| {
            if !data.slice().is_empty() {
                written.push((id.name(), data.slice().to_vec()));
            }
            Ok::<_, gimli::write::Error>(())
        })
        .unwrap();
    written
}

fn trap(config: &Config, bytes: &[u8], export: &str) -> TrapError {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, bytes).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    match call(&mut store, instance, export, &[]) {
        Err(Error::Trap(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn fault(bytes: &[u8]) -> WasmBacktrace {
    trap(&common::config(), bytes, "fault").backtrace
}

/// The offset in its body of the instruction of a frame.
fn offset_in_body(backtrace: &WasmBacktrace, frame: usize) -> u64 {
    let guest = guest();
    let body = &guest.parsed().bodies()[frame];
    u64::from(backtrace.frames()[frame].offset().unwrap()) - body.start() as u64
}

#[test]
fn frames_say_where_in_the_sources_they_are() {
    for version in [2, 3, 4, 5] {
        let bytes = with_sections(&dwarf(version));
        let backtrace = fault(&bytes);
        let line = 10 + offset_in_body(&backtrace, 0);
        let offsets = [0, 1].map(|frame| backtrace.frames()[frame].offset().unwrap());
        let expected = format!(
            "   0: guest!demo::load(unsigned int) @ {:#x}\n      at /src/demo.cc:{line}\n   \
             1: guest!outer @ {:#x}\n      at /src/demo.cc:20:3\n",
            offsets[0], offsets[1]
        );
        assert_eq!(backtrace.to_string(), expected, "DWARF {version}");
        // What no unit knows has no place.
        let backtrace = trap(&common::config(), &bytes, "unknown").backtrace;
        assert_eq!(backtrace.to_string().lines().count(), 1);
    }
}

#[test]
fn tiers_print_the_same_places() {
    let bytes = with_sections(&dwarf(5));
    let text = |config: &Config| trap(config, &bytes, "fault").backtrace.to_string();
    let interpreted = text(Config::new().tier(Tier::Interp));
    for tier in Tier::ALL {
        let config = Config::new().tier(tier).clone();
        if Engine::new(&config).is_ok() {
            assert_eq!(text(&config), interpreted, "{tier}");
        }
    }
}

/// Every prefix of every section, and every byte of it changed to several
/// others: there may be a place or none, but nothing else happens.
#[test]
fn broken_dwarf_does_no_harm() {
    let sections = dwarf(5);
    let backtrace = |sections: &CustomSections| {
        let engine = Engine::new(Config::new().tier(Tier::Interp)).unwrap();
        let module = Module::new(&engine, with_sections(sections)).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let error = call(&mut store, instance, "fault", &[]).unwrap_err();
        let Error::Trap(error) = error else {
            panic!("{error:?}")
        };
        assert_eq!(error.backtrace.frames().len(), 2);
        error.backtrace.to_string()
    };
    for at in 0..sections.len() {
        for len in 0..sections[at].1.len() {
            let mut sections = sections.clone();
            sections[at].1.truncate(len);
            backtrace(&sections);
        }
        for byte in 0..sections[at].1.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut sections = sections.clone();
                sections[at].1[byte] = value;
                backtrace(&sections);
            }
        }
    }
}

/// Thousands of units that say of the same address that they are there, and
/// share one long line program: reading it for each would take hours, and keeping
/// it terabytes.
#[test]
fn units_that_share_a_line_program_do_not_multiply_it() {
    let mut sections = dwarf(4);
    for (name, data) in &mut sections {
        match *name {
            ".debug_info" => *data = data.repeat(5_000),
            ".debug_line" => {
                // Each is a row at another address.
                let length = u32::from_le_bytes(data[..4].try_into().unwrap());
                data.extend([0xff; 1 << 20]);
                let length = length + (1 << 20);
                data[..4].copy_from_slice(&length.to_le_bytes());
            }
            _ => {}
        }
    }
    let bytes = with_sections(&sections);
    let backtrace = fault(&bytes);
    let start = Instant::now();
    assert_eq!(backtrace.frames().len(), 2);
    assert!(backtrace.to_string().starts_with("   0: guest!demo::load"));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
