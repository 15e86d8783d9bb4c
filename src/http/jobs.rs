//! `GET /v1/jobs`: the migrations of a schema database. There are none yet; what has no migrations says so in the words
//! by which clients tell.

use super::caller::Caller;
use crate::error::{Error, Result};

/// `GET /v1/jobs` and `GET /v1/jobs/{job}`
pub(crate) async fn none(_: Caller) -> Result<()> {
    Err(Error::bad_request("Invalid namespace"))
}
