//! What a server is asked to do.

use rwasm::Config;
use rwasm_wasi::Access;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What a [`Server`](crate::Server) is asked to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen, as `HOST:PORT`; port 0 is any free one.
    pub addr: String,
    /// Where to answer `/healthz` and `/metrics`, if anywhere.
    pub metrics_addr: Option<String>,
    /// The programs. Of two whose paths fit, the longer path counts.
    pub mounts: Vec<Mount>,
    /// Guests that there are at a time, those that wait for their clients included.
    /// Each has a thread. No more than there are processors run.
    ///
    /// Left out, there are four for each processor and eight at least; 256 in the
    /// mode [`Mode::Isolate`], where most wait for their clients.
    pub concurrency: Option<usize>,
    /// Requests that wait to be begun; the answer to one more is 503.
    pub queue: usize,
    /// The most bytes of a request's head.
    pub max_head: usize,
    /// How long requests may go on after the server was told to stop.
    pub grace: Duration,
}

impl Settings {
    /// No programs yet; 256 requests in the queue, 64 KiB of head, 30 s of grace.
    pub fn new(addr: impl Into<String>) -> Settings {
        Settings {
            addr: addr.into(),
            metrics_addr: None,
            mounts: Vec::new(),
            concurrency: None,
            queue: 256,
            max_head: 64 << 10,
            grace: Duration::from_secs(30),
        }
    }
}

/// A program at a path.
#[derive(Clone, Debug)]
pub struct Mount {
    /// `/`, or as in `/a/b`. It stands for itself and all that is below.
    pub path: String,
    /// How the program meets HTTP.
    pub mode: Mode,
    /// The program.
    pub program: Program,
}

impl Mount {
    /// In the mode [`Mode::Cgi`], started anew for each request.
    pub fn cgi(path: impl Into<String>, program: Program) -> Mount {
        Mount {
            path: path.into(),
            mode: Mode::Cgi { snapshot: None },
            program,
        }
    }
}

/// How a program meets HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A fresh instance for each request, by RFC 3875: the request in variables
    /// and on the standard input, the response on the standard output.
    Cgi {
        /// Whether the program is started once, before the first request, and each
        /// instance goes on from there: after `wizer.initialize` if the module has
        /// such a function, else where this says.
        ///
        /// What it has done by then is done for all requests, also what it has
        /// taken from clocks and random numbers. It must not have opened files that
        /// are still open then, nor hold objects of the garbage-collected heap.
        snapshot: Option<Snapshot>,
    },
    /// The program is a server of its own: it gets the listener of
    /// [`Settings::addr`] as its first descriptor after the folders, and lives on.
    /// It is the only one of its server. Of its limits, those of memory and stack
    /// hold.
    Listen {
        /// Instances that share the listener, each with a thread.
        workers: usize,
    },
    /// The program is a server of its own, as for [`Mode::Listen`], but each
    /// connection has an instance of its own. The program is started once, until it
    /// first accepts a connection or waits for one; that is where each instance goes
    /// on, with the same consequences as `snapshot` has. An instance ends when it
    /// wants another connection, having closed its own or by an accept that waits.
    ///
    /// A request is a connection here, for [`Settings::concurrency`],
    /// [`Settings::queue`] and limits, and to refuse one is to close it. So time counts
    /// while the client is idle, too: a connection that is kept open ends with
    /// [`RequestLimits::timeout`], and has its instance, but no processor, until then.
    /// Output and body have no limits: they are what the program sends and reads.
    Isolate,
}

/// Where in `_start` the requests of a program begin that is started once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Snapshot {
    /// Where it first reads its environment or standard input, or writes to its
    /// standard output.
    Request,
    /// Where it first reads its standard input or writes to its standard output. A
    /// program that has read its environment by then does not know the variables of
    /// any request, but their bodies.
    Input,
}

/// A program, and what it is given.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file of the module.
    pub module: PathBuf,
    /// How its code is made. Interruption, fuel and stack are set by
    /// the server.
    pub config: Config,
    /// Its arguments after its name.
    pub args: Vec<OsString>,
    /// Its environment, besides the variables of a request.
    pub env: Vec<(OsString, OsString)>,
    /// The folders that it may use.
    pub folders: Vec<Folder>,
    /// Its name for a folder that is empty for each request.
    pub scratch: Option<OsString>,
    /// What one request may take.
    pub limits: RequestLimits,
}

impl Program {
    /// It is given nothing.
    pub fn new(module: impl Into<PathBuf>) -> Program {
        Program {
            module: module.into(),
            config: Config::new(),
            args: Vec::new(),
            env: Vec::new(),
            folders: Vec::new(),
            scratch: None,
            limits: RequestLimits::default(),
        }
    }
}

/// A folder of the host that a program may use.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The folder on the host.
    pub host: PathBuf,
    /// What the program calls it.
    pub guest: OsString,
    /// What it may do with it.
    pub access: Access,
}

/// What one request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// From the request's head to the end of its guest, waiting for a thread or a
    /// processor included.
    pub timeout: Duration,
    /// Bytes of each memory, and of garbage-collected objects.
    pub memory: u64,
    /// Bytes of the guest's stack.
    pub stack: usize,
    /// Instructions, about; any number if `None`.
    pub fuel: Option<u64>,
    /// Bytes of the response.
    pub output: u64,
    /// Bytes of the request's body.
    pub body: u64,
}

impl Default for RequestLimits {
    /// 30 s, 256 MiB of memory, 1 MiB of stack, any number of instructions, 1 GiB
    /// of output and 64 MiB of body.
    fn default() -> RequestLimits {
        RequestLimits {
            timeout: Duration::from_secs(30),
            memory: 256 << 20,
            stack: 1 << 20,
            fuel: None,
            output: 1 << 30,
            body: 64 << 20,
        }
    }
}
