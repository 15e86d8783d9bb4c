//! What each version of Hrana over WebSocket knows.

use hrana_protocol::ws::Request;
use hrana_protocol::{Batch, BatchCond, SqlRef, Stmt, StreamRequest, Version};

use super::Closing;

/// Refuses a request that the negotiated version does not have.
pub(super) fn check(version: Version, request: &Request) -> Result<(), Closing> {
    let (what, since) = match request {
        Request::OpenCursor { .. } => ("The `open_cursor` request", Version::Hrana3),
        Request::CloseCursor { .. } => ("The `close_cursor` request", Version::Hrana3),
        Request::FetchCursor { .. } => ("The `fetch_cursor` request", Version::Hrana3),
        Request::StoreSql { .. } => ("The `store_sql` request", Version::Hrana2),
        Request::CloseSql { .. } => ("The `close_sql` request", Version::Hrana2),
        Request::OpenStream { .. } | Request::CloseStream { .. } => return Ok(()),
        Request::Stream { request, .. } => match request {
            StreamRequest::GetAutocommit => ("The `get_autocommit` request", Version::Hrana3),
            StreamRequest::Sequence { .. } => ("The `sequence` request", Version::Hrana2),
            StreamRequest::Describe { .. } => ("The `describe` request", Version::Hrana2),
            StreamRequest::Execute { stmt } if is_stored(stmt) => ("`sql_id`", Version::Hrana2),
            StreamRequest::Batch { batch } => batch_needs(batch),
            _ => return Ok(()),
        },
    };
    if version >= since {
        return Ok(());
    }
    let since = since.name();
    Err(Closing::protocol(format!(
        "{what} is only supported in protocol version {since} and higher"
    )))
}

fn batch_needs(batch: &Batch) -> (&'static str, Version) {
    let asks =
        |step: &hrana_protocol::BatchStep| step.condition.as_ref().is_some_and(asks_autocommit);
    if batch.steps.iter().any(asks) {
        ("The condition `is_autocommit`", Version::Hrana3)
    } else if batch.steps.iter().any(|step| is_stored(&step.stmt)) {
        ("`sql_id`", Version::Hrana2)
    } else {
        ("The `batch` request", Version::Hrana1)
    }
}

fn asks_autocommit(condition: &BatchCond) -> bool {
    match condition {
        BatchCond::IsAutocommit => true,
        BatchCond::Not { cond } => asks_autocommit(cond),
        BatchCond::And { conds } | BatchCond::Or { conds } => conds.iter().any(asks_autocommit),
        BatchCond::Ok { .. } | BatchCond::Error { .. } => false,
    }
}

fn is_stored(stmt: &Stmt) -> bool {
    matches!(stmt.sql, SqlRef::Stored { .. })
}
