//! The values of flags that are more than a word or a number.

use std::ffi::{OsStr, OsString};
use std::num::NonZero;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// `--dir HOST[::GUEST][:ro]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirGrant {
    /// The folder on the host.
    pub host: PathBuf,
    /// What the guest calls it.
    pub guest: OsString,
    /// Whether the guest may only read.
    pub read_only: bool,
}

impl DirGrant {
    /// Parses the value of the flag. `:rw` is understood too, so that a folder
    /// whose name ends in `:ro` can be named.
    pub fn parse(text: &OsStr) -> Result<DirGrant, String> {
        let bytes = text.as_bytes();
        let (bytes, read_only) = match bytes.strip_suffix(b":ro") {
            Some(rest) => (rest, true),
            None => (bytes.strip_suffix(b":rw").unwrap_or(bytes), false),
        };
        let separator = bytes.windows(2).position(|pair| pair == b"::");
        let (host, guest) = match separator {
            Some(at) => (&bytes[..at], &bytes[at + 2..]),
            None => (bytes, bytes),
        };
        if host.is_empty() {
            return Err("the folder's name is missing; write HOST or HOST::GUEST".into());
        }
        if guest.is_empty() {
            return Err("nothing follows `::`; write HOST::GUEST".into());
        }
        let guest = OsStr::from_bytes(guest).to_owned();
        let host = PathBuf::from(OsStr::from_bytes(host));
        Ok(DirGrant {
            host,
            guest,
            read_only,
        })
    }
}

/// `-O KEY=N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimization {
    /// Calls and loop iterations before a function is compiled.
    Budget(u32),
    /// Threads that compile.
    Threads(NonZero<usize>),
}

impl Optimization {
    /// Parses the value of the flag.
    pub fn parse(text: &str) -> Result<Optimization, String> {
        let (key, value) = text
            .split_once('=')
            .ok_or("write KEY=N, such as `-O budget=0`")?;
        let wrong = |what: &str| format!("`{value}` is no {what}");
        match key {
            "budget" => match value.parse() {
                Ok(budget) => Ok(Optimization::Budget(budget)),
                Err(_) => Err(wrong("number of calls and iterations")),
            },
            "threads" => match value.parse() {
                Ok(threads) => Ok(Optimization::Threads(threads)),
                Err(_) => Err(wrong("number of threads, which is 1 at least")),
            },
            _ => Err(format!(
                "there is no setting `{key}`; there are `budget` and `threads`"
            )),
        }
    }
}

/// `--env NAME=VALUE`, or `--env NAME` to pass on the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvGrant {
    /// The name of the variable.
    pub name: OsString,
    /// Its value, if it is not the host's.
    pub value: Option<OsString>,
}

impl EnvGrant {
    /// Parses the value of the flag.
    pub fn parse(text: &OsStr) -> Result<EnvGrant, String> {
        let bytes = text.as_bytes();
        let (name, value) = match bytes.iter().position(|&b| b == b'=') {
            Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
            None => (bytes, None),
        };
        if name.is_empty() {
            return Err("the variable's name is missing; write NAME=VALUE or NAME".into());
        }
        let owned = |bytes| OsStr::from_bytes(bytes).to_owned();
        Ok(EnvGrant {
            name: owned(name),
            value: value.map(owned),
        })
    }
}

/// `--listen HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenGrant(pub String);

impl ListenGrant {
    /// Parses the value of the flag. The name of the host is looked up later.
    pub fn parse(text: &str) -> Result<ListenGrant, String> {
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err("the port is missing; write HOST:PORT".into());
        };
        if port.parse::<u16>().is_err() {
            return Err("the port must be a number up to 65535".into());
        }
        // Other commands take an empty one for all addresses of the machine.
        if host.is_empty() {
            return Err(format!(
                "the host is missing; write 127.0.0.1:{port} for this machine alone, or \
                 0.0.0.0:{port} for all who can reach it"
            ));
        }
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.contains(':') && !bracketed {
            return Err(format!(
                "write an IPv6 address in brackets, as in [::1]:{port}"
            ));
        }
        Ok(ListenGrant(text.to_owned()))
    }
}

/// `--mount PATH=MODULE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountGrant {
    /// The path of requests.
    pub path: String,
    /// The module.
    pub module: PathBuf,
}

impl MountGrant {
    /// Parses the value of the flag. What the path may be is checked later.
    pub fn parse(text: &OsStr) -> Result<MountGrant, String> {
        const HOW: &str = "write PATH=MODULE, as in /a=a.wasm";
        let bytes = text.as_bytes();
        let at = bytes.iter().position(|&b| b == b'=').ok_or(HOW)?;
        let (path, module) = (&bytes[..at], &bytes[at + 1..]);
        let path = std::str::from_utf8(path).map_err(|_| "the path is no text")?;
        if module.is_empty() {
            return Err(HOW.into());
        }
        Ok(MountGrant {
            path: path.to_owned(),
            module: PathBuf::from(OsStr::from_bytes(module)),
        })
    }
}

/// What a standard stream of the guest is connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stream {
    /// The same stream of this process.
    #[default]
    Inherit,
    /// Nothing.
    Null,
    /// A file.
    File(PathBuf),
}

