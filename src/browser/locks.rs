use super::Browser;
use super::port::{Line, TIMEOUT};
use crate::client::ports::{Exclusion, LockError, Locks};
use std::rc::Rc;

/// A Web Lock, or a wish for one; given up when dropped.
pub struct Guard {
    line: Rc<Line>,
    ticket: u32,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.line.port.release(self.ticket);
    }
}

impl Locks for Browser {
    type Guard = Guard;

    async fn acquire(&self, name: &str, timeout: u32) -> Result<(Guard, Exclusion), LockError> {
        let call = self
            .line
            .call(|line, ticket| line.port.lock(ticket, name, timeout));
        let guard = Guard {
            line: self.line.clone(),
            ticket: call.ticket,
        };
        match call.await.0 {
            0 => Ok((guard, Exclusion::Lock)),
            TIMEOUT => Err(LockError::Timeout),
            _ => Err(LockError::Absent),
        }
    }
}
