//! A small SQLite shell: `sqlite-shell DATABASE [SQL]…`.
//!
//! Runs every statement of its arguments, or of standard input when there are
//! none, against the database file, which it creates. A row is printed with its
//! columns separated by `|`; text stands as it is, a blob as `x'…'`.

use std::{
    env,
    io::{self, BufWriter, Read, Write},
    process::ExitCode,
};

use rusqlite::{Batch, Connection, Statement, types::ValueRef};

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let Some(database) = args.next() else {
        eprintln!("usage: sqlite-shell DATABASE [SQL]...");
        return ExitCode::from(2);
    };
    match run(&database, args.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sqlite-shell: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(database: &str, mut scripts: Vec<String>) -> Result<(), Box<dyn std::error::Error>> {
    if scripts.is_empty() {
        let mut script = String::new();
        io::stdin().read_to_string(&mut script)?;
        scripts.push(script);
    }
    let connection = Connection::open(database)?;
    let mut out = BufWriter::new(io::stdout().lock());
    for script in scripts {
        let mut batch = Batch::new(&connection, &script);
        while let Some(mut statement) = batch.next()? {
            print_rows(&mut statement, &mut out)?;
        }
    }
    Ok(out.flush()?)
}

fn print_rows(
    statement: &mut Statement<'_>,
    out: &mut impl Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            if column > 0 {
                write!(out, "|")?;
            }
            match row.get_ref(column)? {
                ValueRef::Null => write!(out, "NULL")?,
                ValueRef::Integer(value) => write!(out, "{value}")?,
                ValueRef::Real(value) => write!(out, "{value}")?,
                ValueRef::Text(text) => out.write_all(text)?,
                ValueRef::Blob(bytes) => {
                    write!(out, "x'")?;
                    for byte in bytes {
                        write!(out, "{byte:02x}")?;
                    }
                    write!(out, "'")?;
                }
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