impl From<OsString> for Stream {
    fn from(text: OsString) -> Stream {
        if text == "inherit" {
            Stream::Inherit
        } else if text == "null" {
            Stream::Null
        } else {
            Stream::File(text.into())
        }
    }
}

/// Parses a number of bytes: `65536`, `64KiB`, `64K`, `1MB`. One letter means
/// powers of 1024, as it does for `ulimit` and `docker`.
pub fn byte_size(text: &str) -> Result<u64, String> {
    const HOW: &str = "write a number of bytes, as in 65536, 64KiB or 16MB";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = match number.parse() {
        Ok(number) => number,
        Err(_) if number.is_empty() => return Err(HOW.into()),
        Err(_) => return Err("it is beyond 64 bits".into()),
    };
    let unit: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(HOW.into()),
    };
    number
        .checked_mul(unit)
        .ok_or("it is beyond 64 bits".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reports WT#2902, WT#7695 and WT#8552: what `--dir` means.
    #[test]
    fn dir_grants() {
        let cases = [
            (".", Some((".", ".", false))),
            ("/a/b", Some(("/a/b", "/a/b", false))),
            ("a::/", Some(("a", "/", false))),
            ("a::/x:ro", Some(("a", "/x", true))),
            ("a:ro", Some(("a", "a", true))),
            ("a:ro:rw", Some(("a:ro", "a:ro", false))),
            ("a:b", Some(("a:b", "a:b", false))),
            ("C:\\x::/x", Some(("C:\\x", "/x", false))),
            ("a::b::c", Some(("a", "b::c", false))),
            ("", None),
            (":ro", None),
            ("::/x", None),
            ("a::", None),
            ("a:::ro", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(host, guest, read_only): (&str, &str, bool)| DirGrant {
                host: host.into(),
                guest: guest.into(),
                read_only,
            });
            assert_eq!(DirGrant::parse(text.as_ref()).ok(), expected, "{text}");
        }
        let strange = OsStr::from_bytes(b"\xff");
        assert_eq!(DirGrant::parse(strange).unwrap().guest, strange);
    }

    #[test]
    fn env_grants() {
        let cases = [
            ("A=b", Some(("A", Some("b")))),
            ("A=", Some(("A", Some("")))),
            ("A=b=c", Some(("A", Some("b=c")))),
            ("A", Some(("A", None))),
            ("=b", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(name, value): (&str, Option<&str>)| EnvGrant {
                name: name.into(),
                value: value.map(OsString::from),
            });
            assert_eq!(EnvGrant::parse(text.as_ref()).ok(), expected, "{text}");
        }
    }

    #[test]
    fn optimizations() {
        let threads = NonZero::new(3).unwrap();
        for (text, expected) in [
            ("budget=0", Ok(Optimization::Budget(0))),
            ("budget=4294967295", Ok(Optimization::Budget(u32::MAX))),
            ("threads=3", Ok(Optimization::Threads(threads))),
            ("budget=4294967296", Err("no number of calls")),
            ("budget=", Err("no number of calls")),
            ("threads=0", Err("1 at least")),
            ("budget", Err("KEY=N")),
            ("level=3", Err("`budget` and `threads`")),
        ] {
            match (Optimization::parse(text), expected) {
                (Ok(parsed), Ok(expected)) => assert_eq!(parsed, expected, "{text}"),
                (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
                (parsed, _) => panic!("{text}: {parsed:?}"),
            }
        }
    }

    #[test]
    fn listen_grants() {
        for good in ["127.0.0.1:80", "localhost:0", "[::1]:65535", "0.0.0.0:1"] {
            let expected = Ok(ListenGrant(good.to_owned()));
            assert_eq!(ListenGrant::parse(good), expected, "{good}");
        }
        for (bad, message) in [
            ("80", "port is missing"),
            ("", "port is missing"),
            ("localhost:", "must be a number"),
            ("localhost:65536", "must be a number"),
            ("localhost:-1", "must be a number"),
            (":80", "127.0.0.1:80"),
            ("::1:80", "[::1]:80"),
        ] {
            let error = ListenGrant::parse(bad).unwrap_err();
            assert!(error.contains(message), "{bad}: {error}");
        }
    }

    #[test]
    fn mount_grants() {
        let cases = [
            ("/a=a.wasm", Some(("/a", "a.wasm"))),
            ("/=b=c.wasm", Some(("/", "b=c.wasm"))),
            ("/a=", None),
            ("a.wasm", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(path, module)| MountGrant {
                path: path.to_owned(),
                module: module.into(),
            });
            assert_eq!(MountGrant::parse(text.as_ref()).ok(), expected, "{text}");
        }
    }

    #[test]
    fn byte_sizes() {
        let cases = [
            ("0", Some(0)),
            ("65536", Some(65536)),
            ("64KiB", Some(65536)),
            ("64k", Some(65536)),
            ("64kb", Some(64000)),
            ("1MiB", Some(1 << 20)),
            ("4G", Some(4 << 30)),
            ("16777216T", None),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("", None),
            ("MiB", None),
            ("-1", None),
            ("1.5M", None),
            ("1 M", None),
            ("1X", None),
        ];
        for (text, expected) in cases {
            assert_eq!(byte_size(text).ok(), expected, "{text}");
        }
    }
}
