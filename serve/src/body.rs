//! The body of a response: bytes that are there, or what a guest writes.

use crate::exchange::{Exchange, Output, Stop};
use crate::program::Ended;
use crate::record::Record;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use thiserror::Error;

/// The body of a response. The request is over when this is dropped.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    content: Content,
    record: Record,
    /// Why it ends early, once that is known.
    truncated: Option<Truncated>,
}

#[derive(Debug)]
enum Content {
    /// Bytes that are still to be sent.
    Whole(Bytes),
    Guest(Listener),
}

/// Who waits for a guest's output. To drop it stops the guest.
#[derive(Debug)]
pub(crate) struct Listener {
    exchange: Arc<Exchange>,
    /// Bytes that are still to come, if that was said.
    left: Option<u64>,
    /// Whether the guest is stopped when this is dropped.
    stops: bool,
}

/// A body ends before its end. The connection is reset, so that the client knows.
#[derive(Clone, Copy, Debug, Error)]
pub(crate) enum Truncated {
    #[error("the program failed in the middle of the response")]
    Failed,
    #[error("the program was stopped in the middle of the response")]
    Stopped(Stop),
    #[error("the program wrote less than its `Content-Length`")]
    Short,
    #[error("the program wrote more than its `Content-Length`")]
    Long,
}

impl ResponseBody {
    pub(crate) fn whole(bytes: Bytes, record: Record) -> ResponseBody {
        ResponseBody {
            content: Content::Whole(bytes),
            record,
            truncated: None,
        }
    }

    pub(crate) fn of_guest(listener: Listener, record: Record) -> ResponseBody {
        ResponseBody {
            content: Content::Guest(listener),
            record,
            truncated: None,
        }
    }
}

impl Listener {
    pub(crate) fn new(exchange: Arc<Exchange>) -> Listener {
        Listener {
            exchange,
            left: None,
            stops: true,
        }
    }

    /// That so many bytes will come.
    pub(crate) fn expect(&mut self, bytes: Option<u64>) {
        self.left = bytes;
    }

    /// Lets the guest go on, though nobody listens any more.
    pub(crate) fn leave(mut self) {
        self.stops = false;
        self.exchange.discard_output();
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Bytes, Truncated>>> {
        let taken = self.exchange.poll_output(cx, |output, _| {
            (!output.is_empty()).then(|| output.split().freeze())
        });
        Poll::Ready(match taken {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Output::Found(bytes)) => Some(self.count(bytes)),
            Poll::Ready(Output::Ended(Ended::Exit(_))) => match self.left {
                Some(1..) => Some(Err(Truncated::Short)),
                _ => None,
            },
            Poll::Ready(Output::Ended(_)) => Some(Err(Truncated::Failed)),
            Poll::Ready(Output::Stopped(why, _)) => Some(Err(Truncated::Stopped(why))),
        })
    }

    fn count(&mut self, bytes: Bytes) -> Result<Bytes, Truncated> {
        if let Some(left) = &mut self.left {
            let rest = left.checked_sub(bytes.len() as u64);
            *left = rest.ok_or(Truncated::Long)?;
        }
        Ok(bytes)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.stops {
            self.exchange.stop(Stop::ClientGone);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Truncated;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Truncated>>> {
        let this = &mut *self;
        if let Some(truncated) = this.truncated {
            return Poll::Ready(Some(Err(truncated)));
        }
        let next = match &mut this.content {
            Content::Whole(bytes) if bytes.is_empty() => None,
            Content::Whole(bytes) => Some(Ok(std::mem::take(bytes))),
            Content::Guest(listener) => match listener.poll(cx) {
                Poll::Ready(next) => next,
                Poll::Pending => return Poll::Pending,
            },
        };
        match next {
            Some(Ok(bytes)) => {
                this.record.sent(bytes.len());
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Some(Err(truncated)) => {
                this.record.truncated(truncated);
                this.truncated = Some(truncated);
                // Once it has an error, hyper 1 does not send what it has buffered,
                // be it the head: it gets the chance to do so before.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Guest(Listener {
                left: Some(left), ..
            }) => SizeHint::with_exact(*left),
            Content::Guest(_) => SizeHint::default(),
        }
    }
}
