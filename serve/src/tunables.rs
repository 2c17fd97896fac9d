//! The numbers that nobody is asked for.

use std::time::Duration;

/// Bytes of a guest's output, and of a request's body, that wait in memory at
/// most. Each time that they are full the guest's thread and the task of the
/// connection take turns: with 64 KiB, as a pipe has them, an answer of 315 KiB on
/// one core took 20 switches of context (docs/RATIONALE.md).
pub(crate) const PIPE_BYTES: usize = 1 << 20;

/// How long a guest is not begun while the body of its request is received, if that is
/// no more than [`PIPE_BYTES`]. On the way from another machine it may come in pieces,
/// and some guests answer before they have all of it.
pub(crate) const BODY_PATIENCE: Duration = Duration::from_millis(5);

/// Kibibytes of bodies that are received before their guests begin, of all requests
/// together. Others stay in the buffers of the system until they are asked for.
pub(crate) const RECEIVED_BODIES: usize = 64 << 10;

/// The most bytes of a response's head.
pub(crate) const MAX_RESPONSE_HEAD: usize = 32 << 10;

/// The most bytes that a guest's standard error brings to the log, per request.
pub(crate) const MAX_STDERR: usize = 16 << 10;

/// The longest line that a guest brings to the log.
pub(crate) const MAX_LOGGED_LINE: usize = 1 << 10;

/// The time for a client to send the head of a request, waiting for the next on
/// an open connection included.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections at a time; fewer if the process may not open as many files.
pub(crate) const MAX_CONNECTIONS: usize = 10_000;

/// Connections that the system keeps until they are accepted.
pub(crate) const BACKLOG: i32 = 4096;

/// Connections at a time to the address of the metrics.
pub(crate) const MAX_ADMIN_CONNECTIONS: usize = 64;

/// Connections at a time in the mode `isolate`. A browser keeps six to a server,
/// and each has a thread as long as it is open.
pub(crate) const ISOLATED_GUESTS: usize = 256;

/// Requests at a time on one connection of HTTP/2.
pub(crate) const MAX_STREAMS: u32 = 128;

/// How often a program may send a request on to another path of the server.
pub(crate) const MAX_LOCAL_REDIRECTS: usize = 8;

/// Files that a guest may have open: all guests together must leave some to the
/// server.
pub(crate) const OPEN_FILES: u32 = 64;

/// The stack of a thread that runs guests, besides what guests may use of it.
pub(crate) const HOST_STACK: usize = 512 << 10;

/// When machine code is first remembered, and how often at least from then on. A
/// server that is ended by force is started again, most likely, and should not begin
/// anew.
pub(crate) const REMEMBER_FIRST: Duration = Duration::from_secs(1);
pub(crate) const REMEMBER_AT_LEAST: Duration = Duration::from_secs(60);

/// How long a failed `accept` is given to heal: it fails when there are too many
/// open files.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// A guest that has run for longer when others are in line is not waited for any
/// more, and shares the processor with the next.
pub(crate) const SHORT_TURN: Duration = Duration::from_millis(100);

/// So many times in a row, a guest that has waited for its client goes on before
/// requests that have not begun.
pub(crate) const MOST_PASSED: usize = 8;
