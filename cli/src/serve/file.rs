//! `rwasm.toml`: what to serve. Its keys are named as the flags are.
//!
//! ```toml
//! addr = "127.0.0.1:8080"
//!
//! [[mount]]
//! path = "/"
//! module = "app.wasm"
//! timeout = "2s"
//! dir = ["data::/data:ro"]
//! env = { LANG = "C" }
//! ```

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rwasm_serve::{Mount, Settings};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::{ADDR, mount, size};
use crate::args::{DirGrant, EnvGrant, ListenGrant, Mode, ProgramArgs, SnapshotAt, byte_size};
use crate::exit;
use crate::failure::{Failure, Result};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    addr: Option<Addr>,
    metrics_addr: Option<Addr>,
    concurrency: Option<usize>,
    queue: Option<usize>,
    max_head: Option<Size>,
    grace: Option<Time>,
    #[serde(default)]
    mount: Vec<Program>,
}

/// A program, and where it is mounted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Program {
    path: String,
    module: PathBuf,
    mode: Option<Mode>,
    snapshot: Option<SnapshotAt>,
    workers: Option<usize>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    dir: Vec<Dir>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    scratch: Option<String>,
    timeout: Option<Time>,
    max_memory: Option<Size>,
    max_stack: Option<Size>,
    fuel: Option<u64>,
    max_output: Option<Size>,
    max_body: Option<Size>,
}

/// Reads the file at `path`. `flags` hold for the programs that it does not say
/// otherwise of.
pub fn read(path: &Path, flags: &ProgramArgs) -> Result<Settings> {
    let name = path.display();
    let failed = |message: String| Failure::new(exit::FAILED, message);
    let text = fs::read_to_string(path).map_err(|error| {
        failed(match error.kind() {
            io::ErrorKind::NotFound => {
                format!("{name}: no such file; --config names one like rwasm.toml")
            }
            _ => format!("{name} cannot be read: {error}"),
        })
    })?;
    let file: File = toml::from_str(&text)
        .map_err(|error| failed(format!("{name} is not as it should be: {error}")))?;
    if file.mount.is_empty() {
        let message = format!("{name} has no [[mount]], so that there is nothing to serve");
        return Err(failed(message));
    }
    // Paths in the file are relative to it, wherever the command was started.
    let folder = path.parent().unwrap_or(Path::new(""));
    file.settings(folder, flags)
}

impl File {
    fn settings(self, folder: &Path, flags: &ProgramArgs) -> Result<Settings> {
        let mut settings = Settings::new(self.addr.map_or(ADDR.into(), |addr| addr.0.0));
        settings.metrics_addr = self.metrics_addr.map(|addr| addr.0.0);
        settings.concurrency = self.concurrency;
        settings.queue = self.queue.unwrap_or(settings.queue);
        settings.max_head = self.max_head.map_or(settings.max_head, |max| size(max.0));
        settings.grace = self.grace.map_or(settings.grace, |grace| grace.0);
        let mounts = self.mount.into_iter();
        let mounts = mounts.map(|mount| mount.mount(folder, flags));
        settings.mounts = mounts.collect::<Result<_>>()?;
        Ok(settings)
    }
}

impl Program {
    fn mount(self, folder: &Path, flags: &ProgramArgs) -> Result<Mount> {
        let mut all = flags.clone();
        all.guest
            .dirs
            .extend(self.dir.into_iter().map(|Dir(grant)| DirGrant {
                host: folder.join(grant.host),
                ..grant
            }));
        all.guest
            .env
            .extend(self.env.into_iter().map(|(name, value)| EnvGrant {
                name: name.into(),
                value: Some(value.into()),
            }));
        all.mode = self.mode.unwrap_or(all.mode);
        all.snapshot = self.snapshot.or(all.snapshot);
        all.workers = self.workers.unwrap_or(all.workers);
        all.scratch = self.scratch.map(Into::into).or(all.scratch);
        all.timeout = self.timeout.map(|time| time.0).or(all.timeout);
        all.guest.max_memory = self.max_memory.map(|size| size.0).or(all.guest.max_memory);
        all.guest.max_stack = self.max_stack.map(|size| size.0).or(all.guest.max_stack);
        all.fuel = self.fuel.or(all.fuel);
        all.max_output = self.max_output.map(|size| size.0).or(all.max_output);
        all.max_body = self.max_body.map(|size| size.0).or(all.max_body);
        let mut mount = mount(self.path, &folder.join(self.module), &all)?;
        mount.program.args = self.args.into_iter().map(Into::into).collect();
        Ok(mount)
    }
}

/// Defines types of values that are written as those of flags are.
macro_rules! as_flags {
    ($($name:ident($inner:ty) = $parse:expr;)*) => {$(
        #[derive(Debug)]
        struct $name($inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
                let text = Text::deserialize(from)?.text();
                let parse: fn(&str) -> std::result::Result<$inner, String> = $parse;
                parse(&text).map($name).map_err(D::Error::custom)
            }
        }
    )*};
}

as_flags! {
    Addr(ListenGrant) = ListenGrant::parse;
    Dir(DirGrant) = |text| DirGrant::parse(OsStr::new(text));
    Size(u64) = byte_size;
    Time(Duration) = |text| humantime::parse_duration(text).map_err(|error| error.to_string());
}

/// A text, or a number in its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Number(u64),
    Text(String),
}

impl Text {
    fn text(self) -> String {
        match self {
            Text::Number(number) => number.to_string(),
            Text::Text(text) => text,
        }
    }
}
